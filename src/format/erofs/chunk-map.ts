import { BLOCK, NO_BLOCK } from './layout.ts'

/** Positions of the data bytes in a file with holes. Ascending, not overlapping, within the size. */
export type Extents = readonly { offset: number; length: number }[]

/**
 * A file with holes as chunks of equal size (a power of two of blocks): those with data are stored one after the other in the
 * image, the others are not stored. The last chunk ends with the file.
 */
interface ChunkPlan {
  /** log2 of the blocks of a chunk. */
  bits: number
  /** Whether a chunk has data. */
  used: readonly boolean[]
  /** Bytes that the chunks with data take in the image, whole blocks. */
  bytes: number
}

/** Bytes of one entry of the map, which follows the inode and its attributes: the chunk's first block. */
export const CHUNK_ENTRY = 4
/** The map has at most this many entries, and as many more for each extent, so that a short tar makes no large image. */
const ENTRIES = 4096
const ENTRIES_FOR_EXTENT = 64
export const MAX_CHUNKS = 1 << 18

/** Part of the on-disk format. */
export function planChunks(size: number, extents: Extents): ChunkPlan {
  const blocks = Math.ceil(size / BLOCK)
  const limit = Math.min(MAX_CHUNKS, ENTRIES + ENTRIES_FOR_EXTENT * extents.length)
  let bits = 0
  while (Math.ceil(blocks / 2 ** bits) > limit) bits++
  const chunk = BLOCK * 2 ** bits
  const used = new Array<boolean>(Math.ceil(size / chunk)).fill(false)
  for (const { offset, length } of extents) {
    if (length === 0) continue
    const last = Math.floor((offset + length - 1) / chunk)
    // Extents ascend: what an earlier one marked need not be marked again.
    for (let index = Math.floor(offset / chunk); index <= last; index++) used[index] = true
  }
  const bytes = used.reduce((sum, isUsed, index) => sum + (isUsed ? chunkBytes({ bits }, blocks, index) : 0), 0)
  return { bits, used, bytes }
}

/** The first block of every chunk, NO_BLOCK for a hole, when the data begins at block `first`. */
export function chunkStarts({ bits, used }: ChunkPlan, first: number): number[] {
  let next = first
  return used.map((isUsed) => {
    if (!isUsed) return NO_BLOCK
    const start = next
    next += 2 ** bits
    return start
  })
}

export function encodeChunkMap(starts: readonly number[], target: Uint8Array, at: number): void {
  const view = new DataView(target.buffer, target.byteOffset + at)
  for (const [index, start] of starts.entries()) view.setUint32(index * CHUNK_ENTRY, start, true)
}

/** Positions of the extents in the image. */
export function placeExtents(
  extents: Extents,
  { bits }: Pick<ChunkPlan, 'bits'>,
  starts: readonly number[],
): { position: number; length: number }[] {
  const chunk = BLOCK * 2 ** bits
  return extents.flatMap(({ offset, length }) => {
    if (length === 0) return []
    // Chunks that follow each other in the file do so in the image.
    return [{ position: starts[Math.floor(offset / chunk)]! * BLOCK + (offset % chunk), length }]
  })
}

function chunkBytes({ bits }: Pick<ChunkPlan, 'bits'>, blocks: number, index: number): number {
  return Math.min(2 ** bits, blocks - index * 2 ** bits) * BLOCK
}
