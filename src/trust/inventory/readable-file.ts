import { BaleError, printable } from '#base'
import type { LayerFile, ReadableFile } from './analyser.ts'

/** A file over something that reads parts of it; `readAt` of a source may give fewer bytes than asked for. */
export function readableFile(
  { path, size, mode }: LayerFile,
  source: { readAt(position: number, length: number): Uint8Array | Promise<Uint8Array> },
): ReadableFile {
  const readAt = async (position: number, length: number) => {
    const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(length, size - position)))
    for (let done = 0; done < bytes.length; ) {
      const piece = await source.readAt(position + done, bytes.length - done)
      if (piece.length === 0)
        throw new BaleError('INVALID_LAYER_IMAGE', `${printable(path)} ends before byte ${position + done}`)
      bytes.set(piece.subarray(0, bytes.length - done), done)
      done += piece.length
    }
    return bytes
  }
  return { path, size, mode, readAt, read: () => readAt(0, size) }
}
