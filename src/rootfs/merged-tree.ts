import { createPieceCache } from '#format/erofs'
import type { ReadyEntry } from '#format/tar'
import { openDirectoryTree } from './directory-tree.ts'
import { openImageTree } from './image-tree.ts'
import type { HardLinks, LayerDirectory, LayerEntry, LayerTree } from './layer-tree.ts'
import type { Rootfs } from './rootfs.ts'

/** Descriptors of directories that all layers together keep open. */
const OPEN_LEVELS = 64

/**
 * All files of a root file system as tar entries (docker's export), as its mount shows them, in the order of `flatten`. Layers are
 * read from their images and written files from their directory, which takes less than half the processor time of asking
 * the mount for each file. Changes made meanwhile appear only in directories not yet listed. `omit` lists paths
 * (latin1) to leave out. Read the data of an entry before requesting the next one.
 */
export function* flattenLayers(
  rootfs: Pick<Rootfs, 'upper' | 'lowers' | 'images'>,
  options: { omit?: ReadonlySet<string> } = {},
): Generator<ReadyEntry> {
  using stack = new DisposableStack()
  const cache = createPieceCache()
  const directories = [...(rootfs.upper === undefined ? [] : [rootfs.upper]), ...rootfs.lowers]
  const openLevels = Math.max(1, Math.floor(OPEN_LEVELS / directories.filter((one) => !rootfs.images.has(one)).length))
  const trees = directories.map((directory) => {
    const image = rootfs.images.get(directory)
    return stack.use(image === undefined ? openDirectoryTree(directory, { openLevels }) : openImageTree(image, cache))
  })
  yield* mergedFiles(trees, options.omit)
}

/** A directory of the merged tree. */
interface Level {
  path: string
  /** The layers that have it, uppermost first. */
  parts: { directory: LayerDirectory; next: LayerEntry | undefined }[]
}

function* mergedFiles(trees: readonly LayerTree[], omit: ReadonlySet<string> = new Set()): Generator<ReadyEntry> {
  const hardLinks: HardLinks = new Map()
  const stack = [
    levelOf(
      '',
      trees.map((tree) => tree.openRoot()),
    ),
  ]
  for (let level = stack.at(-1); level; level = stack.at(-1)) {
    const same = takeNext(level)
    if (same === undefined) {
      for (const { directory } of stack.pop()!.parts.toReversed()) directory.close()
      continue
    }
    const shown = shownOf(same)
    const [top] = shown
    if (!top) continue
    const path = level.path === '' ? top.name : `${level.path}/${top.name}`
    const packed = top.pack(path, hardLinks)
    if (packed && !omit.has(path)) yield packed
    if (packed?.entry.type !== 'directory') continue
    const parts = shown.map((one) => one.open())
    const directories = parts.filter((one) => one !== undefined)
    // A directory that went away since it was seen shows nothing, whatever lower layers have there.
    if (parts[0]) stack.push(levelOf(path, directories))
    else for (const one of directories) one.close()
  }
}

function levelOf(path: string, directories: readonly LayerDirectory[]): Level {
  return {
    path,
    parts: directories.map((directory) => ({ directory, next: directory.next() })),
  }
}

/** The entries of the first name that is left, uppermost layer first. */
function takeNext({ parts }: Level): LayerEntry[] | undefined {
  let name: string | undefined
  for (const { next } of parts) if (next && (name === undefined || next.name < name)) name = next.name
  if (name === undefined) return undefined
  const same: LayerEntry[] = []
  for (const part of parts) {
    if (part.next?.name !== name) continue
    same.push(part.next)
    part.next = part.directory.next()
  }
  return same
}

/**
 * What overlayfs shows for a name, by entries of it in the layers, uppermost first: nothing, one file, or directories that
 * are merged: down to one that is opaque, or to a layer that has something else there.
 */
function shownOf(entries: readonly LayerEntry[]): readonly LayerEntry[] {
  const shown: LayerEntry[] = []
  for (const entry of entries) {
    const kind = entry.kind()
    if (kind === undefined) continue
    if (kind === 'whiteout') break
    if (kind === 'other') return shown.length > 0 ? shown : [entry]
    shown.push(entry)
    if (entry !== entries.at(-1) && entry.isOpaque()) break
  }
  return shown
}
