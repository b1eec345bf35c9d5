import { type BigIntStats, closeSync, constants, lstatSync, openSync } from 'node:fs'
import { errnoOf } from '#base'
import { linkTarget, readXattrs, sparseExtents } from '#host'
import { toBytes } from './byte-path.ts'

/** An entry of a tree; sockets do not appear. */
export interface TreeEntry {
  type: 'file' | 'directory' | 'symlink' | 'character' | 'block' | 'fifo'
  mode: number
  uid: number
  gid: number
  size: number
  /** Where a file that is mostly holes has data. */
  sparse?: readonly { offset: number; length: number }[]
  mtime: number
  mtimeNanoseconds: number
  /** latin1, of a symlink. */
  linkName: string
  deviceMajor: number
  deviceMinor: number
  xattrs: Map<string, Uint8Array>
  /** Same text for hard links of one file; undefined when there is one name only. */
  inode: string | undefined
  /** An ignored directory that is visible only because something below it may not be ignored. */
  isPassage?: boolean
}

/** The descriptor is of a directory in the tree; calls that do not follow the last component cannot lead out of it. */
export function entryPlace(descriptor: number, name: string): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${descriptor}/`), toBytes(name)])
}

/** What is at this place; undefined for nothing and for a socket. */
export function readEntry(place: Buffer, ownedByRoot: boolean): TreeEntry | undefined {
  const stats = lstatSync(place, { bigint: true, throwIfNoEntry: false })
  const type = stats && typeOf(stats)
  const linkName = type === 'symlink' ? linkTarget(place) : ''
  if (!stats || !type || linkName === undefined) return undefined
  const isDevice = type === 'character' || type === 'block'
  return {
    type,
    mode: Number(stats.mode & 0o7777n),
    uid: ownedByRoot ? 0 : Number(stats.uid),
    gid: ownedByRoot ? 0 : Number(stats.gid),
    size: type === 'file' ? Number(stats.size) : 0,
    ...(type === 'file' && sparseOf(place, Number(stats.size))),
    mtime: Number(floorDivide(stats.mtimeNs, 1_000_000_000n)),
    mtimeNanoseconds: Number(((stats.mtimeNs % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n),
    linkName,
    deviceMajor: isDevice ? Number(((stats.rdev >> 8n) & 0xfffn) | ((stats.rdev >> 32n) & ~0xfffn)) : 0,
    deviceMinor: isDevice ? Number((stats.rdev & 0xffn) | ((stats.rdev >> 12n) & ~0xffn)) : 0,
    xattrs: copiedXattrs(place, type),
    inode: type === 'file' && stats.nlink > 1n ? `${stats.dev}:${stats.ino}` : undefined,
  }
}

function sparseOf(place: Buffer, size: number): Pick<TreeEntry, 'sparse'> {
  const sparse = extentsOf(place, size)
  return sparse ? { sparse } : {}
}

/** Only for a large file; what it became since it was listed is noticed when it is read. */
function extentsOf(place: Buffer, size: number): TreeEntry['sparse'] {
  if (size < 1 << 20) return undefined
  try {
    const descriptor = openSync(place, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      return sparseExtents(descriptor, size)
    } finally {
      closeSync(descriptor)
    }
  } catch (error) {
    if (isMissing(error) || errnoOf(error) === 'ELOOP' || errnoOf(error) === 'EACCES') return undefined
    throw error
  }
}

/** Capabilities and user attributes go along; what belongs to overlayfs or to the host's policy does not (T11). */
function copiedXattrs(place: Buffer, type: TreeEntry['type']): Map<string, Uint8Array> {
  if (type !== 'file' && type !== 'directory') return new Map()
  const kept = [...readXattrs(place)].filter(
    ([name]) => name === 'security.capability' || (name.startsWith('user.') && !name.startsWith('user.overlay.')),
  )
  return new Map(kept)
}

function typeOf(stats: BigIntStats): TreeEntry['type'] | undefined {
  if (stats.isFile()) return 'file'
  if (stats.isDirectory()) return 'directory'
  if (stats.isSymbolicLink()) return 'symlink'
  if (stats.isCharacterDevice()) return 'character'
  if (stats.isBlockDevice()) return 'block'
  return stats.isFIFO() ? 'fifo' : undefined
}

function floorDivide(value: bigint, by: bigint): bigint {
  return value >= 0n ? value / by : -((-value + by - 1n) / by)
}

export function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')
}
