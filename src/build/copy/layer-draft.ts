import { BaleError, followLinks } from '#base'
import type { PieceEntry } from '#format/tar'
import { cleanPath, joinPath, parentOf, type SourceTree, shown } from '../context/index.ts'
import { assertLayerName, type DraftEntry, draftTarEntry, inTheWay, PLAIN_DIRECTORY } from './draft-entry.ts'

interface LayerDraftOptions {
  /** The stage's file system; undefined for scratch and for `--link`, whose layers do not depend on those below. */
  lower: SourceTree | undefined
  /**
   * Directories of the stage by path, for `--link`: one that the layer must contain as a parent gets these attributes,
   * so that `--link` into /tmp leaves /tmp as it is.
   */
  existing?: ReadonlyMap<string, DraftEntry>
  /** Seconds since 1970: no time of the layer is later (SOURCE_DATE_EPOCH). */
  latestTime: number | undefined
  /** Seconds since 1970, for directories that are made. */
  now: number
}

/**
 * A layer while it is written: it knows what the layer has so far and what is below it, and answers which tar entries bring
 * a path in. A directory of a lower layer is repeated with its attributes before something is put into it, since a layer
 * that has `usr/bin/x` alone would change the owner and mode of `usr`.
 */
export interface LayerDraft {
  /** Links are not followed. */
  entry(path: string): DraftEntry | undefined
  /** Resolves the links of a path, with `root` as `/`; missing components are kept as written. */
  follow(path: string, root?: string): string
  /** The missing directories of a path, made with these attributes. Throws BUILD_FAILED when something else is in the way. */
  makeDirectories(path: string, attributes: { mode: number; uid: number; gid: number }): PieceEntry[]
  /** An entry at a path whose directories exist, with the entries that must come before it. */
  put(path: string, entry: DraftEntry & { size?: number }, data?: PieceEntry['data'], later?: Later): PieceEntry[]
  /** One more name for a file that this layer has, and that may be linked. */
  putLink(path: string, target: string): PieceEntry[]
}

/** What may be asked of a file later: to be the target of `putLink`, to be found by `entry`, or nothing, since no source follows. */
type Later = 'putLink' | 'entry' | 'nothing'

export function createLayerDraft(options: LayerDraftOptions): LayerDraft {
  return new Draft(options)
}

const NONE: readonly PieceEntry[] = []
const SOME_FILE: DraftEntry = { ...PLAIN_DIRECTORY, type: 'file', mode: 0o644 }

class Draft implements LayerDraft {
  readonly #options: LayerDraftOptions
  readonly #written = new Map<string, DraftEntry>()
  /** Directories that this layer made: the lower file system has nothing in them. */
  readonly #fresh = new Set<string>()
  /** The directory of the last entry, which exists by now, and whether it is fresh: most entries share it with the one before. */
  #last: { path: string; isFresh: boolean } | undefined

  constructor(options: LayerDraftOptions) {
    this.#options = options
  }

  entry(path: string): DraftEntry | undefined {
    const own = this.#written.get(path)
    if (own || path === '') return own ?? PLAIN_DIRECTORY
    const directory = parentOf(path)
    if (this.#last?.isFresh && this.#last.path === directory) return undefined
    for (let parent = directory; parent !== ''; parent = parentOf(parent)) {
      const above = this.#written.get(parent)
      if (this.#fresh.has(parent) || (above && above.type !== 'directory')) return undefined
    }
    return this.#options.lower?.entry(path)
  }

  follow(path: string, root = ''): string {
    const look = (at: string) => {
      const found = this.entry(joinPath(root, at))
      return found?.type === 'symlink' ? { link: found.linkName } : {}
    }
    const tooMany = () => new BaleError('BUILD_FAILED', `${shown(path)}: too many levels of symbolic links`)
    return [root, followLinks(cleanPath(path), { look, tooMany })].filter(Boolean).join('/')
  }

  makeDirectories(path: string, attributes: { mode: number; uid: number; gid: number }): PieceEntry[] {
    const { existing, now } = this.#options
    const made: PieceEntry[] = []
    let directory = ''
    for (const part of path.split('/').filter(Boolean)) {
      directory = joinPath(directory, part)
      const found = this.entry(directory)
      if (found && found.type !== 'directory') throw inTheWay(directory, found)
      if (found) continue
      const known = existing?.get(directory)
      made.push(
        ...this.put(directory, { ...PLAIN_DIRECTORY, ...attributes, ...known, mtime: now, mtimeNanoseconds: 0 }),
      )
    }
    return made
  }

  put(
    path: string,
    of: DraftEntry & { size?: number },
    data?: PieceEntry['data'],
    later: Later = 'entry',
  ): PieceEntry[] {
    assertLayerName(path)
    const before = this.#directoriesOf(path)
    const existing = this.entry(path)
    if (of.type === 'directory' && !existing) {
      this.#fresh.add(path)
      this.#last = undefined
    }
    if (of.type !== 'directory' && existing?.type === 'directory') this.#forget(path)
    // There may be a million files.
    if (of.type !== 'file' || later === 'putLink') this.#written.set(path, of)
    else if (later === 'entry' || existing) this.#written.set(path, SOME_FILE)
    return [...before, { entry: this.#tarEntry(path, of), data }]
  }

  putLink(path: string, target: string): PieceEntry[] {
    assertLayerName(path)
    const before = this.#directoriesOf(path)
    const of = this.#written.get(target)!
    this.#written.set(path, of)
    const link = { type: 'hardlink' as const, linkName: target, size: 0, sparse: undefined }
    return [...before, { entry: { ...this.#tarEntry(path, of), ...link } }]
  }

  /** The directories above a path that this layer does not have yet, as they are below it. */
  #directoriesOf(path: string): readonly PieceEntry[] {
    const directory = parentOf(path)
    if (this.#last?.path === directory) return NONE
    const missing: PieceEntry[] = []
    for (let parent = directory; parent !== '' && !this.#written.has(parent); parent = parentOf(parent)) {
      const found = this.entry(parent)
      if (found?.type !== 'directory') throw inTheWay(parent, found)
      missing.unshift({ entry: this.#tarEntry(parent, found) })
      this.#written.set(parent, found)
    }
    this.#last = { path: directory, isFresh: this.#fresh.has(directory) }
    return missing
  }

  /** A directory that is replaced by something else loses what this layer added to it. */
  #forget(path: string): void {
    this.#last = undefined
    this.#fresh.delete(path)
    for (const name of [...this.#written.keys()]) {
      if (!name.startsWith(`${path}/`)) continue
      this.#written.delete(name)
      this.#fresh.delete(name)
    }
  }

  #tarEntry(path: string, of: DraftEntry & { size?: number }) {
    return draftTarEntry(path, of, this.#options.latestTime)
  }
}
