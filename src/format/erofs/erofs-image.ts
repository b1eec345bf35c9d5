import { CHUNK_ENTRY, type Extents, MAX_CHUNKS } from './chunk-map.ts'
import { crc32c } from './crc32c.ts'
import { DIRENT_SIZE } from './directory-blocks.ts'
import { createImageReader, damaged, type ImageReader } from './image-reader.ts'
import {
  BLOCK,
  COMPAT_CHECKSUM,
  decodeDevice,
  FEATURE_CHUNKED,
  FEATURES_OFFSET,
  getInt64,
  INODE_SIZE,
  type InodeType,
  LAYOUT_CHUNKED,
  LAYOUT_INLINE,
  LAYOUT_PLAIN,
  LINKS_OFFSET,
  MAGIC,
  NO_BLOCK,
  SLOT,
  SUPERBLOCK_AT,
  SUPERBLOCK_SIZE,
  TYPE_OF_DIRENT,
  typeOfMode,
} from './layout.ts'
import type { RandomSource } from './random-access.ts'
import { decodeXattrs } from './xattr-area.ts'

/** An inode of an EROFS image. Times are seconds since 1970, sizes bytes. */
export interface ImageInode {
  nid: number
  type: InodeType
  /** 07777. */
  permissions: number
  uid: number
  gid: number
  /** Bytes of a file, of a symlink's target, of a directory's blocks. */
  size: number
  mtime: number
  mtimeNanoseconds: number
  links: number
  deviceMajor: number
  deviceMinor: number
}

/** An entry of a directory of an EROFS image. */
export interface ImageEntry {
  name: string
  nid: number
  type: InodeType
}

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

interface Inode extends ImageInode {
  inline: boolean
  /** log2 of the blocks of a chunk, when the data is chunked. */
  chunkBits: number | undefined
  startBlock: number
  xattrBytes: number
  position: number
}

const DATA_PIECE = 1024 * 1024

/** Opens an image as `createErofsWriter` makes it (other EROFS features are refused). The source stays the caller's. */
export async function openErofs(source: RandomSource): Promise<ErofsImage> {
  const reader = createImageReader(source)
  const { root, blocks, chunked } = await readSuperblock(reader)

  async function inode(nid: number): Promise<Inode> {
    const position = nid * SLOT
    if (!Number.isSafeInteger(nid) || nid < 0 || position + INODE_SIZE > blocks * BLOCK)
      throw damaged(`inode ${nid} lies outside`)
    return decodeInode(nid, await reader.read(position, INODE_SIZE), { blocks, chunked })
  }

  /** The runs of a file's blocks: their positions, undefined for holes. */
  async function* chunkRuns(one: Inode): AsyncGenerator<{ from: number; to: number; position: number | undefined }> {
    const chunk = BLOCK * 2 ** one.chunkBits!
    const count = Math.ceil(one.size / chunk)
    const map = await reader.read(one.position + INODE_SIZE + one.xattrBytes, count * CHUNK_ENTRY)
    const view = new DataView(map.buffer, map.byteOffset, map.length)
    for (let index = 0; index < count; index++) {
      const start = view.getUint32(index * CHUNK_ENTRY, true)
      const from = index * chunk
      const to = Math.min(one.size, from + chunk)
      if (start !== NO_BLOCK && (start === 0 || start + Math.ceil((to - from) / BLOCK) > blocks))
        throw damaged(`the data of inode ${one.nid} is outside the image`)
      yield { from, to, position: start === NO_BLOCK ? undefined : start * BLOCK }
    }
  }

  async function* chunkedData(one: Inode, start: number, end: number, piece: number): AsyncGenerator<Uint8Array> {
    const zeros = Buffer.alloc(Math.min(piece, Math.max(0, end - start)))
    for await (const { from, to, position } of chunkRuns(one)) {
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
      const found: { offset: number; length: number }[] = []
      for await (const { from, to, position } of chunkRuns(one)) {
        if (position === undefined) continue
        const last = found.at(-1)
        if (last && last.offset + last.length === from) last.length += to - from
        else found.push({ offset: from, length: to - from })
      }
      return found
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

interface Superblock {
  root: number
  blocks: number
  chunked: boolean
}

async function readSuperblock(reader: ImageReader): Promise<Superblock> {
  const first = await reader.read(0, BLOCK)
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

function decodeInode(nid: number, bytes: Uint8Array, image: Pick<Superblock, 'blocks' | 'chunked'>): Inode {
  const view = new DataView(bytes.buffer, bytes.byteOffset, INODE_SIZE)
  const format = view.getUint16(0, true)
  const layout = format >> 1
  const mode = view.getUint16(4, true)
  const type = typeOfMode(mode)
  const inChunks = layout === LAYOUT_CHUNKED && image.chunked && type === 'file'
  if ((format & 1) === 0 || (layout !== LAYOUT_PLAIN && layout !== LAYOUT_INLINE && !inChunks) || !type)
    throw damaged(`inode ${nid} has the format ${format} and the mode ${mode.toString(8)}`)
  const count = view.getUint16(2, true)
  const xattrBytes = count === 0 ? 0 : 12 + (count - 1) * 4
  const size = getInt64(view, 8)
  const isDevice = type === 'character' || type === 'block'
  const raw = view.getUint32(16, true)
  const { major, minor } = isDevice ? decodeDevice(raw) : { major: 0, minor: 0 }
  const one: Inode = {
    nid,
    type,
    permissions: mode & 0o7777,
    uid: view.getUint32(24, true),
    gid: view.getUint32(28, true),
    size,
    mtime: getInt64(view, 32),
    mtimeNanoseconds: view.getUint32(40, true),
    links: view.getUint32(LINKS_OFFSET, true),
    deviceMajor: major,
    deviceMinor: minor,
    inline: layout === LAYOUT_INLINE,
    chunkBits: inChunks ? raw : undefined,
    startBlock: isDevice ? 0 : raw,
    xattrBytes,
    position: nid * SLOT,
  }
  if (inChunks) checkChunks(one, image.blocks)
  else checkExtent(one, image.blocks)
  return one
}

/** Checks that the inode's data is within the image, so that no size read from it can demand more memory or time than that. */
function checkExtent(one: Inode, blocks: number): void {
  const { size, nid } = one
  if (!Number.isSafeInteger(size) || size < 0) throw damaged(`inode ${nid} has a size of ${size}`)
  const tail = one.inline ? size % BLOCK : 0
  const inside = one.position + INODE_SIZE + one.xattrBytes + tail <= blocks * BLOCK
  const whole = Math.ceil((size - tail) / BLOCK)
  const fits = whole === 0 || (one.startBlock > 0 && one.startBlock + whole <= blocks)
  const hasData = one.type === 'file' || one.type === 'directory' || one.type === 'symlink'
  const tooLong = one.type === 'symlink' && size > BLOCK
  if (!inside || !fits || tooLong || (!hasData && size > 0))
    throw damaged(`the data of inode ${nid} is outside the image`)
  if (one.mtimeNanoseconds > 999_999_999) throw damaged(`inode ${nid} has ${one.mtimeNanoseconds} nanoseconds`)
}

/** Checks that the map is within the image; its entries are checked when read. */
function checkChunks({ chunkBits, size, position, xattrBytes, nid, mtimeNanoseconds }: Inode, blocks: number): void {
  if (!Number.isSafeInteger(size) || size < 0) throw damaged(`inode ${nid} has a size of ${size}`)
  const count = chunkBits! > 31 ? Number.POSITIVE_INFINITY : Math.ceil(size / (BLOCK * 2 ** chunkBits!))
  const end = position + INODE_SIZE + xattrBytes + count * CHUNK_ENTRY
  if (count > MAX_CHUNKS || end > blocks * BLOCK) throw damaged(`the map of inode ${nid} is outside the image`)
  if (mtimeNanoseconds > 999_999_999) throw damaged(`inode ${nid} has ${mtimeNanoseconds} nanoseconds`)
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

/** The names of one block (the used part of it, for the last). */
function* decodeDirectoryBlock(block: Uint8Array, directory: number): Generator<ImageEntry> {
  const view = new DataView(block.buffer, block.byteOffset, block.length)
  const wrong = () => damaged(`a block of directory ${directory}`)
  if (block.length < DIRENT_SIZE) throw wrong()
  const namesFrom = view.getUint16(8, true)
  if (namesFrom === 0 || namesFrom % DIRENT_SIZE !== 0 || namesFrom > block.length) throw wrong()
  const count = namesFrom / DIRENT_SIZE
  for (let index = 0; index < count; index++) {
    const at = index * DIRENT_SIZE
    const from = view.getUint16(at + 8, true)
    const to = index + 1 < count ? view.getUint16(at + DIRENT_SIZE + 8, true) : block.length
    if (from < namesFrom || to > block.length || from >= to) throw wrong()
    const bytes = Buffer.from(block.buffer, block.byteOffset + from, to - from)
    const end = index + 1 < count ? -1 : bytes.indexOf(0)
    const name = bytes.toString('latin1', 0, end < 0 ? bytes.length : end)
    const type = TYPE_OF_DIRENT[view.getUint8(at + 10)]
    if (name === '' || name.length > 255 || name.includes('/') || name.includes('\0') || !type) throw wrong()
    yield { name, nid: view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true), type }
  }
}
