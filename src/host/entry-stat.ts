import { constants } from 'node:fs'
import { errnoOf } from '#base'
import { O_CLOEXEC, openAt, SystemError, statxAt } from './kernel/syscalls.ts'

/**
 * What a file is until its data or attributes change: device, inode, size, and the times of the last change of data and of
 * anything, as the kernel gives them. Its words, in order: device (major, minor), inode, size, seconds and nanoseconds of mtime, and
 * of ctime; values of 64 bits are two words, the low one first.
 */
export type FileIdentity = Uint32Array

export const IDENTITY_WORDS = 12

/** Filled anew by every call, its identity too: for trees of many files. */
export interface EntryStat {
  type: 'file' | 'directory' | 'symlink' | 'character' | 'block' | 'fifo' | 'socket'
  /** Permissions, with the bits for set-user-ID, set-group-ID and sticky. */
  mode: number
  links: number
  uid: number
  gid: number
  /** Bytes. */
  size: number
  /** Seconds since 1970, rounded down, and 0 … 999 999 999 nanoseconds. */
  mtime: number
  mtimeNanoseconds: number
  /** Of a device. */
  deviceMajor: number
  deviceMinor: number
  identity: FileIdentity
}

const TYPES = new Map<number, EntryStat['type']>([
  [constants.S_IFREG, 'file'],
  [constants.S_IFDIR, 'directory'],
  [constants.S_IFLNK, 'symlink'],
  [constants.S_IFCHR, 'character'],
  [constants.S_IFBLK, 'block'],
  [constants.S_IFIFO, 'fifo'],
  [constants.S_IFSOCK, 'socket'],
])

/** struct statx, in words of 32 bits; both architectures are little-endian. */
const struct = new Uint8Array(256)
const words = new Uint32Array(struct.buffer)
const signed = new Int32Array(struct.buffer)
const LINKS = 4
const UID = 5
const GID = 6
const MODE = 7
const INODE = 8
const SIZE = 10
const CTIME = 24
const MTIME = 28
const RDEV = 32
const DEVICE = 34

const NAME_MAX = 255
const name = Buffer.alloc(NAME_MAX + 1)
const NO_NAME = Buffer.alloc(1)
/** Names that no entry has, or that lead out. */
const NO_ENTRY = /^$|^\.\.$|[/\0]/

/**
 * An entry of a directory by its name as latin1, links not followed; undefined when there is none. Nothing outside the directory
 * can be named. Three times as fast as lstat of a path below /proc/self/fd.
 */
export function statEntry(directory: number, latin1: string): EntryStat | undefined {
  if (!putName(latin1)) return undefined
  try {
    statxAt(directory, name, struct)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined
    throw error
  }
  return readStruct()
}

function putName(latin1: string): boolean {
  if (latin1.length > NAME_MAX || NO_ENTRY.test(latin1)) return false
  name[name.write(latin1, 0, 'latin1')] = 0
  return true
}

/**
 * An entry of a directory, open for reading; a link is ELOOP, a fifo or device does not block. Throws ENOENT for a name that leads
 * elsewhere.
 */
export function openEntry(directory: number, latin1: string): number {
  if (!putName(latin1)) throw new SystemError(ENOENT, 'openat', latin1)
  return openAt(directory, name, OPEN_ENTRY)
}

const ENOENT = 2
const OPEN_ENTRY = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY | O_CLOEXEC

/** What a descriptor is of. */
export function statDescriptor(descriptor: number): EntryStat {
  statxAt(descriptor, NO_NAME, struct)
  return readStruct()
}

function readStruct(): EntryStat {
  const typeAndMode = words[MODE]! & 0xffff
  const { identity } = stat
  identity[0] = words[DEVICE]!
  identity[1] = words[DEVICE + 1]!
  identity[2] = words[INODE]!
  identity[3] = words[INODE + 1]!
  identity[4] = words[SIZE]!
  identity[5] = words[SIZE + 1]!
  for (let word = 0; word < 3; word++) {
    identity[6 + word] = words[MTIME + word]!
    identity[9 + word] = words[CTIME + word]!
  }
  stat.type = TYPES.get(typeAndMode & constants.S_IFMT)!
  stat.mode = typeAndMode & 0o7777
  stat.links = words[LINKS]!
  stat.uid = words[UID]!
  stat.gid = words[GID]!
  stat.size = words[SIZE]! + words[SIZE + 1]! * 2 ** 32
  stat.mtime = words[MTIME]! + signed[MTIME + 1]! * 2 ** 32
  stat.mtimeNanoseconds = words[MTIME + 2]!
  stat.deviceMajor = words[RDEV]!
  stat.deviceMinor = words[RDEV + 1]!
  return stat
}

const stat: EntryStat = {
  ...{ type: 'file', mode: 0, links: 0, uid: 0, gid: 0, size: 0, mtime: 0, mtimeNanoseconds: 0 },
  ...{ deviceMajor: 0, deviceMinor: 0, identity: new Uint32Array(IDENTITY_WORDS) },
}

/** Seconds since 1970 of the last change of anything about the file. */
export function changedAt(identity: FileIdentity): number {
  return identity[9]! + (identity[10]! | 0) * 2 ** 32 + identity[11]! / 1e9
}

export function isSameFile(one: FileIdentity, other: FileIdentity): boolean {
  for (let word = 0; word < IDENTITY_WORDS; word++) if (one[word] !== other[word]) return false
  return true
}
