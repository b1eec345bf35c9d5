/** Something that is read in parts: fewer bytes than asked for come at its end only. */
export interface PartSource {
  readAt(position: number, length: number): Promise<Uint8Array>
}

/** A source that is read from front to back in small pieces, most of them without asking it. */
export interface ReadAhead {
  /** The bytes when they are here already. */
  held(position: number, length: number): Uint8Array | undefined
  /** Fewer bytes than asked for at the end of the source only. */
  read(position: number, length: number): Promise<Uint8Array>
}

/** `window`: bytes that are asked for at once where a read goes on after the last one. */
export function readingAhead(source: PartSource, window: number): ReadAhead {
  let start = 0
  let bytes: Uint8Array = Buffer.alloc(0)
  const held = (position: number, length: number) => {
    const from = position - start
    return from >= 0 && from + length <= bytes.length ? bytes.subarray(from, from + length) : undefined
  }
  return {
    held,
    async read(position, length) {
      const here = held(position, length)
      if (here) return here
      const isNext = position >= start && position <= start + bytes.length
      bytes = await source.readAt(position, isNext ? Math.max(length, window) : length)
      start = position
      return bytes.subarray(0, length)
    },
  }
}
