import { closeSync, constants, lstatSync } from 'node:fs'
import { basename, dirname, normalize } from 'node:path'
import { BaleError, errnoOf, printable } from '#base'
import type { PackedEntry } from '#format/tar'
import { O_PATH, type RootFolder } from '#host'
import { packFile, walkFolder } from '#rootfs'

export interface PathStat {
  /** Base name of the path as asked for. */
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

/** What is at a path of a root; a link at the end is itself, unless the path ends in a slash. Throws PATH_NOT_FOUND. */
export function statPath(root: RootFolder, path: string, options: { follow?: boolean } = {}): PathStat {
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
    ...(type === 'symlink' && { linkTarget: root.readlink(path).toString() }),
  }
}

/**
 * One path of a root as a tar whose names begin with `name`. Everything is read by descriptors found inside the root, so
 * that links swapped during the walk lead nowhere else (R04). `follow` takes what a link at the end leads to.
 */
export async function* packPath(
  root: RootFolder,
  path: string,
  name: string,
  options: { follow?: boolean } = {},
): AsyncGenerator<Uint8Array> {
  const { type } = statPath(root, path, options)
  const { packTar } = await import('#format/tar')
  if (type === 'directory') yield* packTar(folderEntries(root, path, name))
  else yield* packTar(fileEntries(root, options.follow ? realPath(root, path) : path, name))
}

async function* folderEntries(root: RootFolder, path: string, name: string): AsyncGenerator<PackedEntry> {
  const fd = reading(path, () => root.open(path, O_PATH | constants.O_DIRECTORY))
  try {
    const hardLinks = new Map<string, string>()
    const own = `/proc/self/fd/${fd}/.`
    const stat = lstatSync(own, { bigint: true })
    yield renamed(packFile({ path: '', stat, safePath: Buffer.from(own) }, hardLinks)!, name)
    for (const file of walkFolder(`/proc/self/fd/${fd}`)) {
      const packed = packFile(file, hardLinks)
      if (packed) yield renamed(packed, name)
    }
  } finally {
    closeSync(fd)
  }
}

async function* fileEntries(root: RootFolder, path: string, name: string): AsyncGenerator<PackedEntry> {
  const folder = reading(path, () => root.open(dirname(normalize(path)), O_PATH | constants.O_DIRECTORY))
  try {
    const safePath = Buffer.from(`/proc/self/fd/${folder}/${basename(normalize(path))}`)
    const stat = reading(path, () => lstatSync(safePath, { bigint: true }))
    const packed = packFile({ path: '', stat, safePath }, new Map())
    if (!packed) throw new BaleError('INVALID_ARGUMENT', `${printable(path)} is a socket; it cannot be copied`)
    yield renamed(packed, name)
  } finally {
    closeSync(folder)
  }
}

/** Where the links at the end of a path lead, still inside the root. At most forty, as the kernel. */
function realPath(root: RootFolder, path: string): string {
  let current = path
  for (let step = 0; step < 40; step++) {
    if (!root.stat(current, { follow: false }).isSymbolicLink()) return current
    const target = root.readlink(current).toString()
    current = target.startsWith('/') ? target : `${dirname(current)}/${target}`
  }
  throw new BaleError('PATH_NOT_FOUND', `too many links: ${printable(path)}`)
}

/** Byte-exact names are latin1; what people typed is UTF-8. */
function renamed(packed: PackedEntry, name: string): PackedEntry {
  const prefix = Buffer.from(name).toString('latin1')
  const under = (path: string) => (path === '' ? prefix : `${prefix}/${path}`)
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
    if (!['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errnoOf(cause) ?? '')) throw cause
    throw new BaleError('PATH_NOT_FOUND', `Could not find the file ${printable(path)}`, { cause })
  }
}
