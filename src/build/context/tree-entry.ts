import { closeSync, constants, openSync } from 'node:fs'
import { errnoOf } from '#base'
import { type FileIdentity, hasXattrs, linkTarget, readXattrs, SMALLEST_SPARSE, sparseExtents, statEntry } from '#host'
import { toBytes } from './byte-path.ts'
import type { FileDigests } from './file-digests.ts'

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
  xattrs: ReadonlyMap<string, Uint8Array>
  /** Same text for hard links of one file; undefined when there is one name only. */
  inode: string | undefined
  /** Of a file whose digest is remembered between builds: the digest, or to remember it by, what the file was when it was listed. */
  known?: { digest?: string; identity?: FileIdentity | undefined }
  /** An ignored directory that is visible only because something below it may not be ignored. */
  isPassage?: boolean
}

/** The descriptor is of a directory in the tree; calls that do not follow the last component cannot lead out of it. */
function entryPlace(descriptor: number, name: string): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${descriptor}/`), toBytes(name)])
}

export interface ReadEntryOptions {
  /** Files of a directory on the host belong to root in the image. */
  ownedByRoot: boolean
  /** Of files in this directory. */
  digests: FileDigests | undefined
  /** Identity of the directory: a file that is mounted over one in it is on another device. */
  device: FileIdentity | undefined
}

/** What is in an open directory under this name; undefined for nothing and for a socket. */
export function readEntry(directory: number, name: string, options: ReadEntryOptions): TreeEntry | undefined {
  const stat = statEntry(directory, name)
  if (!stat || stat.type === 'socket') return undefined
  const { type, mode, size, links, mtime, mtimeNanoseconds, identity } = stat
  const { ownedByRoot, device } = options
  const isHere = device !== undefined && identity[0] === device[0] && identity[1] === device[1]
  const digests = isHere ? options.digests : undefined
  const linkName = type === 'symlink' ? linkTarget(entryPlace(directory, name)) : ''
  if (linkName === undefined) return undefined
  const isFile = type === 'file'
  const isDevice = type === 'character' || type === 'block'
  const sparse = isFile && size >= SMALLEST_SPARSE ? extentsOf(entryPlace(directory, name), size) : undefined
  const digest = isFile && !sparse ? digests?.find(identity) : undefined
  const entry: TreeEntry = {
    type,
    mode,
    uid: ownedByRoot ? 0 : stat.uid,
    gid: ownedByRoot ? 0 : stat.gid,
    size: isFile ? size : 0,
    mtime,
    mtimeNanoseconds,
    linkName,
    deviceMajor: isDevice ? stat.deviceMajor : 0,
    deviceMinor: isDevice ? stat.deviceMinor : 0,
    // A change of attributes changes the time by which the digest was found, and it was kept of a file without any.
    xattrs: digest === undefined ? copiedXattrs(directory, name, type) : NO_XATTRS,
    inode: isFile && links > 1 ? identity.subarray(0, 4).join(':') : undefined,
  }
  if (sparse) entry.sparse = sparse
  else if (isFile && digests && entry.xattrs.size === 0)
    entry.known = digest === undefined ? { identity: identity.slice() } : { digest }
  return entry
}

const NO_XATTRS: ReadonlyMap<string, Uint8Array> = new Map()

/** What it became since it was listed is noticed when it is read. */
function extentsOf(place: Buffer, size: number): TreeEntry['sparse'] {
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
function copiedXattrs(directory: number, name: string, type: TreeEntry['type']): ReadonlyMap<string, Uint8Array> {
  if (type !== 'file' && type !== 'directory') return NO_XATTRS
  if (!hasXattrs(directory, name)) return NO_XATTRS
  const all = readXattrs(entryPlace(directory, name))
  const kept = [...all].filter(
    ([name]) => name === 'security.capability' || (name.startsWith('user.') && !name.startsWith('user.overlay.')),
  )
  return new Map(kept)
}

export function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')
}
