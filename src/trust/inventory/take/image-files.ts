import { posix } from 'node:path'
import { isBaleError, type OperationOptions } from '#base'
import type { Analyser, Interest, LayerFile, ReadableFile } from '../analyser.ts'
import type { LayerChange, LayerFiles, LayerVisitor, Wanted } from '../layers/index.ts'
import type { FoundInFile, FoundPackage } from '../model.ts'
import { createPathTree, type PathTree } from '../path-tree.ts'
import type { AnalysedFile } from './analysed-file.ts'
import { createMemoryBound, type MemoryBound } from './memory-bound.ts'
import { OwnedPaths } from './owned-paths.ts'

/** What one file of the image showed, after all layers. */
export interface AnalysedImageFile extends AnalysedFile {
  /** Layer that brought each package of the file, by `keyOfPackage`. */
  readonly broughtBy: ReadonlyMap<string, number>
}

/** The files of an image as its layers are stacked, as far as analysers want them. */
export interface ImageFiles {
  /**
   * To be called from the bottom layer up. What the layer throws is thrown, and what it changed until then stays.
   * LIMIT_EXCEEDED when more would have to be remembered than any image has.
   */
  addLayer(layer: LayerFiles, options?: OperationOptions): Promise<void>
  files(): Generator<[path: string, file: AnalysedImageFile]>
}

export function createImageFiles(analysers: readonly Analyser[], bound = createMemoryBound()): ImageFiles {
  const merged = createPathTree<AnalysedImageFile>((forgotten) => bound.give(forgotten))
  let layers = 0
  return {
    async addLayer(layer, options) {
      const index = layers++
      const pass = createLayerPass(analysers, merged, bound)
      try {
        await layer.visit(pass.visitor, options)
      } finally {
        pass.finish(index)
      }
    },
    files: () => merged.entries(),
  }
}

/** What tells one package of a file from another. */
export function keyOfPackage({ type, name, version, architecture = '' }: FoundPackage): string {
  return `${type}\n${name}\n${version}\n${architecture}`
}

/** A file that the layer has in the end, and that an analyser wants. */
interface WantedFile extends WantedBy {
  readonly path: string
  readonly inode: number
  /** What the layers below had at the path: packages that were there before did not come with this layer. */
  readonly before: AnalysedImageFile | undefined
}

/** One file of a layer counts for no more different names than this; a real one has one or two. */
const MOST_NAMES = 16

/** One layer on its way. Contents come in any order, and before it is known which names the layer has in the end. */
function createLayerPass(analysers: readonly Analyser[], below: PathTree<AnalysedImageFile>, bound: MemoryBound) {
  const wantedFiles = new Map<string, WantedFile>()
  const readings = createReadings(bound)
  const kept = new Map<number, ReadableFile>()

  function hide({ kind, path }: LayerChange): void {
    if (kind === 'opaque') below.removeBelow(path)
    else if (kind === 'directory') below.removeAt(path)
    else below.remove(path)
  }

  /** The kept file of the directory of `path` with that name. */
  function keptBeside(path: string, name: string): ReadableFile | undefined {
    const beside = wantedFiles.get(posix.join(posix.dirname(path), name))
    return beside && kept.get(beside.inode)
  }

  const visitor: LayerVisitor = {
    wants: (file) => wantedBy(analysers, file),
    async content(file, inode) {
      const wanted = wantedBy(analysers, file)!
      if (file.size > wanted.interest.limit) await readings.add(file.path, inode, wanted, () => tooLarge(wanted, file))
      else if (wanted.keep) kept.set(inode, file)
      else await readings.add(file.path, inode, wanted, () => analysed(wanted.analyser, file, () => undefined))
    },
    change(change, isWanted) {
      const before = change.kind === 'file' ? below.get(change.path) : undefined
      hide(change)
      const wanted = isWanted && change.kind === 'file' ? wantedBy(analysers, change) : undefined
      if (wanted && change.kind === 'file')
        wantedFiles.set(change.path, { ...wanted, path: change.path, inode: change.inode, before })
    },
    async end() {
      for (const { path, inode, ...wanted } of wantedFiles.values()) {
        const file = kept.get(inode)
        if (wanted.interest.kept !== 'asks' || !file) continue
        await readings.add(path, inode, wanted, () =>
          analysed(wanted.analyser, { ...file, path }, (name) => keptBeside(path, name)),
        )
      }
    },
  }

  return {
    visitor,
    finish(layer: number): void {
      try {
        for (const { path, inode, before, ...wanted } of wantedFiles.values()) {
          const reading = readings.of(path, inode, wanted)
          if (!reading) continue
          const file = asFoundAt(path, reading)
          bound.take(file)
          below.set(path, { ...file, broughtBy: broughtBy(file.found, layer, before) })
        }
      } finally {
        readings.giveBack()
      }
    },
  }
}

/** What a file showed under one of its names. */
interface Reading extends AnalysedFile {
  readonly path: string
}

/** What the files of one layer showed, by inode and by what they were wanted for. */
function createReadings(bound: MemoryBound) {
  const byInode = new Map<number, Map<string, Reading | undefined>>()
  const counting = new Map<number, Set<string>>()

  /** Of the names that the layer has in the end, the first ones. They are the same whatever came first in the tar. */
  function counts(inode: number, key: string): boolean {
    const keys = counting.get(inode) ?? new Set()
    counting.set(inode, keys)
    if (keys.size < MOST_NAMES) keys.add(key)
    return keys.has(key)
  }

  return {
    /** Undefined for a file that shows nothing. */
    of(path: string, inode: number, { key, analyser }: WantedBy): Reading | undefined {
      const known = byInode.get(inode)
      if (!known || counts(inode, key)) return known?.get(key)
      return { path, ...gapOf(analyser, path, `it is a hard link to a file with more than ${MOST_NAMES} such names`) }
    },
    async add(
      path: string,
      inode: number,
      { key }: Wanted,
      read: () => Promise<AnalysedFile> | AnalysedFile,
    ): Promise<void> {
      const known = byInode.get(inode) ?? new Map<string, Reading | undefined>()
      byInode.set(inode, known)
      // One more, since a name that the layer has late may have come early.
      if (known.has(key) || known.size > MOST_NAMES) return
      const reading = { path, ...(await read()) }
      if (!isEmpty(reading)) bound.take(reading)
      known.set(key, isEmpty(reading) ? undefined : reading)
    },
    giveBack(): void {
      for (const known of byInode.values()) for (const one of known.values()) if (one) bound.give(one)
      byInode.clear()
    },
  }
}

function isEmpty({ found, owned }: AnalysedFile): boolean {
  return !found.system && !owned && !found.packages?.length && !found.gaps?.length
}

/** A gap of the whole file is one of the name that it is told for. */
function asFoundAt(path: string, { path: readAs, ...file }: Reading): AnalysedFile {
  const { gaps } = file.found
  if (path === readAs || !gaps) return file
  const moved = gaps.map((gap) => (gap.where === readAs ? { ...gap, where: path } : gap))
  return { ...file, found: { ...file.found, gaps: moved } }
}

interface WantedBy extends Wanted {
  readonly analyser: Analyser
  readonly interest: Interest
}

function wantedBy(analysers: readonly Analyser[], file: LayerFile): WantedBy | undefined {
  for (const analyser of analysers) {
    const interest = analyser.wants(file)
    if (interest) return wantedFor(analyser, interest, file)
  }
  return undefined
}

function wantedFor(analyser: Analyser, interest: Interest, { path, size }: LayerFile): WantedBy {
  const headOnly = size > interest.limit
  return {
    analyser,
    interest,
    key: `${analyser.name} ${interest.as ?? posix.basename(path)}`,
    headOnly,
    keep: interest.kept !== undefined && !headOnly,
    ...(interest.magic && { magic: interest.magic }),
  }
}

async function analysed(
  analyser: Analyser,
  file: ReadableFile,
  beside: (name: string) => ReadableFile | undefined,
): Promise<AnalysedFile> {
  try {
    const { owned, ...found } = await analyser.analyse(file, beside)
    if (!owned) return { analyser, found }
    const paths = new OwnedPaths()
    for (const [path] of owned) paths.add(path)
    return { analyser, found, owned: paths }
  } catch (error) {
    if (!isBaleError(error)) throw error
    return gapOf(analyser, file.path, error.message)
  }
}

function tooLarge({ analyser, interest }: WantedBy, { path, size }: LayerFile): AnalysedFile {
  return gapOf(analyser, path, `it has ${size} bytes; at most ${interest.limit} are read`)
}

const gapOf = (analyser: Analyser, where: string, reason: string): AnalysedFile => ({
  analyser,
  found: { gaps: [{ where, reason }] },
})

function broughtBy(found: FoundInFile, layer: number, before: AnalysedImageFile | undefined): Map<string, number> {
  const keys = (found.packages ?? []).map(keyOfPackage)
  return new Map(keys.map((key) => [key, before?.broughtBy.get(key) ?? layer]))
}
