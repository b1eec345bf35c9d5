import { closeSync, readSync } from 'node:fs'
import { BaleError } from '#base'
import type { FileBytes } from '#format/tar'
import { unreadable } from '#rootfs'
import type { TreeEntry } from './tree-entry.ts'

const CHUNK = 1 << 18
/** With a byte to spare, what the writer of tars copies at once. */
const SMALL = (1 << 16) - 1

type Sizes = Pick<TreeEntry, 'size' | 'sparse'>

/** Read at once: a trip through generators costs more than the read. */
export function isSmall({ size, sparse }: Sizes): boolean {
  return sparse === undefined && size < SMALL
}

const scratch = Buffer.allocUnsafeSlow(SMALL)

/**
 * The bytes of an open regular file, and at most one more than the entry says, until the next call. Closes the descriptor.
 */
export function readSmall(descriptor: number, { size }: Sizes): Uint8Array {
  try {
    // A short read is the end of a regular file.
    return scratch.subarray(0, readSync(descriptor, scratch, 0, size + 1, null))
  } catch (error) {
    throw unreadable(error, `/proc/self/fd/${descriptor}`)
  } finally {
    closeSync(descriptor)
  }
}

/**
 * The bytes of an open regular file that is not sparse, to be read from front to back. Throws SIZE_MISMATCH when the file is
 * shorter or longer than its entry says. Disposing closes the descriptor. `shown` gives the file's name for messages.
 */
export function fileBytes(descriptor: number, { size }: Sizes, shown: () => string): FileBytes {
  const failed = (found: string) =>
    new BaleError('SIZE_MISMATCH', `${shown()} had ${size} bytes when it was listed, and has ${found} now`)
  return {
    readInto(target, at, length, offset) {
      const isEnd = offset + length === size
      const wanted = isEnd && at + length < target.length ? length + 1 : length
      let done = 0
      try {
        while (done < wanted) {
          const count = readSync(descriptor, target, at + done, wanted - done, null)
          done += count
          if (count === 0 || done >= length) break
        }
        if (isEnd && wanted === length && done === length) done += readSync(descriptor, SPARE, 0, 1, null)
      } catch (error) {
        throw unreadable(error, `/proc/self/fd/${descriptor}`)
      }
      if (done < length) throw failed(`${offset + done}`)
      if (done > length) throw failed('more')
    },
    [Symbol.dispose]: () => closeSync(descriptor),
  }
}

const SPARE = Buffer.alloc(1)

/** The same in chunks; with `sparse` only the bytes of its extents. */
export function* readLarge(descriptor: number, { size, sparse }: Sizes): Generator<Uint8Array> {
  try {
    yield* sparse ? readExtents(descriptor, sparse) : readWhole(descriptor, size)
  } catch (error) {
    throw unreadable(error, `/proc/self/fd/${descriptor}`)
  } finally {
    closeSync(descriptor)
  }
}

function* readWhole(descriptor: number, size: number): Generator<Uint8Array> {
  for (let left = size; ; ) {
    // One byte more than announced, so that a file that grew is noticed; a short read is the end of a regular file.
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK, Math.max(0, left) + 1))
    const length = readSync(descriptor, chunk)
    if (length > 0) yield chunk.subarray(0, length)
    left -= length
    // One that grows without end, or is of /proc and does not say its size, is not read on for ever.
    if (length < chunk.length || left < 0) return
  }
}

function* readExtents(descriptor: number, extents: NonNullable<TreeEntry['sparse']>): Generator<Uint8Array> {
  for (const { offset, length } of extents) {
    for (let done = 0; done < length; ) {
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK, length - done))
      const count = readSync(descriptor, chunk, 0, chunk.length, offset + done)
      if (count === 0) return
      yield chunk.subarray(0, count)
      done += count
    }
  }
}
