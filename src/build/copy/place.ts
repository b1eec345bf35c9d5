import { BaleError } from '#base'
import type { PieceEntry } from '#format/tar'
import { cleanPath, fromText, joinPath, parentOf, shown } from '../context/index.ts'
import type { Destination, FileModeChange } from '../instructions/index.ts'
import type { DraftEntry } from './draft-entry.ts'
import type { LayerDraft } from './layer-draft.ts'
import type { SelectedItem, Selection } from './selection.ts'

export interface PlaceOptions {
  owner: { uid: number; gid: number } | undefined
  chmod: FileModeChange | undefined
  /** Nothing else is placed after the source. */
  isLast?: boolean
  /** Wraps the data of an item, so that the copy can hash what it writes. */
  read?(item: SelectedItem): PieceEntry['data']
}

/** What the destination needs, and where in the stage's file system it is. */
export function prepareDestination(
  draft: LayerDraft,
  destination: Destination,
  options: PlaceOptions,
): { directories: PieceEntry[]; target: string } {
  const path = cleanPath(fromText(destination.path))
  const place = draft.follow(destination.isDirectory ? path : parentOf(path))
  const directories = draft.makeDirectories(place, directoryAttributes(options))
  return { directories, target: draft.follow(path) }
}

/** Directories that exist only because a COPY needs them. */
export function directoryAttributes({ owner, chmod }: PlaceOptions): { mode: number; uid: number; gid: number } {
  return { mode: chmod?.octal ?? 0o755, uid: owner?.uid ?? 0, gid: owner?.gid ?? 0 }
}

/** The tar entries that bring one source to `target` (resolved). A directory's content goes there, not the directory itself. */
export function* place(
  draft: LayerDraft,
  selection: Selection,
  target: string,
  options: PlaceOptions,
): Generator<PieceEntry> {
  const links = new Map<string, string>()
  let isFirst = true
  for (const item of selection.items) {
    if (isFirst) yield* placeSource(draft, item, { name: selection.name, target }, links, options)
    else yield* placeItem(draft, item, joinPath(target, item.relative), links, options)
    isFirst = false
  }
}

/** The source itself. Of a directory the place of its content is made. */
function* placeSource(
  draft: LayerDraft,
  source: SelectedItem,
  { name, target }: { name: string; target: string },
  links: Map<string, string>,
  options: PlaceOptions,
): Generator<PieceEntry> {
  const existing = target === '' ? { type: 'directory' } : draft.entry(target)
  if (source.entry.type === 'directory') {
    if (existing && existing.type !== 'directory') throw notDirectory(target)
    yield* draft.makeDirectories(target, directoryAttributes(options))
    return
  }
  const path = existing?.type === 'directory' ? joinPath(target, name) : target
  yield* draft.makeDirectories(parentOf(path), directoryAttributes(options))
  yield* placeItem(draft, source, path, links, options)
}

function* placeItem(
  draft: LayerDraft,
  item: SelectedItem,
  path: string,
  links: Map<string, string>,
  options: PlaceOptions,
): Generator<PieceEntry> {
  const { entry } = item
  const existing = draft.entry(path)
  if (entry.type === 'directory' && existing && existing.type !== 'directory') throw notDirectory(path)
  if (entry.type !== 'directory' && existing?.type === 'directory') {
    throw new BaleError('BUILD_FAILED', `cannot replace to directory ${shown(path)} with file`)
  }
  const first = entry.inode === undefined ? undefined : links.get(entry.inode)
  if (first !== undefined) {
    yield* draft.putLink(path, first)
    return
  }
  if (entry.inode !== undefined) links.set(entry.inode, path)
  const data = entry.type === 'file' ? (options.read?.(item) ?? (() => item.open?.() ?? item.read())) : undefined
  const later = entry.inode !== undefined ? 'putLink' : options.isLast ? 'nothing' : 'entry'
  yield* draft.put(path, { ...changed(entry, options), size: entry.size }, data, later)
}

export function changed(entry: DraftEntry, { owner, chmod }: PlaceOptions): DraftEntry {
  const mode = chmod && entry.type !== 'symlink' ? chmod.apply(entry.mode, entry.type === 'directory') : entry.mode
  return { ...entry, ...owner, mode }
}

function notDirectory(path: string): BaleError {
  return new BaleError('BUILD_FAILED', `cannot copy to non-directory: ${shown(path)}`)
}
