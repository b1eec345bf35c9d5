import { closeSync, constants, fstatSync, openSync, read, readSync } from 'node:fs'
import { promisify } from 'node:util'
import { errnoOf } from '#base'
import type { FileBytes, NewTarEntry } from '#format/tar'
import { linkTarget, readXattrs, sparseExtents, type WalkedFile } from '#host'
import { unreadable } from './unreadable-layer.ts'

const SECOND = 1_000_000_000n

/** For `packTar`, which waits for each piece, and for `packTarAtOnce`. */
export interface PackedFile {
  entry: NewTarEntry
  data?: Uint8Array | LargeFile
}

/**
 * A file of a directory as a tar entry, data included; undefined for sockets, which no tar holds, and for a file that went
 * away since it was listed. A file is opened here, so that one which goes away later is still whole: its data must be
 * read or disposed of, or the descriptor stays open.
 */
export function packFile(file: WalkedFile, hardLinks: Map<string, string>): PackedFile | undefined {
  try {
    return packThere(file, hardLinks)
  } catch (error) {
    // ELOOP, ENXIO: it was replaced by a link or a fifo.
    if (!['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO', 'ESTALE'].includes(errnoOf(error) ?? ''))
      throw unreadable(error, file.safePath)
    return undefined
  }
}

function packThere(file: WalkedFile, hardLinks: Map<string, string>): PackedFile | undefined {
  const { stat, path } = file
  const type = typeOf(stat)
  if (type === undefined) return undefined
  const seconds = stat.mtimeNs / SECOND - (stat.mtimeNs % SECOND < 0n ? 1n : 0n)
  const entry: NewTarEntry = {
    name: path,
    type,
    mode: Number(stat.mode & 0o7777n),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    mtime: Number(seconds),
    mtimeNanoseconds: Number(stat.mtimeNs - seconds * SECOND),
  }
  if (type !== 'directory' && stat.nlink > 1n) {
    const key = `${stat.dev}:${stat.ino}`
    const first = hardLinks.get(key)
    if (first !== undefined) return { entry: { ...entry, type: 'hardlink', linkName: first } }
    const packed = packOne(file, entry)
    if (packed) hardLinks.set(key, path)
    return packed
  }
  return packOne(file, entry)
}

function packOne({ stat, safePath }: WalkedFile, entry: NewTarEntry): PackedFile | undefined {
  const { type } = entry
  if (type === 'symlink') {
    const linkName = linkTarget(safePath)
    return linkName === undefined ? undefined : { entry: { ...entry, linkName } }
  }
  entry.xattrs = keptXattrs(readXattrs(safePath))
  if (type === 'character' || type === 'block')
    return { entry: { ...entry, deviceMajor: majorOf(stat.rdev), deviceMinor: minorOf(stat.rdev) } }
  return type === 'file' ? fileWithData(safePath, entry) : { entry }
}

function fileWithData(safePath: Buffer, entry: NewTarEntry): PackedFile | undefined {
  const fd = openSync(safePath, OPEN_FILE)
  let kept = false
  try {
    const stat = fstatSync(fd)
    if (!stat.isFile()) return undefined
    const { size } = stat
    if (size <= SMALL) return { entry: { ...entry, size }, ...(size > 0 && { data: smallFile(fd, size) }) }
    const sparse = sparseExtents(fd, size)
    kept = true
    return { entry: { ...entry, size, sparse }, data: largeFile(fd, sparse ?? [{ offset: 0, length: size }]) }
  } finally {
    if (!kept) closeSync(fd)
  }
}

function typeOf(stat: WalkedFile['stat']): NewTarEntry['type'] | undefined {
  if (stat.isFile()) return 'file'
  if (stat.isDirectory()) return 'directory'
  if (stat.isSymbolicLink()) return 'symlink'
  if (stat.isCharacterDevice()) return 'character'
  if (stat.isBlockDevice()) return 'block'
  return stat.isFIFO() ? 'fifo' : undefined
}

/** Overlayfs records its own state in attributes of the upper directory; a layer must not carry them. */
export function keptXattrs(xattrs: Map<string, Uint8Array>): Map<string, Uint8Array> {
  const kept = [...xattrs].filter(([name]) => !/^(trusted|user)\.overlay\./.test(name) && name !== 'security.selinux')
  return new Map(kept.sort(([a], [b]) => (a < b ? -1 : 1)))
}

const majorOf = (device: bigint) => Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn))
const minorOf = (device: bigint) => Number((device & 0xffn) | ((device >> 12n) & ~0xffn))

const PIECE = 1024 * 1024
/** Up to here a file is read at once: a trip to libuv's threads costs more than the read (45 µs a file, measured). */
const SMALL = 64 * 1024
const readPiece = promisify(read)

/** Exactly `size` bytes, as the header says: a file that grew is cut, one that shrank is filled with zeros (as tar does). */
function smallFile(fd: number, size: number): Uint8Array {
  const buffer = Buffer.allocUnsafe(size)
  readNow(fd, buffer, 0, size, 0)
  return buffer
}

const OPEN_FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

type Extents = NonNullable<NewTarEntry['sparse']>

/** As `smallFile`, the extents' bytes in pieces, once; closes the descriptor at their end, or when it is disposed of. */
function largeFile(fd: number, extents: Extents): LargeFile {
  let isOpen = true
  const close = () => {
    if (isOpen) closeSync(fd)
    isOpen = false
  }
  return {
    [Symbol.asyncIterator]: () => readExtents(fd, extents, close),
    readInto: (target, at, length, offset) => readNow(fd, target, at, length, offset),
    [Symbol.dispose]: close,
  }
}

/** Read from front to back by an iteration, or anywhere by calls. */
interface LargeFile extends AsyncIterable<Uint8Array>, FileBytes {
  [Symbol.dispose](): void
}

function readNow(fd: number, target: Uint8Array, at: number, length: number, offset: number): void {
  try {
    for (let done = 0; done < length; ) {
      const count = readSync(fd, target, at + done, length - done, offset + done)
      if (count === 0) {
        target.fill(0, at + done, at + length)
        return
      }
      done += count
    }
  } catch (error) {
    throw unreadable(error, `/proc/self/fd/${fd}`)
  }
}

async function* readExtents(fd: number, extents: Extents, close: () => void): AsyncGenerator<Uint8Array> {
  try {
    for (const { offset, length } of extents) {
      const end = offset + length
      for (let position = offset; position < end; ) {
        const buffer = Buffer.allocUnsafeSlow(Math.min(PIECE, end - position))
        const { bytesRead } = await readPiece(fd, buffer, 0, buffer.length, position)
        if (bytesRead === 0) buffer.fill(0)
        const bytes = bytesRead === 0 ? buffer : buffer.subarray(0, bytesRead)
        yield bytes
        position += bytes.length
      }
    }
  } catch (error) {
    throw unreadable(error, `/proc/self/fd/${fd}`)
  } finally {
    close()
  }
}
