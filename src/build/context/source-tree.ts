import { closeSync, constants, openSync, readdirSync } from 'node:fs'
import { BaleError, errnoOf, followLinks, printable } from '#base'
import { openRoot, type RootDirectory } from '#host'
import { unreadable } from '#rootfs'
import { baseName, cleanPath, joinPath, parentOf, toBytes, toText } from './byte-path.ts'
import { readEntryData } from './entry-data.ts'
import { createPatternSet, type PatternSet } from './pattern-set.ts'
import { entryPlace, isMissing, readEntry, type TreeEntry } from './tree-entry.ts'

/**
 * A directory that files are copied from: a build context, a stage, an image. What `ignored` matches is invisible: neither
 * listed nor opened nor reached through a link (B08). Every path is resolved inside the directory, also when someone swaps
 * parts of it for links during the build (B07).
 */
export interface SourceTree extends Disposable {
  /** For messages: `the build context`, `stage build`. */
  readonly label: string
  /** Undefined when absent. Links are not followed. */
  entry(path: string): TreeEntry | undefined
  /** The names in a directory, sorted, with their entries. */
  list(path: string): { name: string; entry: TreeEntry }[]
  /** Resolves a path, following all links inside the tree; undefined when absent. */
  follow(path: string): string | undefined
  /**
   * The bytes of a regular file, in chunks; `size` as listed, at most one byte more. That it is shorter or longer now is the
   * reader's to notice.
   * With `sparse` only the bytes of these extents.
   */
  read(path: string, entry: Pick<TreeEntry, 'size' | 'sparse'>): Iterable<Uint8Array>
  isIgnored(path: string): boolean
}

interface SourceTreeOptions {
  label: string
  /** Patterns of a .dockerignore. */
  ignore?: readonly string[]
  /** Files of a directory on the host belong to root in the image. */
  ownedByRoot?: boolean
}

/** Opens a directory of the host, until it is disposed. */
export function openSourceTree(directory: string, options: SourceTreeOptions): SourceTree {
  return new HostTree(openRoot(directory), options)
}

class HostTree implements SourceTree {
  readonly label: string
  readonly #root: RootDirectory
  readonly #ownedByRoot: boolean
  readonly #patterns: PatternSet | undefined
  /** Files are read directory by directory: the directory's descriptor is kept. */
  #lastDirectory: { path: string; descriptor: number } | undefined

  constructor(root: RootDirectory, { label, ignore = [], ownedByRoot = false }: SourceTreeOptions) {
    this.label = label
    this.#root = root
    this.#ownedByRoot = ownedByRoot
    this.#patterns = ignore.length > 0 ? createPatternSet(ignore) : undefined
  }

  entry(path: string): TreeEntry | undefined {
    const name = path === '' ? '.' : path.slice(path.lastIndexOf('/') + 1)
    try {
      const found = this.#withDirectory(parentOf(path), (descriptor) => this.#entryAt(descriptor, name))
      return this.#visible(path, found)
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  list(path: string): { name: string; entry: TreeEntry }[] {
    return this.#withDirectory(path, (descriptor) =>
      readdirSync(`/proc/self/fd/${descriptor}`, { encoding: 'latin1' as BufferEncoding })
        .sort()
        .flatMap((name) => {
          const found = this.#visible(joinPath(path, name), this.#entryAt(descriptor, name))
          return found ? { name, entry: found } : []
        }),
    )
  }

  follow(path: string): string | undefined {
    const look = (at: string, isLast: boolean) => {
      const found = this.entry(at)
      if (found?.type === 'symlink') return { link: found.linkName }
      return found && (isLast || found.type === 'directory') ? {} : undefined
    }
    const tooMany = () =>
      new BaleError('BUILD_FAILED', `${shown(path)}: too many levels of symbolic links in ${this.label}`)
    return followLinks(cleanPath(path), { look, tooMany })
  }

  *read(path: string, entry: Pick<TreeEntry, 'size' | 'sparse'>): Iterable<Uint8Array> {
    yield* readEntryData(this.#openFile(path), entry)
  }

  isIgnored(path: string): boolean {
    // Patterns are text, paths are bytes.
    return path !== '' && (this.#patterns?.matches(toText(path)) ?? false)
  }

  [Symbol.dispose](): void {
    this.#closeLast()
    this.#root[Symbol.dispose]()
  }

  /** An ignored directory still exists when an exception may lead into it. */
  #visible(path: string, entry: TreeEntry | undefined): TreeEntry | undefined {
    if (!entry || !this.isIgnored(path)) return entry
    const leads = entry.type === 'directory' && this.#patterns!.mayExceptBelow(toText(path))
    return leads ? { ...entry, isPassage: true } : undefined
  }

  #entryAt(descriptor: number, name: string): TreeEntry | undefined {
    return readEntry(entryPlace(descriptor, name), this.#ownedByRoot)
  }

  #withDirectory<T>(path: string, act: (descriptor: number) => T): T {
    const descriptor = this.#openDirectory(path)
    try {
      return act(descriptor)
    } catch (error) {
      throw unreadable(error, `/proc/self/fd/${descriptor}`)
    } finally {
      closeSync(descriptor)
    }
  }

  #openDirectory(path: string): number {
    return this.#root.open(path === '' ? '/' : toBytes(path), constants.O_RDONLY | constants.O_DIRECTORY)
  }

  /** Refuses what became a link since it was listed. */
  #openFile(path: string): number {
    const place = entryPlace(this.#directoryOf(path), baseName(path))
    try {
      return openSync(place, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY)
    } catch (error) {
      if (errnoOf(error) !== 'ELOOP') throw error
      throw new BaleError('BUILD_FAILED', `${shown(path)} became a symbolic link while it was being copied`, {
        cause: error,
      })
    }
  }

  #directoryOf(path: string): number {
    const directory = parentOf(path)
    if (this.#lastDirectory?.path === directory) return this.#lastDirectory.descriptor
    this.#closeLast()
    const descriptor = this.#openDirectory(directory)
    this.#lastDirectory = { path: directory, descriptor }
    return descriptor
  }

  #closeLast(): void {
    if (this.#lastDirectory) closeSync(this.#lastDirectory.descriptor)
    this.#lastDirectory = undefined
  }
}

export function shown(path: string): string {
  return printable(`/${toText(path)}`)
}
