import {
  type BigIntStats,
  closeSync,
  constants,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
} from 'node:fs'
import { BaleError, errnoOf, followLinks, printable } from '#base'
import { openRoot, type RootDirectory, readXattrs, sparseExtents } from '#host'
import { unreadable } from '#rootfs'
import { baseName, cleanPath, joinPath, parentOf, toBytes, toText } from './byte-path.ts'
import { createPatternSet, type PatternSet } from './pattern-set.ts'

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

/**
 * A directory that files are copied from: a build context, a stage, an image. What `ignored` matches is invisible: neither
 * listed nor opened nor reached through a link (B08). Every path is resolved inside the directory, also when somebody swaps
 * parts of it for links during the build (B07).
 */
export interface SourceTree extends Disposable {
  /** For messages: `the build context`, `stage build`. */
  readonly label: string
  /** Undefined when absent. Links are not followed. */
  entry(path: string): TreeEntry | undefined
  /** The names in a directory, sorted, with their entries. */
  list(path: string): { name: string; entry: TreeEntry }[]
  /** Resolves a path, following all links inside the tree; undefined when absent. */
  follow(path: string): string | undefined
  /**
   * The bytes of a regular file, in chunks; `size` as listed, at most one byte more. That it is shorter or longer now is the
   * reader's to notice.
   * With `sparse` only the bytes of these extents.
   */
  read(path: string, entry: Pick<TreeEntry, 'size' | 'sparse'>): Iterable<Uint8Array>
  isIgnored(path: string): boolean
}

export interface SourceTreeOptions {
  label: string
  /** Patterns of a .dockerignore. */
  ignore?: readonly string[]
  /** Files of a directory on the host belong to root in the image. */
  ownedByRoot?: boolean
}

const CHUNK = 1 << 18

export function openSourceTree(
  directory: string,
  { label, ignore = [], ownedByRoot = false }: SourceTreeOptions,
): SourceTree {
  const root: RootDirectory = openRoot(directory)
  const patterns: PatternSet | undefined = ignore.length > 0 ? createPatternSet(ignore) : undefined
  // Patterns are text, paths are bytes.
  const hidden = (path: string) => path !== '' && (patterns?.matches(toText(path)) ?? false)
  /** An ignored directory is still there when an exception may lead into it. */
  const visible = (path: string, entry: TreeEntry | undefined): TreeEntry | undefined => {
    if (!entry || !hidden(path)) return entry
    const leads = entry.type === 'directory' && patterns!.mayExceptBelow(toText(path))
    return leads ? { ...entry, isPassage: true } : undefined
  }

  const withDirectory = <T>(path: string, act: (descriptor: number) => T): T => {
    const descriptor = root.open(path === '' ? '/' : toBytes(path), constants.O_RDONLY | constants.O_DIRECTORY)
    try {
      return act(descriptor)
    } catch (error) {
      throw unreadable(error, `/proc/self/fd/${descriptor}`)
    } finally {
      closeSync(descriptor)
    }
  }
  const entryAt = (descriptor: number, name: string) => readEntry(entryPlace(descriptor, name), ownedByRoot)
  const entry = (path: string): TreeEntry | undefined => {
    const name = path === '' ? '.' : path.slice(path.lastIndexOf('/') + 1)
    try {
      return visible(
        path,
        withDirectory(parentOf(path), (descriptor) => entryAt(descriptor, name)),
      )
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }
  /** Files are read directory by directory: the directory's descriptor is kept. */
  let lastDirectory: { path: string; descriptor: number } | undefined
  const directoryOf = (path: string): number => {
    const directory = parentOf(path)
    if (lastDirectory?.path === directory) return lastDirectory.descriptor
    if (lastDirectory) closeSync(lastDirectory.descriptor)
    lastDirectory = undefined
    const descriptor = root.open(
      directory === '' ? '/' : toBytes(directory),
      constants.O_RDONLY | constants.O_DIRECTORY,
    )
    lastDirectory = { path: directory, descriptor }
    return descriptor
  }
  /** Refuses what became a link since it was listed. */
  const openFile = (path: string): number => {
    const place = entryPlace(directoryOf(path), baseName(path))
    try {
      return openSync(place, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY)
    } catch (error) {
      if (errnoOf(error) !== 'ELOOP') throw error
      throw new BaleError('BUILD_FAILED', `${shown(path)} became a symbolic link while it was being copied`, {
        cause: error,
      })
    }
  }
  const follow = (path: string): string | undefined => {
    const look = (at: string, isLast: boolean) => {
      const found = entry(at)
      if (found?.type === 'symlink') return { link: found.linkName }
      return found && (isLast || found.type === 'directory') ? {} : undefined
    }
    const tooMany = () => new BaleError('BUILD_FAILED', `${shown(path)}: too many levels of symbolic links in ${label}`)
    return followLinks(cleanPath(path), { look, tooMany })
  }
  return {
    label,
    entry,
    follow,
    isIgnored: hidden,
    list: (path) =>
      withDirectory(path, (descriptor) =>
        readdirSync(`/proc/self/fd/${descriptor}`, { encoding: 'latin1' as BufferEncoding })
          .sort()
          .flatMap((name) => {
            const found = visible(joinPath(path, name), entryAt(descriptor, name))
            return found ? { name, entry: found } : []
          }),
      ),
    *read(path, { size, sparse }) {
      const descriptor = openFile(path)
      try {
        if (sparse) return yield* readExtents(descriptor, sparse)
        for (let left = size; ; ) {
          // One byte more than announced, so that a file that grew is noticed; a short read is the end of a regular file.
          const chunk = Buffer.allocUnsafe(Math.min(CHUNK, Math.max(0, left) + 1))
          const length = readSync(descriptor, chunk)
          if (length > 0) yield chunk.subarray(0, length)
          left -= length
          // One that grows without end, or is of /proc and says nothing of its size, is not read on for ever.
          if (length < chunk.length || left < 0) return
        }
      } catch (error) {
        throw unreadable(error, `/proc/self/fd/${descriptor}`)
      } finally {
        closeSync(descriptor)
      }
    },
    [Symbol.dispose]() {
      if (lastDirectory) closeSync(lastDirectory.descriptor)
      lastDirectory = undefined
      root[Symbol.dispose]()
    },
  }
}

function* readExtents(descriptor: number, extents: NonNullable<TreeEntry['sparse']>): Generator<Uint8Array> {
  for (const { offset, length } of extents) {
    for (let done = 0; done < length; ) {
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK, length - done))
      const count = readSync(descriptor, chunk, 0, chunk.length, offset + done)
      if (count === 0) return
      yield chunk.subarray(0, count)
      done += count
    }
  }
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

/** The descriptor is of a directory in the tree; calls that do not follow the last component cannot lead out of it. */
function entryPlace(descriptor: number, name: string): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${descriptor}/`), toBytes(name)])
}

function readEntry(place: Buffer, ownedByRoot: boolean): TreeEntry | undefined {
  const stats = lstatSync(place, { bigint: true, throwIfNoEntry: false })
  const type = stats && typeOf(stats)
  if (!stats || !type) return undefined
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
    linkName: type === 'symlink' ? readlinkSync(place, 'latin1' as BufferEncoding) : '',
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

function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')
}

export function shown(path: string): string {
  return printable(`/${toText(path)}`)
}
