import { readlinkSync } from 'node:fs'
import { errnoOf } from '#base'

/** Where a link leads, as latin1; undefined when it went away, or became something else, since it was seen (EINVAL). */
export function linkTarget(path: Buffer): string | undefined {
  try {
    return readlinkSync(path, 'buffer').toString('latin1')
  } catch (error) {
    if (['EINVAL', 'ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')) return undefined
    throw error
  }
}
