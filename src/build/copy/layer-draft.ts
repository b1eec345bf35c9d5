import { posix } from 'node:path'
import { BaleError, followLinks } from '#base'
import type { NewTarEntry, PackedEntry } from '#format/tar'
import { cleanPath, joinPath, parentOf, type SourceTree, shown, type TreeEntry } from '../context/index.ts'

/** What a path is, in the layer being made or below it. */
export type DraftEntry = Omit<TreeEntry, 'inode' | 'size'>

export interface LayerDraftOptions {
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
  makeDirectories(path: string, attributes: { mode: number; uid: number; gid: number }): PackedEntry[]
  /** An entry at a path whose directories exist, with the entries that must come before it. */
  put(path: string, entry: DraftEntry & { size?: number }, data?: PackedEntry['data']): PackedEntry[]
  /** One more name for a file that this layer has. */
  putLink(path: string, target: string): PackedEntry[]
}

export function createLayerDraft({ lower, existing: known, latestTime, now }: LayerDraftOptions): LayerDraft {
  const written = new Map<string, DraftEntry>()
  /** Directories that this layer made: the lower file system has nothing in them. */
  const fresh = new Set<string>()
  const entry = (path: string): DraftEntry | undefined => {
    const own = written.get(path)
    if (own || path === '') return own ?? ROOT
    for (let parent = parentOf(path); parent !== ''; parent = parentOf(parent)) {
      const above = written.get(parent)
      if (fresh.has(parent) || (above && above.type !== 'directory')) return undefined
    }
    return lower?.entry(path)
  }

  const follow = (path: string, root = ''): string => {
    const look = (at: string) => {
      const found = entry(joinPath(root, at))
      return found?.type === 'symlink' ? { link: found.linkName } : {}
    }
    const tooMany = () => new BaleError('BUILD_FAILED', `${shown(path)}: too many levels of symbolic links`)
    return [root, followLinks(cleanPath(path), { look, tooMany })].filter(Boolean).join('/')
  }

  const tarEntry = (path: string, of: DraftEntry & { size?: number }): NewTarEntry => {
    const { type, mode, uid, gid, mtime, mtimeNanoseconds, linkName, deviceMajor, deviceMinor, xattrs, size, sparse } =
      of
    const isLate = latestTime !== undefined && mtime >= latestTime
    const time = isLate ? { mtime: latestTime, mtimeNanoseconds: 0 } : { mtime, mtimeNanoseconds }
    return { name: path, type, mode, uid, gid, ...time, linkName, deviceMajor, deviceMinor, xattrs, size, sparse }
  }

  const directories = (path: string): PackedEntry[] => {
    const missing: PackedEntry[] = []
    for (let parent = parentOf(path); parent !== '' && !written.has(parent); parent = parentOf(parent)) {
      const found = entry(parent)
      if (found?.type !== 'directory') throw inTheWay(parent, found)
      missing.unshift({ entry: tarEntry(parent, found) })
      written.set(parent, found)
    }
    return missing
  }

  /** A directory that is replaced by something else loses what this layer added to it. */
  const forget = (path: string) => {
    fresh.delete(path)
    for (const name of [...written.keys()]) {
      if (!name.startsWith(`${path}/`)) continue
      written.delete(name)
      fresh.delete(name)
    }
  }

  const put: LayerDraft['put'] = (path, of, data) => {
    checkName(path)
    const before = directories(path)
    const existing = entry(path)
    if (of.type === 'directory' && !existing) fresh.add(path)
    if (of.type !== 'directory' && existing?.type === 'directory') forget(path)
    written.set(path, of)
    return [...before, { entry: tarEntry(path, of), data }]
  }

  return {
    entry,
    follow,
    put,
    putLink(path, target) {
      checkName(path)
      const before = directories(path)
      const of = written.get(target)!
      written.set(path, of)
      return [
        ...before,
        { entry: { ...tarEntry(path, of), type: 'hardlink', linkName: target, size: 0, sparse: undefined } },
      ]
    },
    makeDirectories(path, attributes) {
      const made: PackedEntry[] = []
      let directory = ''
      for (const part of path.split('/').filter(Boolean)) {
        directory = joinPath(directory, part)
        const found = entry(directory)
        if (found && found.type !== 'directory') throw inTheWay(directory, found)
        if (!found)
          made.push(
            ...put(directory, { ...ROOT, ...attributes, ...known?.get(directory), mtime: now, mtimeNanoseconds: 0 }),
          )
      }
      return made
    },
  }
}

const ROOT: DraftEntry = {
  type: 'directory',
  mode: 0o755,
  uid: 0,
  gid: 0,
  mtime: 0,
  mtimeNanoseconds: 0,
  linkName: '',
  deviceMajor: 0,
  deviceMinor: 0,
  xattrs: new Map(),
}

function inTheWay(path: string, found: DraftEntry | undefined): BaleError {
  return new BaleError(
    'BUILD_FAILED',
    `cannot copy to non-directory: ${shown(path)} is ${found ? `a ${found.type}` : 'not there'}`,
  )
}

/** A layer cannot hold such a name: readers take it for the mark that something is deleted. */
function checkName(path: string): void {
  if (!posix.basename(path).startsWith('.wh.')) return
  throw new BaleError('BUILD_FAILED', `${shown(path)}: a layer cannot hold a file whose name begins with .wh.`, {
    hint: 'layers use such names to delete files; leave it out with .dockerignore or --exclude',
  })
}
