import type { Allocator } from './allocator.ts'
import { BLOCK, INODE_SIZE } from './layout.ts'

/** What decides where a node (anything but a directory) stands. */
export interface NodeShape {
  /** Bytes of the file, or of a symlink's target; 0 for the rest. */
  size: number
  xattrBytes: number
  /** A file with holes gets whole blocks even when it is small. */
  holed: boolean
}

export interface NodePlace {
  inodeAt: number
  /** Data stands right behind inode and xattrs, in the same block. */
  inline: boolean
  /** Byte position of the data; undefined when the size is 0. */
  dataAt: number | undefined
}

/** Part of the on-disk format, as the allocator is. */
export function placeNode(allocator: Allocator, shape: NodeShape): NodePlace {
  const head = INODE_SIZE + shape.xattrBytes
  if (shape.size === 0) return { inodeAt: allocator.placeInode(head), inline: false, dataAt: undefined }
  if (!shape.holed && head + shape.size <= BLOCK) {
    const inodeAt = allocator.placeInode(head + shape.size)
    return { inodeAt, inline: true, dataAt: inodeAt + head }
  }
  const inodeAt = allocator.placeInode(head)
  return { inodeAt, inline: false, dataAt: allocator.placeData(shape.size) * BLOCK }
}
