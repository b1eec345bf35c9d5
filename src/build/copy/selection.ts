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
import { breather } from './breather.ts'

/** One source of a COPY with everything copied along, as it is in its tree; nothing is read yet. */
export interface Selection {
  /** Last part of the name as written: a file's name below a destination directory. */
  name: string
  /** Relative to the source; `` is the source itself and comes first. Directories come before what is in them. */
  items: SelectedItem[]
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
  signal?: AbortSignal
}

/**
 * The files that a source as written in the Dockerfile means: a path or a pattern. A pattern that matches nothing gives
 * nothing; a missing plain name is PATH_NOT_FOUND.
 */
export async function selectSources(tree: SourceTree, source: string, options: SelectOptions): Promise<Selection[]> {
  const excludes = options.excludes.length > 0 ? createPatternSet(options.excludes) : undefined
  const written = fromText(source)
  if (options.parents) return [await selectWithParents(tree, written, excludes, options.signal)]
  const paths = hasWildcards(written) ? expandWildcards(tree, cleanPath(written)) : [cleanPath(written)]
  const selections: Selection[] = []
  for (const path of paths) {
    const resolved = tree.follow(path)
    if (resolved === undefined) throw notFound(tree, path)
    const name = baseName(path)
    const root = tree.entry(resolved)
    if (root?.type !== 'directory' && excludes?.matches(toText(name))) continue
    selections.push({ name, items: await walk(tree, resolved, { excludes, signal: options.signal }) })
  }
  return selections
}

/** `a/./b/*.c`: what matches `b/*.c` below `a`, with the directories between. */
async function selectWithParents(
  tree: SourceTree,
  source: string,
  excludes: PatternSet | undefined,
  signal: AbortSignal | undefined,
): Promise<Selection> {
  const pivot = source.indexOf('/./')
  const base = pivot < 0 ? '' : cleanPath(source.slice(0, pivot))
  const pattern = cleanPath(pivot < 0 ? source : source.slice(pivot + 3))
  const root = tree.follow(base)
  if (root === undefined) throw notFound(tree, base)
  if (!hasWildcards(pattern) && tree.follow(joinPath(root, pattern)) === undefined) {
    throw notFound(tree, joinPath(base, pattern))
  }
  const includes = pattern === '' ? undefined : createPatternSet([toText(pattern)])
  return { name: baseName(base), items: await walk(tree, root, { excludes, includes, signal }) }
}

interface WalkOptions {
  excludes: PatternSet | undefined
  includes?: PatternSet
  signal: AbortSignal | undefined
}

/** What listing an entry costs, in bytes that could be read in its time. */
const LISTING = 8 << 10

async function walk(tree: SourceTree, root: string, options: WalkOptions): Promise<SelectedItem[]> {
  const breathe = breather(options.signal)
  const items: SelectedItem[] = []
  for (const listed of walkSteps(tree, root, items, options)) {
    const waits = breathe(listed * LISTING)
    if (waits) await waits
  }
  return items
}

/**
 * Adds to `items`; yields the number of entries that each directory has. A directory that is only passed through (not included itself)
 * is present if something in it is.
 */
function* walkSteps(
  tree: SourceTree,
  root: string,
  items: SelectedItem[],
  { excludes, includes }: WalkOptions,
): Generator<number> {
  const waiting: SelectedItem[] = []
  const take = (item: SelectedItem) => {
    if (waiting.length > 0) items.push(...waiting.splice(0))
    items.push(item)
  }
  /** Answers what is to be looked into. */
  const visit = (relative: string, entry: TreeEntry, { included, excluded }: States) => {
    const text = includes || excludes ? toText(relative) : ''
    const nowIncluded = relative === '' ? undefined : includes?.step(text, included)
    const nowExcluded = relative === '' ? undefined : excludes?.step(text, excluded)
    const isIn = relative === '' || ((nowIncluded?.matched ?? true) && !nowExcluded?.matched && !entry.isPassage)
    const item = new TreeItem(tree, root, relative, entry)
    if (entry.type !== 'directory') {
      if (isIn) take(item)
      return undefined
    }
    if (nowExcluded?.matched && !excludes!.mayExceptBelow(text)) return undefined
    const before = waiting.length
    if (isIn) take(item)
    else waiting.push(item)
    return { path: item.path, relative, before, isIn, states: { included: nowIncluded, excluded: nowExcluded } }
  }
  const enter = function* (directory: NonNullable<ReturnType<typeof visit>>): Generator<number> {
    const { path, relative, before, isIn, states } = directory
    const children = tree.list(path)
    yield children.length
    for (const { name, entry } of children) {
      const inner = visit(joinPath(relative, name), entry, states)
      if (inner) yield* enter(inner)
    }
    if (!isIn && waiting.length > before) waiting.length = before
  }
  const entry = tree.entry(root)
  if (!entry) throw notFound(tree, root)
  const top = visit('', entry, {})
  if (top) yield* enter(top)
}

interface States {
  included?: MatchState
  excluded?: MatchState
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
