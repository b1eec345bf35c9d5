import { errnoOf } from '#base'
import { copyFileRange, ficloneRange, posixFadvise } from './syscalls.ts'

const STEP = 16 << 20

export interface CopyRange {
  from: number
  fromOffset: number
  to: number
  toOffset: number
  length: number
}

/**
 * Copies bytes between two open files without bringing them into this process; shares the blocks where the file system
 * can and offsets and length are block aligned. Returns the number of bytes copied: fewer when the source ends early.
 */
export function copyRange(range: CopyRange): number {
  if (range.length === 0) return 0
  if (shareRange(range)) return range.length
  let done = 0
  while (done < range.length) {
    const step = Math.min(STEP, range.length - done)
    const count = copyFileRange(range.from, range.fromOffset + done, range.to, range.toOffset + done, step)
    if (count === 0) break
    done += count
  }
  return done
}

/** Reflinks; false where that is not possible. */
export function shareRange(range: CopyRange): boolean {
  try {
    ficloneRange(range.from, range.fromOffset, range.length, range.to, range.toOffset)
    return true
  } catch (error) {
    if (['EOPNOTSUPP', 'ENOTSUP', 'EXDEV', 'EINVAL', 'ENOTTY'].includes(errnoOf(error) ?? '')) return false
    throw error
  }
}

const DONTNEED = 4

/**
 * Gives the file's clean pages back. A mounted layer image caches its data in its own inodes; the pages of the backing
 * file are a second copy that nobody reads.
 */
export function dropPageCache(fd: number): void {
  posixFadvise(fd, DONTNEED)
}
