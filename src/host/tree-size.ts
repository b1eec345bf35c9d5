import { errnoOf } from '#base'
import { walkFolder } from './walk-folder.ts'

/** Bytes of the regular files below a folder, each hard link once, links not followed; 0 when it is not there. What cannot be read has none. */
export function treeSize(folder: string): number {
  const seen = new Set<string>()
  let size = 0n
  try {
    for (const { stat } of walkFolder(folder, undefined, { skipUnreadable: true })) {
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
