import { closeSync, constants, readdirSync } from 'node:fs'
import { BaleError, errnoOf, followLinks, printable } from '#base'
import type { FileBytes } from '#format/tar'
import { isSameFile, openEntry, openRoot, type RootDirectory, statDescriptor } from '#host'
import { unreadable } from '#rootfs'
import { baseName, cleanPath, joinPath, parentOf, toBytes, toText } from './byte-path.ts'
import { fileBytes, isSmall, readLarge, readSmall } from './entry-data.ts'
import { type FileDigests, openFileDigests } from './file-digests.ts'
import { createPatternSet, type MatchState, type PatternSet } from './pattern-set.ts'
import { hasReliableTimes } from './reliable-times.ts'
import { isMissing, type ReadEntryOptions, readEntry, type TreeEntry } from './tree-entry.ts'

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
  read(path: string, entry: ReadableEntry): Iterable<Uint8Array>
  /** What `read` gives, of a small file, until the next call; undefined for a large one. Nothing is allocated. */
  readAtOnce(path: string, entry: ReadableEntry): Uint8Array | undefined
  /** What `read` gives, to be read from front to back; undefined for a sparse file. SIZE_MISMATCH when it changed its size. */
  open(path: string, entry: ReadableEntry): FileBytes | undefined
  /** For builds to come: the sha256 of all that `read` gave. */
  remember(entry: ReadableEntry, digest: string): void
  /** Writes what is to be remembered. */
  save(): Promise<void>
  isIgnored(path: string): boolean
}

/** What reading needs of an entry. */
type ReadableEntry = Pick<TreeEntry, 'size' | 'sparse' | 'known'>

interface SourceTreeOptions {
  label: string
  /** Where digests of files are remembered between builds. */
  remember?: Parameters<typeof openFileDigests>[0]
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
  readonly #digests: FileDigests | undefined
  /** By device. */
  readonly #reliable = new Map<string, boolean>()
  /** What the patterns say of the directory that was listed last. */
  #state: { path: string; state: MatchState | undefined } = { path: '', state: undefined }
  /** Files are read directory by directory: the directory's descriptor is kept. */
  #lastDirectory: { path: string; descriptor: number } | undefined

  constructor(root: RootDirectory, { label, ignore = [], ownedByRoot = false, remember }: SourceTreeOptions) {
    this.label = label
    this.#root = root
    this.#ownedByRoot = ownedByRoot
    this.#patterns = ignore.length > 0 ? createPatternSet(ignore) : undefined
    this.#digests = remember && openFileDigests(remember, statDescriptor(root.fd).identity.slice())
  }

  entry(path: string): TreeEntry | undefined {
    const name = path === '' ? '.' : path.slice(path.lastIndexOf('/') + 1)
    try {
      return this.#withDirectory(parentOf(path), (descriptor) => {
        const found = readEntry(descriptor, name, this.#optionsFor(descriptor))
        return found && this.#visible(path, found, this.#stateOf(parentOf(path)))
      })
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  list(path: string): { name: string; entry: TreeEntry }[] {
    return this.#withDirectory(path, (descriptor) => {
      const options = this.#optionsFor(descriptor)
      const state = this.#stateOf(path)
      const listed: { name: string; entry: TreeEntry }[] = []
      for (const name of readdirSync(`/proc/self/fd/${descriptor}`, { encoding: 'latin1' as BufferEncoding }).sort()) {
        const found = readEntry(descriptor, name, options)
        const entry = found && this.#visible(joinPath(path, name), found, state)
        if (entry) listed.push({ name, entry })
      }
      return listed
    })
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

  read(path: string, entry: ReadableEntry): Iterable<Uint8Array> {
    const bytes = this.readAtOnce(path, entry)
    return bytes ? [Uint8Array.from(bytes)] : this.#readLarge(path, entry)
  }

  readAtOnce(path: string, entry: ReadableEntry): Uint8Array | undefined {
    return isSmall(entry) ? readSmall(this.#openFile(path, entry), entry) : undefined
  }

  open(path: string, entry: ReadableEntry): FileBytes | undefined {
    return entry.sparse ? undefined : fileBytes(this.#openFile(path, entry), entry, () => shown(path))
  }

  remember({ known }: ReadableEntry, digest: string): void {
    if (known?.identity) this.#digests?.add(known.identity, digest)
  }

  async save(): Promise<void> {
    await this.#digests?.save()
  }

  isIgnored(path: string): boolean {
    // Patterns are text, paths are bytes.
    return path !== '' && (this.#patterns?.matches(toText(path)) ?? false)
  }

  [Symbol.dispose](): void {
    this.#closeLast()
    this.#root[Symbol.dispose]()
  }

  /** An ignored directory still exists when an exception may lead into it. `parent`: what the patterns say of its directory. */
  #visible(path: string, entry: TreeEntry, parent: MatchState | undefined): TreeEntry | undefined {
    if (!this.#patterns || path === '') return entry
    // Patterns are text, paths are bytes.
    const text = toText(path)
    if (!this.#patterns.step(text, parent).matched) return entry
    const leads = entry.type === 'directory' && this.#patterns.mayExceptBelow(text)
    return leads ? { ...entry, isPassage: true } : undefined
  }

  #stateOf(directory: string): MatchState | undefined {
    if (!this.#patterns || directory === '') return undefined
    if (this.#state.path !== directory) {
      const above = this.#stateOf(parentOf(directory))
      this.#state = { path: directory, state: this.#patterns.step(toText(directory), above) }
    }
    return this.#state.state
  }

  /** Digests are remembered of what lies in the directory itself, where its file system can be trusted to date every change. */
  #optionsFor(descriptor: number): ReadEntryOptions {
    const ownedByRoot = this.#ownedByRoot
    if (!this.#digests) return { ownedByRoot, digests: undefined, device: undefined }
    const { identity } = statDescriptor(descriptor)
    const device = `${identity[0]}:${identity[1]}`
    const known = this.#reliable.get(device) ?? hasReliableTimes(descriptor)
    this.#reliable.set(device, known)
    return { ownedByRoot, digests: known ? this.#digests : undefined, device: identity.slice(0, 2) }
  }

  /** Opened when its turn comes. */
  *#readLarge(path: string, entry: ReadableEntry): Generator<Uint8Array> {
    yield* readLarge(this.#openFile(path, entry), entry)
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
  #openFile(path: string, { known }: ReadableEntry): number {
    const descriptor = this.#openPlace(path)
    // Another file under its name has another digest.
    if (known?.identity && !isSameFile(statDescriptor(descriptor).identity, known.identity)) known.identity = undefined
    return descriptor
  }

  #openPlace(path: string): number {
    try {
      return openEntry(this.#directoryOf(path), baseName(path))
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
