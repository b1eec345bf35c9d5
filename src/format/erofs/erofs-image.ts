import type { Extents } from './chunk-map.ts'
import { type ChunkRun, chunkMapPlace, decodeChunkMap, extentsOfRuns } from './decode-chunks.ts'
import { decodeDirectoryBlock, type ImageEntry } from './decode-directory.ts'
import { decodeInode, type ImageInode, type Inode, inodePosition } from './decode-inode.ts'
import { decodeSuperblock } from './decode-superblock.ts'
import { createImageReader, damaged } from './image-reader.ts'
import { BLOCK, FEATURE_CHUNKED, FEATURES_OFFSET, INODE_SIZE, SUPERBLOCK_AT } from './layout.ts'
import type { RandomSource } from './random-access.ts'
import { decodeXattrs } from './xattr-area.ts'

/** An image open for reading. Every method throws INVALID_LAYER_IMAGE when what it needs is damaged. */
export interface ErofsImage {
  readonly root: number
  stat(nid: number): Promise<ImageInode>
  /** Without "." and "..", in bytewise order. Reads block by block. */
  readDirectory(nid: number): AsyncIterable<ImageEntry>
  /** A file's data, or a symlink's target as bytes. `start` and `length` as in slice; default all. */
  readData(nid: number, range?: { start?: number; length?: number }): AsyncIterable<Uint8Array>
  xattrs(nid: number): Promise<Map<string, Uint8Array>>
  /** Where a file has data, in whole blocks; all else is zeros. A short list also for files of terabytes. */
  extents(nid: number): Promise<Extents>
}

const DATA_PIECE = 1024 * 1024

/** Opens an image as `createErofsWriter` makes it (other EROFS features are refused). The source stays the caller's. */
export async function openErofs(source: RandomSource): Promise<ErofsImage> {
  const reader = createImageReader(source)
  const superblock = decodeSuperblock(await reader.read(0, BLOCK))
  const { root } = superblock

  async function inode(nid: number): Promise<Inode> {
    return decodeInode(nid, await reader.read(inodePosition(nid, superblock), INODE_SIZE), superblock)
  }

  async function chunkRuns(one: Inode): Promise<Iterable<ChunkRun>> {
    const { position, length } = chunkMapPlace(one)
    return decodeChunkMap(one, await reader.read(position, length), superblock)
  }

  async function* chunkedData(one: Inode, start: number, end: number, piece: number): AsyncGenerator<Uint8Array> {
    const zeros = Buffer.alloc(Math.min(piece, Math.max(0, end - start)))
    for (const { from, to, position } of await chunkRuns(one)) {
      const last = Math.min(to, end)
      for (let at = Math.max(from, start); at < last; ) {
        const length = Math.min(piece, last - at)
        const bytes = position === undefined ? zeros : await source.readAt(position + at - from, length)
        if (bytes.length === 0) throw damaged(`inode ${one.nid} ends before byte ${at}`)
        yield bytes.subarray(0, length)
        at += Math.min(length, bytes.length)
      }
    }
  }

  async function* data(one: Inode, start: number, end: number, piece: number): AsyncGenerator<Uint8Array> {
    if (one.chunkBits !== undefined) return yield* chunkedData(one, start, end, piece)
    const inlineFrom = one.inline ? one.size - (one.size % BLOCK) : one.size
    for (let at = start; at < end; ) {
      if (at >= inlineFrom) {
        const tailAt = one.position + INODE_SIZE + one.xattrBytes
        yield await reader.read(tailAt + at - inlineFrom, end - at)
        return
      }
      const length = Math.min(piece, Math.min(end, inlineFrom) - at)
      const position = one.startBlock * BLOCK + at
      const bytes = length <= BLOCK ? await reader.read(position, length) : await source.readAt(position, length)
      if (bytes.length === 0) throw damaged(`inode ${one.nid} ends before byte ${at}`)
      yield bytes
      at += bytes.length
    }
  }

  return {
    root,
    stat: async (nid) => publicPart(await inode(nid)),
    async *readDirectory(nid) {
      const one = await inode(nid)
      if (one.type !== 'directory') throw damaged(`inode ${nid} is a ${one.type}, not a directory`)
      let previous = ''
      for await (const block of data(one, 0, one.size, BLOCK)) {
        for (const entry of decodeDirectoryBlock(block, nid)) {
          if (previous !== '' && entry.name <= previous) throw damaged(`directory ${nid} is not sorted`)
          previous = entry.name
          if (entry.name !== '.' && entry.name !== '..') yield entry
        }
      }
    },
    async *readData(nid, range = {}) {
      const one = await inode(nid)
      if (one.type !== 'file' && one.type !== 'symlink') throw damaged(`inode ${nid} is a ${one.type}, not a file`)
      const start = Math.min(Math.max(0, range.start ?? 0), one.size)
      const end = range.length === undefined ? one.size : Math.min(one.size, start + Math.max(0, range.length))
      yield* data(one, start, end, DATA_PIECE)
    },
    async extents(nid) {
      const one = await inode(nid)
      if (one.type !== 'file') throw damaged(`inode ${nid} is a ${one.type}, not a file`)
      if (one.chunkBits === undefined) return one.size === 0 ? [] : [{ offset: 0, length: one.size }]
      return extentsOfRuns(await chunkRuns(one))
    },
    async xattrs(nid) {
      const one = await inode(nid)
      if (one.xattrBytes === 0) return new Map()
      const found = decodeXattrs(await reader.read(one.position + INODE_SIZE, one.xattrBytes))
      if (!found) throw damaged(`the extended attributes of inode ${nid}`)
      return found
    },
  }
}

/** Whether an image has files whose holes take no space. */
export async function isChunked(source: RandomSource): Promise<boolean> {
  const bytes = await source.readAt(SUPERBLOCK_AT + FEATURES_OFFSET, 4)
  return bytes.length === 4 && (bytes[0]! & FEATURE_CHUNKED) !== 0
}

function publicPart(one: Inode): ImageInode {
  const {
    inline: _inline,
    chunkBits: _chunkBits,
    startBlock: _startBlock,
    xattrBytes: _xattrBytes,
    position: _position,
    ...rest
  } = one
  return rest
}
