import { BaleError } from '#base'
import type { FileBytes } from '#format/tar'
import {
  baseName,
  cleanPath,
  compilePattern,
  createPatternSet,
  fromText,
  joinPath,
  type MatchState,
  type PatternSet,
  type SourceTree,
  shown,
  type TreeEntry,
  toText,
} from '../context/index.ts'

/** One source of a COPY with everything copied along, as it is in its tree; nothing is read yet. */
export interface Selection {
  /** Last part of the name as written: a file's name below a destination directory. */
  name: string
  /**
   * Relative to the source; `` is the source itself and comes first. Directories come before what is in them. Every iteration gives
   * all of them; of a large tree it lists the directories again, so that memory does not grow with the number of files.
   */
  items: Iterable<SelectedItem>
  /** It was fetched, so an archive is unpacked only on request. */
  isRemote?: boolean
}

export interface SelectedItem {
  /** Relative to the source. */
  relative: string
  entry: TreeEntry
  /** Bytes of a file, of a sparse one those of its extents; may be called more than once. */
  read(): Iterable<Uint8Array> | AsyncIterable<Uint8Array>
  /** These bytes of a small file, until the next call for any; undefined for a large one. */
  readAtOnce?(): Uint8Array | undefined
  /** What `read` gives, to be read from front to back; undefined where only `read` has it. */
  open?(): FileBytes | undefined
  /** Of a file that may be remembered between builds: the digest of all that `read` gave. */
  remember?(digest: string): void
}

interface SelectOptions {
  excludes: readonly string[]
  /** COPY --parents. */
  parents: boolean
}

export function firstItem({ items }: Selection): SelectedItem | undefined {
  for (const item of items) return item
  return undefined
}

export function hasOneItem({ items }: Selection): boolean {
  let count = 0
  for (const _ of items) if (++count > 1) return false
  return count === 1
}

/**
 * The files that a source as written in the Dockerfile means: a path or a pattern. A pattern that matches nothing gives
 * nothing; a missing plain name is PATH_NOT_FOUND.
 */
export function selectSources(tree: SourceTree, source: string, options: SelectOptions): Selection[] {
  const excludes = options.excludes.length > 0 ? createPatternSet(options.excludes) : undefined
  const written = fromText(source)
  if (options.parents) return [selectWithParents(tree, written, excludes)]
  const paths = hasWildcards(written) ? expandWildcards(tree, cleanPath(written)) : [cleanPath(written)]
  const selections: Selection[] = []
  for (const path of paths) {
    const resolved = tree.follow(path)
    if (resolved === undefined) throw notFound(tree, path)
    const name = baseName(path)
    const root = tree.entry(resolved)
    if (root?.type !== 'directory' && excludes?.matches(toText(name))) continue
    selections.push({ name, items: new Walk(tree, resolved, { excludes }) })
  }
  return selections
}

/** `a/./b/*.c`: what matches `b/*.c` below `a`, with the directories between. */
function selectWithParents(tree: SourceTree, source: string, excludes: PatternSet | undefined): Selection {
  const pivot = source.indexOf('/./')
  const base = pivot < 0 ? '' : cleanPath(source.slice(0, pivot))
  const pattern = cleanPath(pivot < 0 ? source : source.slice(pivot + 3))
  const root = tree.follow(base)
  if (root === undefined) throw notFound(tree, base)
  if (!hasWildcards(pattern) && tree.follow(joinPath(root, pattern)) === undefined) {
    throw notFound(tree, joinPath(base, pattern))
  }
  const includes = pattern === '' ? undefined : createPatternSet([toText(pattern)])
  return { name: baseName(base), items: new Walk(tree, root, { excludes, includes }) }
}

interface WalkOptions {
  excludes: PatternSet | undefined
  includes?: PatternSet
}

/** Items that are kept for the next iteration, about 700 bytes each. */
const KEPT = 40_000

/** The items of a tree, listed when they are first asked for. */
class Walk implements Iterable<SelectedItem> {
  readonly #tree: SourceTree
  readonly #root: string
  readonly #options: WalkOptions
  #kept: SelectedItem[] | undefined

  constructor(tree: SourceTree, root: string, options: WalkOptions) {
    this.#tree = tree
    this.#root = root
    this.#options = options
  }

  *[Symbol.iterator](): Generator<SelectedItem> {
    if (this.#kept) return yield* this.#kept
    let kept: SelectedItem[] | undefined = []
    for (const item of walk(this.#tree, this.#root, this.#options)) {
      if (kept && kept.push(item) > KEPT) kept = undefined
      yield item
    }
    this.#kept = kept
  }
}

/** Where a walk is. */
interface Level {
  directory: TreeItem
  states: States
  /** Listed when the first of them is asked for. */
  children?: { name: string; entry: TreeEntry }[]
  next: number
  /** Of a directory that is not included itself: how many waited before it. */
  before: number | undefined
}

interface States {
  included?: MatchState
  excluded?: MatchState
}

/** A directory that is only passed through (not included itself) is present if something in it is. */
function* walk(tree: SourceTree, root: string, { excludes, includes }: WalkOptions): Generator<SelectedItem> {
  const waiting: SelectedItem[] = []
  const levels: Level[] = []

  /** The item when it is included, after those that wait. Of a directory that is to be looked into, a level is added. */
  const visit = (relative: string, entry: TreeEntry, { included, excluded }: States): SelectedItem | undefined => {
    const text = includes || excludes ? toText(relative) : ''
    const nowIncluded = relative === '' ? undefined : includes?.step(text, included)
    const nowExcluded = relative === '' ? undefined : excludes?.step(text, excluded)
    const isIn = relative === '' || ((nowIncluded?.matched ?? true) && !nowExcluded?.matched && !entry.isPassage)
    const item = new TreeItem(tree, root, relative, entry)
    const isDirectory = entry.type === 'directory'
    if (isDirectory && nowExcluded?.matched && !excludes!.mayExceptBelow(text)) return undefined
    if (isDirectory) {
      const before = isIn ? undefined : waiting.length
      const states = { included: nowIncluded, excluded: nowExcluded }
      levels.push({ directory: item, states, next: 0, before })
      if (!isIn) waiting.push(item)
    }
    return isIn ? item : undefined
  }

  const entry = tree.entry(root)
  if (!entry) throw notFound(tree, root)
  const source = visit('', entry, {})
  if (source) yield source
  for (let level = levels.at(-1); level; level = levels.at(-1)) {
    level.children ??= tree.list(level.directory.path)
    const child = level.children[level.next++]
    if (child) {
      const item = visit(joinPath(level.directory.relative, child.name), child.entry, level.states)
      if (item && waiting.length > 0) yield* waiting.splice(0)
      if (item) yield item
    } else {
      levels.pop()
      if (level.before !== undefined && waiting.length > level.before) waiting.length = level.before
    }
  }
}

class TreeItem implements SelectedItem {
  readonly #tree: SourceTree
  readonly #root: string
  readonly relative: string
  readonly entry: TreeEntry

  constructor(tree: SourceTree, root: string, relative: string, entry: TreeEntry) {
    this.#tree = tree
    this.#root = root
    this.relative = relative
    this.entry = entry
  }

  get path(): string {
    return this.relative === '' ? this.#root : joinPath(this.#root, this.relative)
  }

  read(): Iterable<Uint8Array> {
    return this.#tree.read(this.path, this.entry)
  }

  readAtOnce(): Uint8Array | undefined {
    return this.#tree.readAtOnce(this.path, this.entry)
  }

  open(): FileBytes | undefined {
    return this.#tree.open(this.path, this.entry)
  }

  remember(digest: string): void {
    this.#tree.remember(this.entry, digest)
  }
}

function hasWildcards(path: string): boolean {
  return /[*?[]/.test(path.replace(/\\./g, ''))
}

/** Component by component, links followed in the plain part only. Sorted. */
function expandWildcards(tree: SourceTree, pattern: string): string[] {
  const parts = pattern.split('/')
  const first = parts.findIndex(hasWildcards)
  const start = tree.follow(parts.slice(0, first).join('/'))
  if (start === undefined) return []
  let found = [start]
  for (const part of parts.slice(first)) {
    const { matches } = compilePattern(part, 'match')
    found = found.flatMap((directory) =>
      tree.entry(directory)?.type === 'directory'
        ? tree
            .list(directory)
            .flatMap(({ name, entry }) => (matches(name) && !entry.isPassage ? joinPath(directory, name) : []))
        : [],
    )
  }
  return found
}

function notFound(tree: SourceTree, path: string): BaleError {
  const ignored = tree.isIgnored(path)
  return new BaleError('PATH_NOT_FOUND', `${shown(path)} not found in ${tree.label}`, {
    hint: ignored ? 'it is excluded by .dockerignore' : `paths are relative to the root of ${tree.label}`,
  })
}
