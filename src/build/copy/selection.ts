import { BaleError } from '#base'
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
export function selectSources(tree: SourceTree, source: string, options: SelectOptions): Selection[] {
  const excludes = options.excludes.length > 0 ? createPatternSet(options.excludes) : undefined
  const written = fromText(source)
  if (options.parents) return [selectWithParents(tree, written, excludes, options.signal)]
  const paths = hasWildcards(written) ? expandWildcards(tree, cleanPath(written)) : [cleanPath(written)]
  return paths.flatMap((path) => {
    const resolved = tree.follow(path)
    if (resolved === undefined) throw notFound(tree, path)
    const name = baseName(path)
    const root = tree.entry(resolved)
    if (root?.type !== 'directory' && excludes?.matches(toText(name))) return []
    return { name, items: walk(tree, resolved, { excludes, signal: options.signal }) }
  })
}

/** `a/./b/*.c`: what matches `b/*.c` below `a`, with the directories between. */
function selectWithParents(
  tree: SourceTree,
  source: string,
  excludes: PatternSet | undefined,
  signal: AbortSignal | undefined,
): Selection {
  const pivot = source.indexOf('/./')
  const base = pivot < 0 ? '' : cleanPath(source.slice(0, pivot))
  const pattern = cleanPath(pivot < 0 ? source : source.slice(pivot + 3))
  const root = tree.follow(base)
  if (root === undefined) throw notFound(tree, base)
  if (!hasWildcards(pattern) && tree.follow(joinPath(root, pattern)) === undefined) {
    throw notFound(tree, joinPath(base, pattern))
  }
  const includes = pattern === '' ? undefined : createPatternSet([toText(pattern)])
  return { name: baseName(base), items: walk(tree, root, { excludes, includes, signal }) }
}

interface WalkOptions {
  excludes: PatternSet | undefined
  includes?: PatternSet
  signal: AbortSignal | undefined
}

/** A directory that is only passed through (not included itself) is present if something in it is. */
function walk(tree: SourceTree, root: string, { excludes, includes, signal }: WalkOptions): SelectedItem[] {
  const items: SelectedItem[] = []
  const waiting: SelectedItem[] = []
  const take = (item: SelectedItem) => {
    items.push(...waiting.splice(0), item)
  }
  const visit = (relative: string, entry: TreeEntry, included?: MatchState, excluded?: MatchState): void => {
    signal?.throwIfAborted()
    const text = toText(relative)
    const nowIncluded = relative === '' ? undefined : includes?.step(text, included)
    const nowExcluded = relative === '' ? undefined : excludes?.step(text, excluded)
    const isIn = relative === '' || ((nowIncluded?.matched ?? true) && !nowExcluded?.matched && !entry.isPassage)
    const path = relative === '' ? root : joinPath(root, relative)
    const item: SelectedItem = { relative, entry, read: () => tree.read(path, entry) }
    if (entry.type !== 'directory') {
      if (isIn) take(item)
      return
    }
    if (nowExcluded?.matched && !excludes!.mayExceptBelow(text)) return
    const before = waiting.length
    if (isIn) take(item)
    else waiting.push(item)
    for (const { name, entry: child } of tree.list(path))
      visit(joinPath(relative, name), child, nowIncluded, nowExcluded)
    if (!isIn && waiting.length > before) waiting.length = before
  }
  const entry = tree.entry(root)
  if (!entry) throw notFound(tree, root)
  visit('', entry)
  return items
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
