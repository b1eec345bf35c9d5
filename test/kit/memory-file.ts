import type { ReadableFile } from '../../src/trust/inventory/analyser.ts'
import { readableFile } from '../../src/trust/inventory/readable-file.ts'

/** A file of an image, in memory. */
export function memoryFile(path: string, bytes: Uint8Array, mode = 0o644): ReadableFile {
  return readableFile(
    { path, size: bytes.length, mode },
    { readAt: (position, length) => bytes.subarray(position, position + length) },
  )
}
