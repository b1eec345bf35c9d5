import { crc32c } from './crc32c.ts'
import {
  BLOCK,
  COMPAT_CHECKSUM,
  COMPAT_MTIME,
  FEATURE_CHUNKED,
  FEATURES_OFFSET,
  MAGIC,
  ROOT_AT,
  ROOT_NID,
  SUPERBLOCK_AT,
} from './layout.ts'

/** Superblock and root inode. The checksum covers the block from the superblock on, its own field as zero. */
export function firstBlock(
  rootInode: Uint8Array,
  counts: { inodes: number; blocks: number; chunked: boolean },
): Uint8Array {
  const block = new Uint8Array(BLOCK)
  const view = new DataView(block.buffer, SUPERBLOCK_AT)
  view.setUint32(0, MAGIC, true)
  view.setUint32(8, COMPAT_CHECKSUM | COMPAT_MTIME, true)
  view.setUint8(12, Math.log2(BLOCK))
  view.setUint16(14, ROOT_NID, true)
  view.setUint32(16, counts.inodes, true)
  view.setUint32(36, counts.blocks, true)
  view.setUint32(FEATURES_OFFSET, counts.chunked ? FEATURE_CHUNKED : 0, true)
  block.set(rootInode, ROOT_AT)
  view.setUint32(4, crc32c(block.subarray(SUPERBLOCK_AT)), true)
  return block
}
