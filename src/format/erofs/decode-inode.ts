import { CHUNK_ENTRY, MAX_CHUNKS } from './chunk-map.ts'
import type { Superblock } from './decode-superblock.ts'
import { damaged } from './image-reader.ts'
import {
  BLOCK,
  decodeDevice,
  getInt64,
  INODE_SIZE,
  type InodeType,
  LAYOUT_CHUNKED,
  LAYOUT_INLINE,
  LAYOUT_PLAIN,
  LINKS_OFFSET,
  SLOT,
  typeOfMode,
} from './layout.ts'

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

/** With the places of its data. */
export interface Inode extends ImageInode {
  inline: boolean
  /** log2 of the blocks of a chunk, when the data is chunked. */
  chunkBits: number | undefined
  startBlock: number
  xattrBytes: number
  position: number
}

/** Where the inode of a number lies. */
export function inodePosition(nid: number, { blocks }: Pick<Superblock, 'blocks'>): number {
  const position = nid * SLOT
  if (!Number.isSafeInteger(nid) || nid < 0 || position + INODE_SIZE > blocks * BLOCK)
    throw damaged(`inode ${nid} lies outside`)
  return position
}

export function decodeInode(nid: number, bytes: Uint8Array, image: Pick<Superblock, 'blocks' | 'chunked'>): Inode {
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
