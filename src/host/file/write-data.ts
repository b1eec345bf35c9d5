import { writeSync } from 'node:fs'

/** Zeros are detected in pieces of this size, a multiple of the block size of every common filesystem. */
const PIECE = 64 * 1024
const ZEROS = Buffer.alloc(PIECE)

/**
 * Writes bytes at a position of a file that has no data there yet. Pieces of zeros are not written: they stay holes, which
 * read as zeros. The caller sets the size of the file. Returns how many bytes were written.
 */
export function writeData(fd: number, bytes: Uint8Array, position: number): number {
  let written = 0
  for (let from = 0; from < bytes.length; ) {
    const start = from
    // Pieces are aligned to the file, not to the bytes.
    const end = () => Math.min(bytes.length, from + PIECE - ((position + from) % PIECE))
    while (from < bytes.length && !isZero(bytes.subarray(from, end()))) from = end()
    writeAll(fd, bytes.subarray(start, from), position + start)
    written += from - start
    while (from < bytes.length && isZero(bytes.subarray(from, end()))) from = end()
  }
  return written
}

function isZero(bytes: Uint8Array): boolean {
  return bytes[0] === 0 && ZEROS.compare(bytes, 0, bytes.length, 0, bytes.length) === 0
}

function writeAll(fd: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, position + done)
}
