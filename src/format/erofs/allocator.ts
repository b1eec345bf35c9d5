import { BLOCK, SLOT } from './layout.ts'

/**
 * Decides the positions of inodes and data. They depend only on the sizes requested so far, so a caller that
 * asks in the same order gets the same positions: the writer while a tar streams in, and the reader that restores the tar
 * from the image. It is therefore part of the on-disk format: a change needs a new split version.
 *
 * Blocks are handed out in order from block 1. Inodes (with their xattrs and inline data) are packed into an open
 * block; one that does not fit opens a new block. Data gets whole blocks.
 */
export interface Allocator {
  /** Byte position for an inode and everything after it; pieces of at most one block never cross a block boundary. */
  placeInode(bytes: number): number
  /** First of as many blocks as the bytes need. */
  placeData(bytes: number): number
  /** First block not yet allocated. */
  readonly end: number
}

export function createAllocator(): Allocator {
  let nextBlock = 1
  let openBlock = 0
  let used = BLOCK
  return {
    placeInode(bytes) {
      const start = Math.ceil(used / SLOT) * SLOT
      if (start + bytes <= BLOCK) {
        used = start + bytes
        return openBlock * BLOCK + start
      }
      const blocks = Math.ceil(bytes / BLOCK)
      const position = nextBlock * BLOCK
      nextBlock += blocks
      openBlock = nextBlock - 1
      used = bytes - (blocks - 1) * BLOCK
      return position
    },
    placeData(bytes) {
      const first = nextBlock
      nextBlock += Math.ceil(bytes / BLOCK)
      return first
    },
    get end() {
      return nextBlock
    },
  }
}
