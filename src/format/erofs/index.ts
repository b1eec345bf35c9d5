/**
 * format/erofs: one self-contained EROFS image, written in one pass and read back.
 *
 * Promises: the writer needs no seek backwards except for link counts and block 0 (written last: a torn image has no
 * magic); bytes are a pure function of the calls; the reader bounds every offset, so that a damaged image gives
 * INVALID_LAYER_IMAGE and never a crash, a loop or an oversized allocation. Names are latin1 strings, one character per
 * byte. Does not: open files, mount, or know tars (that is format/layer).
 */

export { createAllocator } from './allocator.ts'
export { type BlockRun, decodeBlockRuns, encodeBlockRuns } from './block-runs.ts'
export { checkErofs } from './check-erofs.ts'
export type { ImageEntry } from './decode-directory.ts'
export type { ImageInode } from './decode-inode.ts'
export { type ErofsImage, isChunked, openErofs } from './erofs-image.ts'
export { createErofsWriter } from './erofs-writer.ts'
export {
  createPieceCache,
  type ImageAtOnce,
  openErofsAtOnce,
  type PieceCache,
  type ReadInode,
  type SourceAtOnce,
} from './image-at-once.ts'
export type { Directory, Node } from './image-tree.ts'
export { BLOCK, type InodeAttributes, type InodeType, TYPES } from './layout.ts'
export { lookupPath, readLink, type WalkedInode, walkImage } from './lookup.ts'
export { type NodeShape, placeNode } from './place-node.ts'
export type { RandomSink, RandomSource, Sink } from './random-access.ts'
export { isStorableXattr, type Xattrs, xattrAreaSize } from './xattr-area.ts'
