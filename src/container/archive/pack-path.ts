import { closeSync, constants, lstatSync, statfsSync } from 'node:fs'
import { basename, dirname, normalize } from 'node:path'
import { BaleError, errnoOf, printable } from '#base'
import type { PackedEntry } from '#format/tar'
import { O_PATH, type RootDirectory, resolveInside, type WalkedFile } from '#host'
import { packFile, walkTree } from '#rootfs'
import { isKernelFileSystem, kernelFileBytes } from './kernel-files.ts'

export interface PathStat {
  /** Base name of the requested path. */
  name: string
  /** Bytes; 0 for all but files. */
  size: number
  /** Permission bits. */
  mode: number
  type: 'file' | 'directory' | 'symlink' | 'other'
  /** Milliseconds since 1970. */
  modified: number
  /** Where a link leads. */
  linkTarget?: string
}

/** The file at a path of a root; a link at the end is itself, unless the path ends in a slash. Throws PATH_NOT_FOUND. */
export function statPath(root: RootDirectory, path: string, options: { follow?: boolean } = {}): PathStat {
  const follow = options.follow || path.endsWith('/') || path.endsWith('/.')
  const stats = reading(path, () => root.stat(path, { follow }))
  const type = stats.isFile()
    ? 'file'
    : stats.isDirectory()
      ? 'directory'
      : stats.isSymbolicLink()
        ? 'symlink'
        : 'other'
  return {
    name: basename(normalize(path)),
    size: stats.isFile() ? stats.size : 0,
    mode: stats.mode & 0o7777,
    type,
    modified: stats.mtimeMs,
    ...(type === 'symlink' && { linkTarget: reading(path, () => root.readlink(path)).toString() }),
  }
}

/**
 * One path of a root as a tar whose names begin with `name`. Everything is read by descriptors found inside the root, so
 * that links swapped during the walk lead nowhere else (R04). `follow` resolves a link at the end. Files below the mount
 * points of the kernel's file systems (/proc, /sys, /dev) are included only when the path itself leads there.
 */
export async function* packPath(
  root: RootDirectory,
  path: string,
  name: string,
  options: { follow?: boolean } = {},
): AsyncGenerator<Uint8Array> {
  const { type } = statPath(root, path, options)
  const { packTar } = await import('#format/tar')
  if (type === 'directory') yield* packTar(directoryEntries(root, path, name))
  else yield* packTar(fileEntries(root, options.follow ? reading(path, () => resolveInside(root, path)) : path, name))
}

async function* directoryEntries(root: RootDirectory, path: string, name: string): AsyncGenerator<PackedEntry> {
  const fd = reading(path, () => root.open(path, O_PATH | constants.O_DIRECTORY))
  try {
    const hardLinks = new Map<string, string>()
    const own = Buffer.from(`/proc/self/fd/${fd}/.`)
    const stat = lstatSync(own, { bigint: true })
    const kernel = kernelDevices(fd, stat.dev, normalize(path) === '/')
    yield renamed(packFile({ path: '', stat, safePath: own }, hardLinks)!, name)
    for (const file of walkTree(`/proc/self/fd/${fd}`, (directory) => !kernel.isBorder(directory))) {
      if (!kernel.has(file)) {
        const packed = packFile(file, hardLinks)
        if (packed) yield renamed(packed, name)
      } else if (!ENDLESS.has(basename(file.path))) yield renamed(kernelFile(file), name)
    }
  } finally {
    closeSync(fd)
  }
}

async function* fileEntries(root: RootDirectory, path: string, name: string): AsyncGenerator<PackedEntry> {
  const directory = reading(path, () => root.open(dirname(normalize(path)), O_PATH | constants.O_DIRECTORY))
  try {
    const safePath = Buffer.from(`/proc/self/fd/${directory}/${basename(normalize(path))}`)
    const stat = reading(path, () => lstatSync(safePath, { bigint: true }))
    const file = { path: '', stat, safePath }
    const kernel = kernelDevices(directory, lstatSync(`/proc/self/fd/${directory}/.`, { bigint: true }).dev, false)
    const packed = kernel.has(file) ? kernelFile(file) : packFile(file, new Map())
    if (!packed) throw new BaleError('INVALID_ARGUMENT', `${printable(path)} is a socket; it cannot be copied`)
    yield renamed(packed, name)
  } finally {
    closeSync(directory)
  }
}

interface KernelDevices {
  /** A file whose size means nothing: it is read to its end. */
  has(file: WalkedFile): boolean
  /** A directory where one of the kernel's file systems begins, or /dev. */
  isBorder(directory: WalkedFile): boolean
}

/** Determines the type of each file system once. */
function kernelDevices(fd: number, start: bigint, fromRoot: boolean): KernelDevices {
  const known = new Map<bigint, boolean>([[start, isKernelFileSystem(statfsSync(`/proc/self/fd/${fd}`).type)]])
  const isKernel = ({ stat, safePath }: WalkedFile) => {
    const found = known.get(stat.dev)
    if (found !== undefined) return found
    // A mounted file is judged by the file system that it comes from, which is no directory's device.
    const answer = stat.isDirectory() && isKernelFileSystem(statfsSync(safePath).type)
    if (stat.isDirectory()) known.set(stat.dev, answer)
    return answer
  }
  return {
    has: (file) => file.stat.isFile() && isKernel(file),
    isBorder: (directory) =>
      directory.stat.dev !== start && (isKernel(directory) || (fromRoot && directory.path === 'dev')),
  }
}

/** Reading them consumes the machine's log, or never ends. */
const ENDLESS = new Set(['kmsg', 'pagemap', 'kcore', 'mem', 'kpageflags', 'kpagecount', 'kpagecgroup'])

function kernelFile({ stat, path, safePath }: WalkedFile): PackedEntry {
  const data = kernelFileBytes(safePath)
  const [mode, uid, gid] = [stat.mode & 0o7777n, stat.uid, stat.gid].map(Number)
  const entry = { name: path, type: 'file' as const, mode, uid, gid, mtime: Number(stat.mtimeNs / 1_000_000_000n) }
  return { entry: { ...entry, size: data.length }, data }
}

/** Byte-exact names are latin1; what people typed is UTF-8. */
function renamed(packed: PackedEntry, name: string): PackedEntry {
  const prefix = Buffer.from(name).toString('latin1')
  const under = (path: string) => (path === '' ? prefix : `${prefix.replace(/\/$/, '')}/${path}`)
  const { entry } = packed
  return {
    ...packed,
    entry: {
      ...entry,
      name: under(entry.name),
      ...(entry.type === 'hardlink' && { linkName: under(entry.linkName ?? '') }),
    },
  }
}

function reading<T>(path: string, act: () => T): T {
  try {
    return act()
  } catch (cause) {
    if (!['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG'].includes(errnoOf(cause) ?? '')) throw cause
    throw new BaleError('PATH_NOT_FOUND', `Could not find the file ${printable(path)}`, { cause })
  }
}
