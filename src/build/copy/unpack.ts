import { isBaleError } from '#base'
import { decompressAny } from '#format/compression'
import { linkTargetOf, normalisePath, type PieceEntry, quotedName, type TarEntry, tarError } from '#format/tar'
import { joinPath, parentOf } from '../context/index.ts'
import type { DraftEntry } from './draft-entry.ts'
import type { LayerDraft } from './layer-draft.ts'
import { changed, directoryAttributes, type PlaceOptions } from './place.ts'
import type { SelectedItem } from './selection.ts'
import { fullData, tarEntries } from './tar-entries.ts'

const HOLES_KEPT = 256 << 20

/** True for a tar, plain or compressed, that begins well; anything else is copied as a file. */
export async function isArchive(item: SelectedItem): Promise<boolean> {
  if (item.entry.type !== 'file' || item.entry.size === 0) return false
  try {
    for await (const _ of tarEntries(opened(item))) return true
    return false
  } catch (error) {
    // A damaged or other compression, or no tar in it: not an archive to us, as to docker (recorded).
    if (isBaleError(error)) return false
    throw error
  }
}

/**
 * The entries of an archive below `target`, under the same rules as those of a layer: `..` is refused, links are resolved
 * below `target` as the root (T01, T03, T06), marks of overlayfs and device 0:0 are refused (T11).
 */
export async function* unpack(
  draft: LayerDraft,
  item: SelectedItem,
  target: string,
  options: PlaceOptions,
): AsyncGenerator<PieceEntry> {
  yield* draft.makeDirectories(target, directoryAttributes(options))
  const files = new Map<string, string>()
  for await (const { entry, data } of tarEntries(opened(item))) {
    const path = normalisePath(entry.name)
    if (path.length === 0) continue
    const directory = draft.follow(path.slice(0, -1).join('/'), target)
    const place = joinPath(directory, path.at(-1)!)
    yield* draft.makeDirectories(parentOf(place), directoryAttributes(options))
    if (entry.type === 'hardlink') {
      const linked = files.get(linkTargetOf(entry).join('/'))
      if (linked === undefined || !draft.entry(linked))
        throw tarError(`is a hard link to ${quotedName(entry.linkName)}, which the archive does not have`, entry.name)
      yield* draft.putLink(place, linked)
      files.set(path.join('/'), linked)
      continue
    }
    if (entry.type === 'character' && entry.deviceMajor === 0 && entry.deviceMinor === 0) {
      throw tarError('is the device 0:0', entry.name)
    }
    const existing = draft.entry(place)
    // What is no directory replaces one with all that is in it, as docker unpacks. A directory goes over a link to a directory as tar does: it is that directory.
    const isThere =
      entry.type === 'directory' &&
      existing?.type === 'symlink' &&
      draft.entry(draft.follow(place.slice(target.length), target))?.type === 'directory'
    if (isThere) continue
    if (entry.type === 'file') files.set(path.join('/'), place)
    else files.delete(path.join('/'))
    const attributes = { ...changed(draftEntry(entry, entry.type), options), size: entry.size }
    // Small holes are not worth the sparse format: the layer has the zeros.
    if (entry.size - entry.dataSize < HOLES_KEPT)
      yield* draft.put(place, attributes, () => fullData(entry, data), 'putLink')
    else yield* draft.put(place, { ...attributes, sparse: entry.sparse }, () => data, 'putLink')
  }
}

function draftEntry(entry: TarEntry, type: DraftEntry['type']): DraftEntry {
  const { mode, uid, gid, mtime, mtimeNanoseconds, linkName, deviceMajor, deviceMinor } = entry
  const xattrs = new Map([...entry.xattrs].filter(([name]) => !/^(?:trusted|user)\.overlay\./.test(name)))
  return { type, mode, uid, gid, mtime, mtimeNanoseconds, linkName, deviceMajor, deviceMinor, xattrs }
}

function opened(item: SelectedItem): AsyncIterable<Uint8Array> {
  return decompressAny(
    (async function* () {
      yield* fullData(item.entry, item.read())
    })(),
  )
}
