import type { Extents } from './chunk-map.ts'
import { type ChunkRun, chunkMapPlace, decodeChunkMap, extentsOfRuns } from './decode-chunks.ts'
import { decodeDirectoryBlock, type ImageEntry } from './decode-directory.ts'
import { decodeInode, type Inode, inodePosition } from './decode-inode.ts'
import { decodeSuperblock } from './decode-superblock.ts'
import { damaged } from './image-reader.ts'
import { BLOCK, INODE_SIZE } from './layout.ts'
import { decodeXattrs } from './xattr-area.ts'

/** Where an image is read from by calls that do not wait for anything but the disk. */
export interface SourceAtOnce {
  /** Reads into `target` from `at` on; answers how many bytes, fewer than `length` only at the end of the source. */
  readInto(target: Uint8Array, at: number, length: number, position: number): number
}

/** An inode as read; `readInto` and the others take it, so that nothing is decoded twice. */
export type ReadInode = Readonly<Inode>

/**
 * An image read by synchronous calls, for walks over whole trees: an await for each file costs more than its bytes. Otherwise as
 * `ErofsImage`.
 */
export interface ImageAtOnce {
  readonly root: number
  inode(nid: number): ReadInode
  /** Without "." and "..", in bytewise order. Reads block by block. */
  entries(directory: ReadInode): Iterable<ImageEntry>
  xattrs(inode: ReadInode): Map<string, Uint8Array>
  /** Where a file has data; all else is zeros. */
  extents(file: ReadInode): Extents
  /** A symlink's target, latin1. */
  linkTarget(symlink: ReadInode): string
  /** A file's bytes from `offset` on, all `length` of them. */
  readInto(file: ReadInode, target: Uint8Array, at: number, length: number, offset: number): void
}

/** Inodes of neighbours lie together, with the data of small files between them. */
const PIECE = 16 * 1024
/** For all images that share a cache. */
const KEPT = 256

/** The pieces of images that were read last, for any number of images: 4 MiB in all. */
export interface PieceCache {
  piece(source: SourceAtOnce, index: number): Uint8Array
}

export function createPieceCache(): PieceCache {
  const pieces = new Map<number, { source: SourceAtOnce; bytes: Buffer; length: number }>()
  const numbers = new Map<SourceAtOnce, number>()
  let last: { key: number; bytes: Uint8Array } | undefined
  return {
    piece(source, index) {
      let number = numbers.get(source)
      if (number === undefined) {
        number = numbers.size
        numbers.set(source, number)
      }
      // A number of 32 bits is enough for 64 TiB, more than an image can have.
      const key = number * 2 ** 32 + index
      if (last?.key === key) return last.bytes
      const known = pieces.get(key)
      if (known) pieces.delete(key)
      const one = known ?? { source, bytes: room(), length: 0 }
      if (!known) one.length = source.readInto(one.bytes, 0, PIECE, index * PIECE)
      pieces.set(key, one)
      last = { key, bytes: one.bytes.subarray(0, one.length) }
      return last.bytes
    },
  }

  /** The memory of the piece that was not needed for longest: what was handed out of it is no longer in use. */
  function room(): Buffer {
    if (pieces.size < KEPT) return Buffer.allocUnsafeSlow(PIECE)
    const [key, { bytes }] = pieces.entries().next().value!
    pieces.delete(key)
    return bytes
  }
}

/** Opens an image as `openErofs` does. The source stays the caller's. */
export function openErofsAtOnce(source: SourceAtOnce, cache: PieceCache = createPieceCache()): ImageAtOnce {
  const superblock = decodeSuperblock(read(0, BLOCK))

  /** Exactly these bytes; good until a few hundred more pieces were read. */
  function read(position: number, length: number): Uint8Array {
    const first = Math.floor(position / PIECE)
    const offset = position - first * PIECE
    if (offset + length <= PIECE) {
      const bytes = cache.piece(source, first).subarray(offset, offset + length)
      if (bytes.length < length) throw endsBefore(position + length)
      return bytes
    }
    const joined = Buffer.allocUnsafeSlow(length)
    readAll(joined, 0, length, position)
    return joined
  }

  function readAll(target: Uint8Array, at: number, length: number, position: number): void {
    if (source.readInto(target, at, length, position) < length) throw endsBefore(position + length)
  }

  function runsOf(file: ReadInode): Iterable<ChunkRun> {
    const { position, length } = chunkMapPlace(file)
    return decodeChunkMap(file, read(position, length), superblock)
  }

  function readChunks(file: ReadInode, target: Uint8Array, at: number, length: number, offset: number): void {
    const end = offset + length
    for (const { from, to, position } of runsOf(file)) {
      const [start, stop] = [Math.max(from, offset), Math.min(to, end)]
      if (start >= stop) continue
      const place = at + start - offset
      if (position === undefined) target.fill(0, place, place + stop - start)
      else readAll(target, place, stop - start, position + start - from)
    }
  }

  function readInto(one: ReadInode, target: Uint8Array, at: number, length: number, offset: number): void {
    if (offset < 0 || offset + length > one.size) throw damaged(`inode ${one.nid} ends before byte ${offset + length}`)
    if (one.chunkBits !== undefined) {
      readChunks(one, target, at, length, offset)
      return
    }
    const inlineFrom = one.inline ? one.size - (one.size % BLOCK) : one.size
    const whole = Math.max(0, Math.min(offset + length, inlineFrom) - offset)
    if (whole > 0) readAll(target, at, whole, one.startBlock * BLOCK + offset)
    if (whole === length) return
    const tail = one.position + INODE_SIZE + one.xattrBytes + offset + whole - inlineFrom
    target.set(read(tail, length - whole), at + whole)
  }

  return {
    root: superblock.root,
    inode: (nid) => decodeInode(nid, read(inodePosition(nid, superblock), INODE_SIZE), superblock),
    *entries(directory) {
      if (directory.type !== 'directory')
        throw damaged(`inode ${directory.nid} is a ${directory.type}, not a directory`)
      let previous = ''
      for (let offset = 0; offset < directory.size; offset += BLOCK) {
        const block = Buffer.allocUnsafe(Math.min(BLOCK, directory.size - offset))
        readInto(directory, block, 0, block.length, offset)
        for (const entry of decodeDirectoryBlock(block, directory.nid)) {
          if (previous !== '' && entry.name <= previous) throw damaged(`directory ${directory.nid} is not sorted`)
          previous = entry.name
          if (entry.name !== '.' && entry.name !== '..') yield entry
        }
      }
    },
    xattrs(one) {
      if (one.xattrBytes === 0) return new Map()
      const found = decodeXattrs(read(one.position + INODE_SIZE, one.xattrBytes))
      if (!found) throw damaged(`the extended attributes of inode ${one.nid}`)
      return found
    },
    extents(file) {
      if (file.chunkBits === undefined) return file.size === 0 ? [] : [{ offset: 0, length: file.size }]
      return extentsOfRuns(runsOf(file))
    },
    linkTarget(symlink) {
      const bytes = Buffer.allocUnsafe(symlink.size)
      readInto(symlink, bytes, 0, symlink.size, 0)
      return bytes.toString('latin1')
    },
    readInto,
  }
}

const endsBefore = (position: number) => damaged(`it ends before byte ${position}`)
