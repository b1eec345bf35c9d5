import { writeSync } from 'node:fs'

/** Zeros are looked for in pieces of this size, which are whole blocks of every usual file system. */
const PIECE = 64 * 1024
const ZEROS = Buffer.alloc(PIECE)

/**
 * Writes bytes at a position of a file that has nothing there yet. Pieces of zeros are not written: they stay holes, which
 * read as zeros. The caller sets the size of the file. Returns how many bytes were written.
 */
export function writeData(fd: number, bytes: Uint8Array, position: number): number {
  let written = 0
  for (let from = 0; from < bytes.length; ) {
    const start = from
    // Pieces lie on borders of the file, not of the bytes.
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
