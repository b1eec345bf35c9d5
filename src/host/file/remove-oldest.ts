import { rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { namesIn } from './names-in.ts'

/**
 * Removes the files of a directory that were changed longest ago, so that `kept` are left; nothing where there are fewer, or no
 * directory. Others may add and remove files at the same time.
 */
export async function removeOldest(directory: string, kept: number): Promise<void> {
  const names = await namesIn(directory)
  if (names.length <= kept) return
  const files = await Promise.all(
    names.map(async (name) => {
      const path = join(directory, name)
      const found = await stat(path).catch(() => undefined)
      return { path, time: found?.mtimeMs ?? 0 }
    }),
  )
  files.sort((a, b) => a.time - b.time)
  for (const { path } of files.slice(0, names.length - kept)) await rm(path, { force: true })
}
