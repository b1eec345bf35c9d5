import { rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf } from '#base'
import { namesIn } from './names-in.ts'

/**
 * Removes the files of a directory that were changed longest ago, until `kept` are left. Does nothing when
 * there are no more than that, or no directory. Others may add and remove files at the same time.
 */
export async function removeOldest(directory: string, kept: number): Promise<void> {
  const names = await namesIn(directory)
  if (names.length <= kept) return
  const files = await Promise.all(
    names.map(async (name) => {
      const path = join(directory, name)
      return { path, time: await changedAt(path) }
    }),
  )
  files.sort((a, b) => a.time - b.time)
  for (const { path } of files.slice(0, names.length - kept)) await rm(path, { force: true })
}

/** In milliseconds; 0 for a file that was removed meanwhile. */
async function changedAt(path: string): Promise<number> {
  try {
    return (await stat(path)).mtimeMs
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 0
    throw error
  }
}
