import { errnoOf } from '#base'
import { walkDirectory } from './walk-directory.ts'

/** Bytes of the regular files below a directory, each hard link once, links not followed; 0 when it is absent. Unreadable entries count as 0. */
export function treeSize(directory: string): number {
  const seen = new Set<string>()
  let size = 0n
  try {
    for (const { stat } of walkDirectory(directory, undefined, { skipUnreadable: true })) {
      if (!stat.isFile()) continue
      if (stat.nlink > 1n) {
        const key = `${stat.dev}:${stat.ino}`
        if (seen.has(key)) continue
        seen.add(key)
      }
      size += stat.size
    }
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')) throw error
  }
  return Number(size)
}
