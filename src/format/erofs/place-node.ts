import type { Allocator } from './allocator.ts'
import { CHUNK_ENTRY, chunkStarts, type Extents, placeExtents, planChunks } from './chunk-map.ts'
import { BLOCK, INODE_SIZE } from './layout.ts'

/** What determines the position of a node (anything but a directory). */
export interface NodeShape {
  /** Bytes of the file, or of a symlink's target; 0 for the rest. */
  size: number
  xattrBytes: number
  /** Of a file with holes. It gets whole blocks even when it is small. */
  extents?: Extents
}

export interface NodePlace {
  inodeAt: number
  /** Data directly follows inode and xattrs, in the same block. */
  inline: boolean
  /** Byte position of the data; undefined when there is none, or when it is chunked. */
  dataAt: number | undefined
  /** Of a file with holes; the map follows inode and xattrs. */
  chunks?: { bits: number; starts: readonly number[]; bytes: number }
  /** Positions in the image of the data in the tar, in order. */
  runs: readonly { position: number; length: number }[]
}

/**
 * Part of the on-disk format, as the allocator is. `chunked`: holes take no space. Images of bale 0.1 store files with holes
 * in full; their superblock lacks the feature.
 */
export function placeNode(allocator: Allocator, shape: NodeShape, { chunked = true } = {}): NodePlace {
  const { size, xattrBytes, extents } = shape
  const head = INODE_SIZE + xattrBytes
  if (size === 0) return { inodeAt: allocator.placeInode(head), inline: false, dataAt: undefined, runs: [] }
  if (!extents && head + size <= BLOCK) {
    const inodeAt = allocator.placeInode(head + size)
    const dataAt = inodeAt + head
    return { inodeAt, inline: true, dataAt, runs: [{ position: dataAt, length: size }] }
  }
  if (extents && chunked) return placeChunked(allocator, shape, extents)
  const inodeAt = allocator.placeInode(head)
  const dataAt = allocator.placeData(size) * BLOCK
  const runs = (extents ?? [{ offset: 0, length: size }])
    .filter(({ length }) => length > 0)
    .map(({ offset, length }) => ({ position: dataAt + offset, length }))
  return { inodeAt, inline: false, dataAt, runs }
}

function placeChunked(allocator: Allocator, { size, xattrBytes }: NodeShape, extents: Extents): NodePlace {
  const plan = planChunks(size, extents)
  const inodeAt = allocator.placeInode(INODE_SIZE + xattrBytes + plan.used.length * CHUNK_ENTRY)
  const starts = chunkStarts(plan, allocator.placeData(plan.bytes))
  const runs = placeExtents(extents, plan, starts)
  return { inodeAt, inline: false, dataAt: undefined, chunks: { bits: plan.bits, starts, bytes: plan.bytes }, runs }
}
