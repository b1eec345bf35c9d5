import type { ReadableFile } from '../../analyser.ts'
import { damaged, ENDS_EARLY } from './damaged.ts'

/** A database read in parts. */
export interface Parts {
  /** Bytes. */
  readonly size: number
  /** Exactly these bytes, never changed afterwards. Throws when the database ends before them. */
  at(position: number, length: number): Promise<Buffer>
}

/** Most bytes that are read ahead. */
const AHEAD = 256 << 10

/**
 * Reads parts, and ahead of them: twice as much each time one begins where the last read ended. So a page costs no read of
 * the file where pages follow one another, and no order of pages makes it read many times what is asked for.
 */
export function partsOf(file: ReadableFile): Parts {
  let kept: Buffer = Buffer.alloc(0)
  let start = 0
  let ahead = 0
  return {
    size: file.size,
    async at(position, length) {
      if (position + length > file.size) throw damaged(ENDS_EARLY)
      if (position < start || position + length > start + kept.length) {
        const follows = position >= start && position <= start + kept.length
        ahead = follows ? Math.min(Math.max(ahead, kept.length) * 2, AHEAD) : 0
        const bytes = await file.readAt(position, Math.min(Math.max(length, ahead), file.size - position))
        kept = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
        start = position
      }
      if (position + length > start + kept.length) throw damaged(ENDS_EARLY)
      return kept.subarray(position - start, position - start + length)
    },
  }
}
