import { crc32c } from './crc32c.ts'
import { damaged } from './image-reader.ts'
import {
  BLOCK,
  COMPAT_CHECKSUM,
  FEATURE_CHUNKED,
  FEATURES_OFFSET,
  MAGIC,
  SUPERBLOCK_AT,
  SUPERBLOCK_SIZE,
} from './layout.ts'

/** What readers need of block 0. */
export interface Superblock {
  root: number
  blocks: number
  chunked: boolean
}

/** `first` is block 0. */
export function decodeSuperblock(first: Uint8Array): Superblock {
  // A copy: a Buffer's slice would be a view, and the checksum field is cleared below.
  const bytes = new Uint8Array(first.subarray(SUPERBLOCK_AT))
  const view = new DataView(bytes.buffer, bytes.byteOffset, SUPERBLOCK_SIZE)
  if (view.getUint32(0, true) !== MAGIC) throw damaged('it has no EROFS superblock')
  if (view.getUint32(8, true) & COMPAT_CHECKSUM) {
    const stored = view.getUint32(4, true)
    view.setUint32(4, 0, true)
    if (crc32c(bytes) !== stored) throw damaged('the checksum of its superblock is wrong')
  }
  if (view.getUint8(12) !== Math.log2(BLOCK)) throw damaged('its blocks are not of 4096 bytes')
  const features = view.getUint32(FEATURES_OFFSET, true)
  if ((features & ~FEATURE_CHUNKED) !== 0 || view.getUint32(40, true) !== 0)
    throw damaged('it has features that bale does not write')
  return { root: view.getUint16(14, true), blocks: view.getUint32(36, true), chunked: features === FEATURE_CHUNKED }
}
