import { BaleError } from '#base'

/**
 * The on-disk form, little endian, as the kernel reads it: superblock at byte 1024 of block 0, extended inodes of 64
 * bytes at byte `nid * 32` (meta_blkaddr is 0), data flat. No feature that an old kernel lacks: feature_incompat is 0,
 * except for images with sparse files, whose data is chunked (Linux 5.15).
 */
export const BLOCK = 4096
export const SLOT = 32
export const INODE_SIZE = 64
export const SUPERBLOCK_AT = 1024
export const SUPERBLOCK_SIZE = 128
export const MAGIC = 0xe0f5e1e2
/** The superblock carries a crc32c of block 0 after byte 1024. */
export const COMPAT_CHECKSUM = 1
/** Inode times are modification times (what mkfs sets too). */
export const COMPAT_MTIME = 2
/** The root inode directly follows the superblock: its number must fit in 16 bits. */
export const ROOT_AT = SUPERBLOCK_AT + SUPERBLOCK_SIZE
export const ROOT_NID = ROOT_AT / SLOT
export const ROOT_XATTR_LIMIT = BLOCK - ROOT_AT - INODE_SIZE
export const NO_BLOCK = 0xffffffff
export const LAYOUT_PLAIN = 0
export const LAYOUT_INLINE = 2
export const LAYOUT_CHUNKED = 4
/** Offset of feature_incompat in the superblock, and its bit for images that have chunked files. */
export const FEATURES_OFFSET = 80
export const FEATURE_CHUNKED = 4
export const MAX_NAME = 255

/** The kind of file that an inode is. */
export type InodeType = 'file' | 'directory' | 'symlink' | 'character' | 'block' | 'fifo' | 'socket'

/** File type bits of `st_mode`, and the type number of a directory entry. */
export const TYPES: Readonly<Record<InodeType, { mode: number; dirent: number }>> = {
  file: { mode: 0o100000, dirent: 1 },
  directory: { mode: 0o040000, dirent: 2 },
  character: { mode: 0o020000, dirent: 3 },
  block: { mode: 0o060000, dirent: 4 },
  fifo: { mode: 0o010000, dirent: 5 },
  socket: { mode: 0o140000, dirent: 6 },
  symlink: { mode: 0o120000, dirent: 7 },
}

export const TYPE_OF_DIRENT: readonly (InodeType | undefined)[] = [
  undefined,
  'file',
  'directory',
  'character',
  'block',
  'fifo',
  'socket',
  'symlink',
]

/** By the type bits as a number of 0 … 15: it is asked for every inode. */
const TYPE_OF_MODE: readonly (InodeType | undefined)[] = Array.from({ length: 16 }, (_, bits) =>
  (Object.keys(TYPES) as InodeType[]).find((type) => TYPES[type].mode === bits << 12),
)

export function typeOfMode(mode: number): InodeType | undefined {
  return TYPE_OF_MODE[(mode & 0o170000) >> 12]
}

export interface InodeAttributes {
  type: InodeType
  /** 07777. */
  permissions: number
  uid: number
  gid: number
  /** Seconds since 1970, may be negative. */
  mtime: number
  /** 0 … 999 999 999, counted upward from `mtime`. */
  mtimeNanoseconds: number
  deviceMajor?: number
  deviceMinor?: number
}

interface InodeFields extends InodeAttributes {
  layout: typeof LAYOUT_PLAIN | typeof LAYOUT_INLINE | typeof LAYOUT_CHUNKED
  size: number
  /** First block of the data, NO_BLOCK when there is none; of a chunked file log2 of a chunk's blocks. */
  startBlock: number
  xattrBytes: number
  links: number
  /** Running number; what stat(2) shows comes from the nid. */
  number: number
}

/** Offset of the link count in an inode. */
export const LINKS_OFFSET = 44

export function encodeInode(fields: InodeFields, target: Uint8Array, at: number): void {
  const view = new DataView(target.buffer, target.byteOffset + at, INODE_SIZE)
  view.setUint16(0, 1 | (fields.layout << 1), true)
  view.setUint16(2, fields.xattrBytes === 0 ? 0 : (fields.xattrBytes - 12) / 4 + 1, true)
  view.setUint16(4, TYPES[fields.type].mode | (fields.permissions & 0o7777), true)
  view.setUint16(6, 0, true)
  setUint64(view, 8, fields.size)
  const isDevice = fields.type === 'character' || fields.type === 'block'
  view.setUint32(
    16,
    isDevice ? encodeDevice(fields.deviceMajor ?? 0, fields.deviceMinor ?? 0) : fields.startBlock,
    true,
  )
  view.setUint32(20, fields.number >>> 0, true)
  view.setUint32(24, fields.uid, true)
  view.setUint32(28, fields.gid, true)
  setUint64(view, 32, fields.mtime)
  view.setUint32(40, fields.mtimeNanoseconds, true)
  view.setUint32(LINKS_OFFSET, fields.links, true)
  for (let offset = 48; offset < INODE_SIZE; offset += 4) view.setUint32(offset, 0, true)
}

/** Two's complement for negative values; exact for safe integers. */
function setUint64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true)
  view.setInt32(at + 4, Math.floor(value / 2 ** 32), true)
}

export function getInt64(view: DataView, at: number): number {
  return view.getInt32(at + 4, true) * 2 ** 32 + view.getUint32(at, true)
}

/** The kernel's 32-bit device number: 12 bits of major, 20 bits of minor. */
function encodeDevice(major: number, minor: number): number {
  if (!(major >= 0 && major < 4096 && minor >= 0 && minor < 1 << 20))
    throw new BaleError('INVALID_TAR', `device number ${major}:${minor} is out of range`)
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0
}

export function decodeDevice(device: number): { major: number; minor: number } {
  return { major: (device >>> 8) & 0xfff, minor: (device & 0xff) | ((device >>> 12) & 0xfff00) }
}
