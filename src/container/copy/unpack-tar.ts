import { closeSync, constants, fchmodSync, fchownSync, writeSync } from 'node:fs'
import { BaleError, errnoOf } from '#base'
import { createTarScanner, normalisePath, quotedName, type TarEntry, tarError } from '#format/tar'
import { type RootFolder, writeXattr } from '#host'

export interface UnpackOptions {
  /** Folder of the root to unpack in; must be there. */
  folder: string
  /** Another name for the first component; undefined leaves the first component away (contents only); `keep` changes nothing. */
  name?: string | undefined
  keepNames?: boolean
  /** Owner of what is made; the tar's own when undefined. */
  owner?: { uid: number; gid: number }
  /** Refuse to put a file in a folder's place or the other way round. */
  strict?: boolean
}

const TYPES: Partial<Record<TarEntry['type'], number>> = { character: 0o020000, block: 0o060000, fifo: 0o010000 }

/**
 * Unpacks a tar into a folder of a root that others may be changing: every name is resolved by the kernel inside the
 * root, files are made anew and never opened through what was there (R04). Whiteouts are ordinary names here. Devices
 * 0:0 and overlayfs attributes are refused: on a container's own layer they would hide files of its image.
 */
export async function unpackTar(
  root: RootFolder,
  tar: AsyncIterable<Uint8Array>,
  options: UnpackOptions,
): Promise<void> {
  const unpacker = new Unpacker(root, options)
  const scanner = createTarScanner({
    onEntry: (entry) => unpacker.begin(entry),
    onData: (entry, bytes, offset) => unpacker.data(entry, bytes, offset),
    onEndOfEntry: (entry) => unpacker.end(entry),
  })
  try {
    for await (const chunk of tar) scanner.push(chunk)
    scanner.end()
    unpacker.finish()
  } catch (error) {
    if (errnoOf(error) === 'EROFS') throw new BaleError('CONFLICT', 'the destination is read-only', { cause: error })
    throw error
  } finally {
    unpacker.close()
  }
}

class Unpacker {
  readonly #root: RootFolder
  readonly #options: UnpackOptions
  /** Folders get their times last: each name made in one changes them. */
  readonly #folders: { path: Buffer; entry: TarEntry }[] = []
  #file: number | undefined

  constructor(root: RootFolder, options: UnpackOptions) {
    this.#root = root
    this.#options = options
  }

  begin(entry: TarEntry): void {
    const path = this.#pathOf(entry.name)
    if (!path) return
    if (entry.type === 'directory') this.#folder(path, entry)
    else this.#leaf(path, entry)
  }

  #leaf(path: Buffer, entry: TarEntry): void {
    this.#makeParents(path)
    this.#clear(path, entry)
    if (entry.type === 'file') {
      const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
      this.#file = this.#root.open(path, flags, 0o600)
    } else if (entry.type === 'symlink') this.#root.symlink(Buffer.from(entry.linkName, 'latin1'), path)
    else if (entry.type === 'hardlink') this.#link(entry, path)
    else this.#device(entry, path)
  }

  data(entry: TarEntry, bytes: Uint8Array, offset: number): void {
    if (this.#file === undefined) return
    for (const { position, from, to } of placed(entry, offset, bytes.length))
      for (let done = from; done < to; ) done += writeSync(this.#file, bytes, done, to - done, position + done - from)
  }

  end(entry: TarEntry): void {
    const path = this.#pathOf(entry.name)
    if (!path || entry.type === 'directory' || entry.type === 'hardlink') {
      this.close()
      return
    }
    this.#own(path, entry)
    if (this.#file !== undefined) {
      // Owner first: changing it takes setuid bits away.
      fchmodSync(this.#file, entry.mode)
      this.close()
    }
    this.#attributes(path, entry)
    this.#times(path, entry)
  }

  finish(): void {
    for (const { path, entry } of this.#folders.reverse()) {
      const fd = this.#root.open(path, constants.O_RDONLY | constants.O_DIRECTORY)
      try {
        const { uid, gid } = this.#options.owner ?? entry
        fchownSync(fd, uid, gid)
        fchmodSync(fd, entry.mode)
      } finally {
        closeSync(fd)
      }
      this.#attributes(path, entry)
      this.#times(path, entry)
    }
  }

  close(): void {
    if (this.#file === undefined) return
    closeSync(this.#file)
    this.#file = undefined
  }

  /** Where an entry goes, or undefined when it is the folder itself. */
  #pathOf(name: string): Buffer | undefined {
    const { folder, keepNames } = this.#options
    const parts = normalisePath(name)
    if (!keepNames) {
      parts.shift()
      if (this.#options.name !== undefined) parts.unshift(Buffer.from(this.#options.name).toString('latin1'))
    }
    if (parts.length === 0) return undefined
    return Buffer.concat([Buffer.from(folder), Buffer.from(`/${parts.join('/')}`, 'latin1')])
  }

  #makeParents(path: Buffer): void {
    const parent = path.subarray(0, path.lastIndexOf(0x2f))
    if (parent.length > 0 && !this.#root.statIfThere(parent)) this.#root.mkdirAll(parent, 0o755)
  }

  #folder(path: Buffer, entry: TarEntry): void {
    this.#makeParents(path)
    const there = this.#root.statIfThere(path, { follow: false })
    // A link to a folder stands for that folder, as with any unpacking.
    if (!there?.isDirectory() && !(there?.isSymbolicLink() && this.#root.statIfThere(path)?.isDirectory())) {
      if (there) this.#replace(path, `cannot overwrite non-directory ${quotedName(entry.name)} with a directory`)
      this.#root.mkdir(path, 0o700)
    }
    this.#folders.push({ path, entry })
  }

  #clear(path: Buffer, entry: TarEntry): void {
    const there = this.#root.statIfThere(path, { follow: false })
    if (!there) return
    if (there.isDirectory())
      this.#replace(path, `cannot overwrite directory ${quotedName(entry.name)} with a non-directory`)
    else this.#root.unlink(path)
  }

  #replace(path: Buffer, refusal: string): void {
    if (this.#options.strict !== false) throw new BaleError('INVALID_ARGUMENT', refusal)
    this.#root.removeAll(path)
  }

  #link(entry: TarEntry, path: Buffer): void {
    const target = this.#pathOf(entry.linkName)
    if (!target) throw tarError('is a hard link to the root', entry.name)
    this.#root.link(target, path)
  }

  #device(entry: TarEntry, path: Buffer): void {
    if (entry.type === 'character' && entry.deviceMajor === 0 && entry.deviceMinor === 0)
      throw tarError('is the device 0:0, which hides files', entry.name)
    this.#root.mknod(path, TYPES[entry.type]! | entry.mode, entry.deviceMajor, entry.deviceMinor)
  }

  #own(path: Buffer, entry: TarEntry): void {
    const { uid, gid } = this.#options.owner ?? entry
    if (this.#file !== undefined) fchownSync(this.#file, uid, gid)
    else this.#root.chown(path, uid, gid)
  }

  #attributes(path: Buffer, entry: TarEntry): void {
    for (const [name, value] of entry.xattrs) {
      if (/^(trusted|user)\.overlay\./.test(name)) throw tarError(`has the attribute ${name}`, entry.name)
      this.#root.withEntry(path, (safePath) => writeXattr(safePath, name, value))
    }
  }

  #times(path: Buffer, entry: TarEntry): void {
    const time = { seconds: entry.mtime, nanoseconds: entry.mtimeNanoseconds }
    this.#root.utimes(path, time, time)
  }
}

/** Where bytes of an entry's data belong in the file: as they come, or into the segments of a sparse one. */
function placed(entry: TarEntry, offset: number, length: number): { position: number; from: number; to: number }[] {
  if (!entry.sparse) return [{ position: offset, from: 0, to: length }]
  const pieces: { position: number; from: number; to: number }[] = []
  let start = 0
  for (const segment of entry.sparse) {
    const from = Math.max(offset, start)
    const to = Math.min(offset + length, start + segment.length)
    if (from < to) pieces.push({ position: segment.offset + from - start, from: from - offset, to: to - offset })
    start += segment.length
  }
  return pieces
}
