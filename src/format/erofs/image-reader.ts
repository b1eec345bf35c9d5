import { BaleError } from '#base'
import type { RandomSource } from './random-access.ts'

export function damaged(what: string, cause?: unknown): BaleError {
  return new BaleError('INVALID_LAYER_IMAGE', `a layer image is damaged: ${what}`, {
    next: { act: 'repair-store' },
    cause,
  })
}

const PIECE = 64 * 1024
const KEPT = 32

/** Reads small things through a cache of the last 2 MiB read; the returned bytes are views and must not be changed. */
interface ImageReader {
  /** Exactly `length` bytes; INVALID_LAYER_IMAGE when the image ends before. */
  read(position: number, length: number): Promise<Uint8Array>
}

export function createImageReader(source: RandomSource): ImageReader {
  const pieces = new Map<number, Uint8Array>()

  async function piece(index: number): Promise<Uint8Array> {
    const known = pieces.get(index)
    if (known) {
      pieces.delete(index)
      pieces.set(index, known)
      return known
    }
    const bytes = await source.readAt(index * PIECE, PIECE)
    pieces.set(index, bytes)
    if (pieces.size > KEPT) pieces.delete(pieces.keys().next().value!)
    return bytes
  }

  return {
    async read(position, length) {
      const first = Math.floor(position / PIECE)
      const offset = position - first * PIECE
      if (offset + length <= PIECE) {
        const bytes = (await piece(first)).subarray(offset, offset + length)
        if (bytes.length < length) throw damaged(`it ends before byte ${position + length}`)
        return bytes
      }
      const joined = new Uint8Array(length)
      for (let done = 0; done < length; ) {
        const at = position + done
        const bytes = (await piece(Math.floor(at / PIECE))).subarray(at % PIECE, (at % PIECE) + length - done)
        if (bytes.length === 0) throw damaged(`it ends before byte ${position + length}`)
        joined.set(bytes, done)
        done += bytes.length
      }
      return joined
    },
  }
}
