import { type BigIntStats, lstatSync } from 'node:fs'
import { BaleError, printable } from '#base'
import type { WalkedFile } from '#host'
import { rootAttributes } from './create-rootfs.ts'
import { createLowerView, isOpaque, isWhiteout, type LowerView } from './lower-view.ts'
import { type PackedFile, packFile } from './pack-file.ts'
import { walkTree } from './walk-tree.ts'

interface ChangesetOptions {
  /** Layer directories under the upper one, uppermost first: with them, changes that change nothing are left out. */
  lowers?: readonly string[]
  /**
   * Paths (latin1, with or without a leading slash) that the runtime made as mount points: left out when they are empty
   * files or directories, and so are directories that changed for their sake alone.
   */
  exclude?: readonly string[]
}

/**
 * What was written in an upper directory, as entries of a layer's tar: sorted bytewise by path components, so that the same
 * changes give the same tar. Deleted names become `.wh.` files with the time 0, replaced directories an opaque mark; hard
 * links among the changed files stay hard links; sockets are left out. Give it to `packTarAtOnce` or `packTar`.
 */
export function* changeset(upper: string, options: ChangesetOptions = {}): Generator<PackedFile> {
  const lower = options.lowers && createLowerView(options.lowers)
  const hardLinks = new Map<string, string>()
  const root = options.lowers && changedRoot(upper, options.lowers)
  if (root) yield root
  for (const file of changedFiles(upper, options, lower)) {
    if (isWhiteout(file.stat)) {
      yield marker(whiteoutName(file.path))
      continue
    }
    refuseWhiteoutName(file.path)
    const packed = packFile(file, hardLinks)
    if (packed) yield packed
    if (file.stat.isDirectory() && isOpaque(file.safePath) && (!lower || lower.stat(file.path)?.isDirectory()))
      yield marker(`${file.path}/.wh..wh..opq`)
  }
}

/** One path for each change, as `docker diff` prints them: A added, C changed, D deleted; sorted. */
export interface PathChange {
  /** Absolute, latin1. */
  path: string
  kind: 'A' | 'C' | 'D'
}

export function diffKinds(upper: string, options: ChangesetOptions & { lowers: readonly string[] }): PathChange[] {
  const lower = createLowerView(options.lowers)
  const changes: PathChange[] = []
  /** Directories below which nothing of the image shows. */
  const replaced = new Set<string>()
  const kept = new Set<string>()
  for (const file of changedFiles(upper, options, lower)) {
    const { path, stat } = file
    const deleted = isWhiteout(stat)
    changes.push({ path: `/${path}`, kind: deleted ? 'D' : lower.stat(path) ? 'C' : 'A' })
    kept.add(path)
    const isNew = !stat.isDirectory() || replaced.has(parentOf(path)) || isOpaque(file.safePath)
    if (!deleted && isNew && lower.stat(path)?.isDirectory()) replaced.add(path)
  }
  // What a replaced directory held is deleted, as far as nothing has its name now.
  for (const directory of replaced)
    for (const name of lower.names(directory))
      if (!kept.has(`${directory}/${name}`)) changes.push({ path: `/${directory}/${name}`, kind: 'D' })
  return changes.sort((one, other) => compareBytes(one.path, other.path))
}

const parentOf = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf('/')))

/** By path components, as the walk goes: what a directory holds stands behind it and before its neighbours. */
function compareBytes(one: string, other: string): number {
  const [left, right] = [one, other].map((path) => path.replaceAll('/', '\0'))
  return left! < right! ? -1 : left! > right! ? 1 : 0
}

/**
 * All files of a directory as tar entries (docker's export): what a mounted root file system shows, names without `./`.
 */
export function* flatten(directory: string): Generator<PackedFile> {
  const hardLinks = new Map<string, string>()
  for (const file of walkTree(directory)) {
    const packed = packFile(file, hardLinks)
    if (packed) yield packed
  }
}

/**
 * The upper directory without the runtime's traces. A directory is held back until something below it turns out to be a
 * change, when a trace was found in it and it is otherwise as below.
 */
function* changedFiles(upper: string, options: ChangesetOptions, lower: LowerView | undefined): Generator<WalkedFile> {
  const excluded = new Set((options.exclude ?? []).map((path) => path.replace(/^\/+|\/+$/g, '')))
  if (excluded.size === 0) {
    yield* walkTree(upper)
    return
  }
  const traces = traceDirectories(upper, excluded)
  for (const file of walkTree(upper)) {
    if (traces.stubs.has(file.path)) continue
    if (traces.emptied.has(file.path) && sameAttributes(file.stat, lower?.stat(file.path))) continue
    yield file
  }
}

/** The stubs that are really empty, and the directories that hold nothing but stubs. */
function traceDirectories(upper: string, excluded: ReadonlySet<string>): { stubs: Set<string>; emptied: Set<string> } {
  const children = new Map<string, string[]>()
  const empty = new Set<string>()
  for (const { path, stat } of walkTree(upper)) {
    const parent = path.slice(0, Math.max(0, path.lastIndexOf('/')))
    const siblings = children.get(parent)
    if (siblings) siblings.push(path)
    else children.set(parent, [path])
    if (stat.isDirectory() || (stat.isFile() && stat.size === 0n)) empty.add(path)
  }
  const stubs = new Set([...excluded].filter((path) => empty.has(path) && !children.has(path)))
  const emptied = new Set<string>()
  // Deepest first, so that a directory of emptied directories is found too.
  const directories = [...children.keys()].filter((path) => path !== '').sort((a, b) => b.length - a.length)
  for (const directory of directories) {
    if (!children.get(directory)!.every((path) => stubs.has(path) || emptied.has(path))) continue
    if (excluded.has(directory)) stubs.add(directory)
    else emptied.add(directory)
  }
  return { stubs, emptied }
}

function sameAttributes(stat: WalkedFile['stat'], lower: BigIntStats | undefined): boolean {
  return lower !== undefined && stat.mode === lower.mode && stat.uid === lower.uid && stat.gid === lower.gid
}

/** The root directory's own entry, when its owner or mode is not the image's. */
function changedRoot(upper: string, lowers: readonly string[]): PackedFile | undefined {
  const before = rootAttributes(lowers)
  const stat = lstatSync(upper)
  const mode = stat.mode & 0o7777
  if (mode === before.mode && stat.uid === before.uid && stat.gid === before.gid) return undefined
  const { uid, gid, mtimeMs } = stat
  return { entry: { name: './', type: 'directory', mode, uid, gid, mtime: Math.floor(mtimeMs / 1000) } }
}

function whiteoutName(path: string): string {
  const slash = path.lastIndexOf('/') + 1
  return `${path.slice(0, slash)}.wh.${path.slice(slash)}`
}

/** In a layer such a name deletes another file, so a real file of this name has no form there. */
function refuseWhiteoutName(path: string): void {
  if (!path.slice(path.lastIndexOf('/') + 1).startsWith('.wh.')) return
  throw new BaleError(
    'INVALID_ARGUMENT',
    `"${printable(Buffer.from(path, 'latin1').toString())}" cannot be put into a layer: names with .wh. mean deletions`,
    {
      hint: 'remove or rename the file',
    },
  )
}

function marker(name: string): PackedFile {
  return { entry: { name, type: 'file', mode: 0, mtime: 0 } }
}
