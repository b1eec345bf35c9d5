import {
  changeOf,
  createWalkBound,
  linkTargetOf,
  quotedName,
  type TarEntry,
  tarError,
  type WalkBound,
} from '#format/tar'
import type { LayerChange } from './layer-files.ts'

/** As many symbolic links as the kernel follows in one path, path_resolution(7). */
const MOST_LINKS = 40
/** PATH_MAX without the closing NUL: bytes of a path, and of what a symbolic link says. */
const LONGEST_PATH = 4095

interface Directory {
  readonly kind: 'directory'
  readonly children: Map<string, Node>
  opaque?: boolean
  whiteouts?: Set<string>
}

/** What all names of one file have. */
interface FileNode {
  readonly kind: 'file'
  readonly size: number
  readonly mode: number
  readonly inode: number
  /** Whether it has, or had, more names than that of its entry. */
  isLinked: boolean
  /** Set by the caller: the file is not wanted under the name of its entry. */
  isUnwanted: boolean
}

type Node =
  | Directory
  | FileNode
  | { readonly kind: 'symlink'; readonly target: string }
  | { readonly kind: 'other' }
  /** A hard link to what the tar does not have before it. */
  | { readonly kind: 'missing'; readonly link: LinkEntry }

type LinkEntry = Pick<TarEntry, 'name' | 'linkName'>

interface Place {
  readonly directory: Directory
  readonly path: string
}

/** The names of a layer while the entries of its tar come in: the same that the layer has in the store. */
export interface LayerNames {
  /**
   * `inode` tells files apart. Gives the file if the entry is one, and its path behind links of the layer. Throws
   * INVALID_TAR for names that lead out of the layer or through something that is no directory, and LIMIT_EXCEEDED for
   * names that imply too many directories or take too long to follow.
   */
  add(entry: TarEntry, inode: number): { readonly path: string; readonly file: FileNode } | undefined
  /** What the layer has in the end; with each name of a file, the file. */
  changes(): Generator<[change: LayerChange, file: FileNode | undefined]>
  /** Throws INVALID_TAR when a hard link of `changes` had no target. */
  check(): void
}

/**
 * A later entry replaces an earlier one of the same name; a directory on a directory keeps what is in it. Parents that are
 * symbolic links are followed inside the layer, never outside. Whiteouts concern the layers below only.
 */
export function createLayerNames(): LayerNames {
  const root = newDirectory()
  const bound = createWalkBound()
  let last: { asked: string; place: Place } | undefined
  let missing: LinkEntry | undefined

  function placeOf(entry: TarEntry, parents: readonly string[]): Place {
    const asked = parents.join('/')
    if (last?.asked !== asked) last = { asked, place: walk({ root, bound }, entry, parents, impliedDirectory)! }
    return last.place
  }

  function put({ directory }: Place, name: string, node: Node): void {
    if (directory.children.has(name)) last = undefined
    directory.children.set(name, node)
  }

  function addDirectory({ directory }: Place, name: string): void {
    if (directory.children.get(name)?.kind === 'directory') return
    last = undefined
    directory.children.set(name, newDirectory())
  }

  function targetOf(entry: TarEntry): Node {
    const target = linkTargetOf(entry)
    const found = walk({ root, bound }, entry, target.slice(0, -1), () => undefined)?.directory.children.get(
      target.at(-1)!,
    )
    if (found?.kind === 'directory')
      throw tarError(`is a hard link to the directory ${quotedName(entry.linkName)}`, entry.name)
    if (found?.kind === 'file') found.isLinked = true
    return found ?? { kind: 'missing', link: { name: entry.name, linkName: entry.linkName } }
  }

  return {
    add(entry, inode) {
      const change = changeOf(entry)
      if (change.kind === 'ignored') return undefined
      if (change.kind === 'opaque') {
        placeOf(entry, change.path).directory.opaque = true
        return undefined
      }
      const name = change.path.at(-1)
      if (name === undefined) return undefined
      const place = placeOf(entry, change.path.slice(0, -1))
      const path = pathIn(place, name, entry)
      if (change.kind === 'whiteout') {
        place.directory.whiteouts ??= new Set()
        place.directory.whiteouts.add(name)
      } else if (entry.type === 'directory') addDirectory(place, name)
      else {
        const node = entry.type === 'hardlink' ? targetOf(entry) : nodeOf(entry, inode)
        put(place, name, node)
        if (entry.type === 'file' && node.kind === 'file') return { path, file: node }
      }
      return undefined
    },
    *changes() {
      for (const [path, node] of namesBelow(root)) {
        if (node.kind === 'missing') missing ??= node.link
        else yield [changeAt(path, node), node.kind === 'file' ? node : undefined]
      }
    },
    check() {
      if (!missing) return
      const target = quotedName(missing.linkName)
      throw tarError(`is a hard link to ${target}, which the archive does not have before it`, missing.name)
    },
  }
}

const newDirectory = (): Directory => ({ kind: 'directory', children: new Map() })

/** Layers have files in directories that no entry is about. */
function impliedDirectory(parent: Directory, name: string, entry: TarEntry, bound: WalkBound): Directory {
  bound.implied(entry.name)
  const implied = newDirectory()
  parent.children.set(name, implied)
  return implied
}

function nodeOf(entry: TarEntry, inode: number): Node {
  const { size, mode } = entry
  if (entry.type === 'file') return { kind: 'file', size, mode, inode, isLinked: false, isUnwanted: false }
  if (entry.type !== 'symlink') return OTHER
  if (entry.linkName.length > LONGEST_PATH) throw tarError(`links to a path above ${LONGEST_PATH} bytes`, entry.name)
  return { kind: 'symlink', target: entry.linkName }
}

const OTHER: Node = { kind: 'other' }

function pathIn({ path }: Pick<Place, 'path'>, name: string, entry: TarEntry): string {
  const whole = path === '' ? name : `${path}/${name}`
  if (whole.length > LONGEST_PATH) throw tarError(`has a path above ${LONGEST_PATH} bytes behind links`, entry.name)
  return whole
}

/** Undefined where `missing` gives no directory for a name that its parent does not have. */
function walk(
  { root, bound }: { root: Directory; bound: WalkBound },
  entry: TarEntry,
  parents: readonly string[],
  missing: (parent: Directory, name: string, entry: TarEntry, bound: WalkBound) => Directory | undefined,
): Place | undefined {
  let way: Place[] = [{ directory: root, path: '' }]
  let links = 0
  const left = parents.toReversed()
  for (let name = left.pop(); name !== undefined; name = left.pop()) {
    bound.walked(1, entry.name)
    if (name === '' || name === '.') continue
    if (name === '..') {
      if (way.length > 1) way.pop()
      continue
    }
    const here = way.at(-1)!
    const child = here.directory.children.get(name) ?? missing(here.directory, name, entry, bound)
    if (child === undefined) return undefined
    if (child.kind === 'directory') {
      way.push({ directory: child, path: pathIn(here, name, entry) })
      continue
    }
    if (child.kind !== 'symlink') throw tarError(`its parent ${quotedName(name)} is not a directory`, entry.name)
    if (++links > MOST_LINKS) throw tarError('goes through too many symbolic links', entry.name)
    bound.walked(child.target.length, entry.name)
    if (child.target.startsWith('/')) way = way.slice(0, 1)
    left.push(...child.target.split('/').reverse())
  }
  return way.at(-1)!
}

type Named = [path: string, node: Node | { kind: 'whiteout' | 'opaque' }]

/**
 * In the order of the store's images: sorted bytewise, a directory before what is in it. Without recursion, since paths
 * have up to two thousand parts.
 */
function* namesBelow(root: Directory): Generator<Named> {
  const open = [childrenOf('', root)]
  if (root.opaque) yield ['', { kind: 'opaque' }]
  yield ['', root]
  for (let names = open.at(-1); names; names = open.at(-1)) {
    const { value: named, done } = names.next()
    if (done) open.pop()
    else {
      const [path, node] = named
      if (node.kind === 'directory' && node.opaque) yield [path, { kind: 'opaque' }]
      yield named
      if (node.kind === 'directory') open.push(childrenOf(path, node))
    }
  }
}

/**
 * A whiteout of a directory that this layer also has makes that directory opaque; a whiteout of any other name of this
 * layer has no effect.
 */
function* childrenOf(path: string, { children, whiteouts = new Set() }: Directory): Generator<Named, undefined> {
  const pathOf = (name: string) => (path === '' ? name : `${path}/${name}`)
  for (const name of whiteouts) {
    const own = children.get(name)
    if (own === undefined) yield [pathOf(name), { kind: 'whiteout' }]
    else if (own.kind === 'directory') own.opaque = true
  }
  for (const name of [...children.keys()].sort()) yield [pathOf(name), children.get(name)!]
}

function changeAt(path: string, node: Exclude<Named[1], { kind: 'missing' }>): LayerChange {
  switch (node.kind) {
    case 'file':
      return { kind: 'file', path, size: node.size, mode: node.mode, inode: node.inode }
    case 'symlink':
      return { kind: 'symlink', path, target: node.target }
    default:
      return { kind: node.kind, path }
  }
}
