import { isBaleError, type OperationOptions } from '#base'
import type { Analyser, Interest, LayerFile, ReadableFile } from '../analyser.ts'
import type { LayerChange, LayerFiles, LayerVisitor, Wanted } from '../layers/index.ts'
import type { FoundInFile, FoundPackage, Gap } from '../model.ts'
import { createPathTree, type PathTree } from '../path-tree.ts'
import { OwnedPaths } from './owned-paths.ts'

/** What one file of the image showed, after all layers. */
export interface AnalysedImageFile {
  readonly analyser: Analyser
  readonly found: FoundInFile
  readonly owned?: OwnedPaths
  /** Layer that brought each package of the file, by `keyOfPackage`. */
  readonly broughtBy: ReadonlyMap<string, number>
}

/** The files of an image as its layers are stacked, as far as analysers want them. */
export interface ImageFiles {
  /** To be called from the bottom layer up. What the layer throws is thrown, and what it changed until then stays. */
  addLayer(layer: LayerFiles, options?: OperationOptions): Promise<void>
  files(): Generator<[path: string, file: AnalysedImageFile]>
}

export function createImageFiles(analysers: readonly Analyser[]): ImageFiles {
  const merged = createPathTree<AnalysedImageFile>()
  let layers = 0
  return {
    async addLayer(layer, options) {
      const index = layers++
      const pass = createLayerPass(analysers, merged)
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

interface Analysed {
  readonly analyser: Analyser
  readonly found: FoundInFile
  readonly owned?: OwnedPaths
}

/**
 * One layer on its way. What it hides is taken from the layers below at once, whatever the order of its entries: a
 * whiteout hides nothing of its own layer.
 */
function createLayerPass(analysers: readonly Analyser[], below: PathTree<AnalysedImageFile>) {
  const fresh = new Map<string, Analysed>()
  /** What the layer replaces: packages that were there before did not come with it. */
  const replaced = new Map<string, AnalysedImageFile>()
  const kept = new Map<string, { file: ReadableFile; analyser: Analyser | undefined }>()

  function hide({ kind, path }: LayerChange): void {
    if (kind === 'opaque') below.removeBelow(path)
    else if (kind === 'directory') below.removeAt(path)
    else {
      const old = kind === 'file' ? below.get(path) : undefined
      if (old) replaced.set(path, old)
      below.remove(path)
    }
  }

  async function analyse(analyser: Analyser, file: ReadableFile): Promise<void> {
    fresh.set(file.path, await analysed(analyser, file, (name) => kept.get(siblingOf(file.path, name))?.file))
  }

  const visitor: LayerVisitor = {
    change(change) {
      hide(change)
      if (change.kind === 'whiteout' || change.kind === 'opaque') return undefined
      // A later entry of the same layer replaces an earlier one.
      fresh.delete(change.path)
      kept.delete(change.path)
      if (change.kind !== 'file') return undefined
      const wanted = wantedBy(analysers, change)
      if (!wanted) return undefined
      if (change.size <= wanted.interest.limit) return wanted
      if (!wanted.interest.magic) fresh.set(change.path, tooLarge(wanted.analyser, change, wanted.interest))
      return undefined
    },
    async content(file) {
      const wanted = wantedBy(analysers, file)!
      if (wanted.keep) kept.set(file.path, { file, analyser: wanted.analyser })
      else if (wanted.analyser) await analyse(wanted.analyser, file)
    },
    link(path, target) {
      const before = fresh.get(target)
      // By its name alone: the size and mode of a link are those of the file.
      const named = wantedBy(analysers, { path, size: 0, mode: 0 })?.analyser
      if (before && (named === undefined || named === before.analyser)) fresh.set(path, before)
      else if (named) return 'content'
      return 'nothing'
    },
    async end() {
      for (const { file, analyser } of kept.values()) if (analyser) await analyse(analyser, file)
    },
  }

  return {
    visitor,
    finish(layer: number): void {
      for (const [path, one] of fresh)
        below.set(path, { ...one, broughtBy: broughtBy(one.found, layer, replaced.get(path)) })
    },
  }
}

interface WantedBy extends Wanted {
  /** Undefined for a companion of another file. */
  readonly analyser: Analyser | undefined
  readonly interest: Interest
}

function wantedBy(analysers: readonly Analyser[], file: LayerFile): WantedBy | undefined {
  for (const analyser of analysers) {
    const interest = analyser.wants(file)
    if (interest) return { analyser, interest, keep: analyser.companions !== undefined, ...magicOf(interest) }
    const companion = Object.entries(analyser.companions ?? {}).find(([ending]) => file.path.endsWith(ending))
    if (companion) return { analyser: undefined, interest: { limit: companion[1] }, keep: true }
  }
  return undefined
}

const magicOf = ({ magic }: Interest) => (magic ? { magic } : {})

async function analysed(
  analyser: Analyser,
  file: ReadableFile,
  beside: (name: string) => ReadableFile | undefined,
): Promise<Analysed> {
  try {
    const { owned, ...found } = await analyser.analyse(file, beside)
    if (!owned) return { analyser, found }
    const paths = new OwnedPaths()
    for (const [path] of owned) paths.add(path)
    return { analyser, found, owned: paths }
  } catch (error) {
    if (!isBaleError(error)) throw error
    return { analyser, found: { gaps: [{ where: file.path, reason: error.message }] } }
  }
}

function tooLarge(analyser: Analyser | undefined, { path, size }: LayerFile, { limit }: Interest): Analysed {
  const gap: Gap = { where: path, reason: `it has ${size} bytes; at most ${limit} are read` }
  return { analyser: analyser ?? NO_ANALYSER, found: { gaps: [gap] } }
}

/** Of a companion that was too large to be read. */
const NO_ANALYSER: Analyser = { name: 'none', wants: () => undefined, analyse: () => ({}) }

function broughtBy(found: FoundInFile, layer: number, before: AnalysedImageFile | undefined): Map<string, number> {
  const keys = (found.packages ?? []).map(keyOfPackage)
  return new Map(keys.map((key) => [key, before?.broughtBy.get(key) ?? layer]))
}

function siblingOf(path: string, name: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1) + name
}
