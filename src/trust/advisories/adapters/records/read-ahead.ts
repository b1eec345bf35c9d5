import type { FileHandle } from 'node:fs/promises'

const WINDOW = 1024 * 1024

/** A place of a file that is read from front to back in small pieces, most of them without asking the system. */
export interface ReadAhead {
  /** The bytes when they are here already. */
  held(position: number, length: number): Buffer | undefined
  /** Fewer bytes than asked for at the end of the file only. */
  read(position: number, length: number): Promise<Buffer>
}

export function readingAhead(file: FileHandle): ReadAhead {
  let start = 0
  let window = Buffer.alloc(0)
  const held = (position: number, length: number) => {
    const from = position - start
    return from >= 0 && from + length <= window.length ? window.subarray(from, from + length) : undefined
  }
  return {
    held,
    async read(position, length) {
      const here = held(position, length)
      if (here) return here
      const isNext = position >= start && position <= start + window.length
      const bytes = Buffer.allocUnsafeSlow(isNext || position === 0 ? Math.max(length, WINDOW) : length)
      const { bytesRead } = await file.read(bytes, 0, bytes.length, position)
      start = position
      window = bytes.subarray(0, bytesRead)
      return window.subarray(0, length)
    },
  }
}
