import { CHUNK_ENTRY, type Extents } from './chunk-map.ts'
import type { Inode } from './decode-inode.ts'
import type { Superblock } from './decode-superblock.ts'
import { damaged } from './image-reader.ts'
import { BLOCK, INODE_SIZE, NO_BLOCK } from './layout.ts'

/** A chunk of a file: its bytes from `from` to `to`, and where they are in the image; undefined for a hole. */
export interface ChunkRun {
  from: number
  to: number
  position: number | undefined
}

const chunkSize = ({ chunkBits }: Inode) => BLOCK * 2 ** chunkBits!

/** The map of a chunked file, in the image. */
export function chunkMapPlace(one: Inode): { position: number; length: number } {
  const count = Math.ceil(one.size / chunkSize(one))
  return { position: one.position + INODE_SIZE + one.xattrBytes, length: count * CHUNK_ENTRY }
}

export function* decodeChunkMap(
  one: Inode,
  map: Uint8Array,
  { blocks }: Pick<Superblock, 'blocks'>,
): Generator<ChunkRun> {
  const chunk = chunkSize(one)
  const view = new DataView(map.buffer, map.byteOffset, map.length)
  for (let index = 0; index * CHUNK_ENTRY < map.length; index++) {
    const start = view.getUint32(index * CHUNK_ENTRY, true)
    const from = index * chunk
    const to = Math.min(one.size, from + chunk)
    if (start !== NO_BLOCK && (start === 0 || start + Math.ceil((to - from) / BLOCK) > blocks))
      throw damaged(`the data of inode ${one.nid} is outside the image`)
    yield { from, to, position: start === NO_BLOCK ? undefined : start * BLOCK }
  }
}

/** Where there is data; neighbours are joined. */
export function extentsOfRuns(runs: Iterable<ChunkRun>): Extents {
  const found: { offset: number; length: number }[] = []
  for (const { from, to, position } of runs) {
    if (position === undefined) continue
    const last = found.at(-1)
    if (last && last.offset + last.length === from) last.length += to - from
    else found.push({ offset: from, length: to - from })
  }
  return found
}
