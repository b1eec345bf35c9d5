import { chmodSync, closeSync, constants, fchmodSync, fchownSync, fstatSync, ftruncateSync, writeSync } from 'node:fs'
import { BaleError, errnoOf } from '#base'
import { createTarScanner, normalisePath, quotedName, type TarEntry, tarError } from '#format/tar'
import { O_PATH, type RootDirectory, writeXattr } from '#host'
import { entryFailure } from './entry-failure.ts'

export interface UnpackOptions {
  /** Directory of the root to unpack in; must exist. */
  directory: string
  /** What messages call that directory; `directory` when undefined. */
  shown?: string
  /** Another name for the first component; undefined drops the first component (contents only); `keep` changes nothing. */
  name?: string | undefined
  keepNames?: boolean
  /** Owner of the files that are made; that of the tar when undefined. */
  owner?: { uid: number; gid: number }
  /** Refuse to replace a directory with a file or vice versa. */
  strict?: boolean
  /** The directory itself gets the attributes that the tar has for its root. */
  ownDirectory?: boolean
}

const TYPES: Partial<Record<TarEntry['type'], number>> = { character: 0o020000, block: 0o060000, fifo: 0o010000 }

/**
 * Unpacks a tar into a directory of a root that others may be changing: every name is resolved by the kernel inside the
 * root, files are created and never opened through an existing one (R04). A link in the place of a directory is not that
 * directory: it is refused, or replaced when not `strict`. Whether names may go through links above them is the root's
 * choice. Whiteouts are ordinary names here. Devices 0:0 and overlayfs attributes are refused: on a container's own layer
 * they would hide files of its image.
 */
export async function unpackTar(
  root: RootDirectory,
  tar: AsyncIterable<Uint8Array>,
  options: UnpackOptions,
): Promise<void> {
  const unpacker = new Unpacker(root, options)
  const naming = (entry: TarEntry, act: () => void) => {
    try {
      act()
    } catch (error) {
      throw entryFailure(error, entry.name)
    }
  }
  const scanner = createTarScanner({
    onEntry: (entry) => naming(entry, () => unpacker.begin(entry)),
    onData: (entry, bytes, offset) => naming(entry, () => unpacker.data(entry, bytes, offset)),
    onEndOfEntry: (entry) => naming(entry, () => unpacker.end(entry)),
  })
  try {
    for await (const chunk of tar) scanner.push(chunk)
    scanner.end()
    unpacker.finish(naming)
  } finally {
    unpacker.abandon()
  }
}

class Unpacker {
  readonly #root: RootDirectory
  readonly #options: UnpackOptions
  /** Directories get their attributes last: each name made in one changes them. */
  readonly #directories: { path: Buffer; entry: TarEntry }[] = []
  #file: number | undefined
  #path: Buffer | undefined
  /** The file cannot be replaced (it is a mount point, or the kernel's): its content is overwritten. */
  #inPlace = false

  constructor(root: RootDirectory, options: UnpackOptions) {
    this.#root = root
    this.#options = options
  }

  begin(entry: TarEntry): void {
    const path = this.#pathOf(entry.name)
    if (!path) {
      if (this.#options.ownDirectory && entry.type === 'directory')
        this.#directories.push({ path: Buffer.from(this.#options.directory), entry })
    } else if (entry.type === 'directory') this.#directory(path, entry)
    else this.#leaf(path, entry)
  }

  #leaf(path: Buffer, entry: TarEntry): void {
    this.#makeParents(path)
    this.#inPlace = !this.#clear(path, entry)
    this.#path = path
    if (this.#inPlace) this.#file = this.#openThere(path)
    else if (entry.type === 'file') {
      const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
      this.#file = this.#root.open(path, flags, 0o600)
    } else if (entry.type === 'symlink') this.#root.symlink(Buffer.from(entry.linkName, 'latin1'), path)
    else if (entry.type === 'hardlink') this.#link(entry, path)
    else this.#device(entry, path)
  }

  data(entry: TarEntry, bytes: Uint8Array, offset: number): void {
    if (this.#file === undefined) return
    for (const { position, from, to } of placed(entry, offset, bytes.length))
      for (let start = from; start < to; start += PIECE)
        this.#write(bytes.subarray(start, Math.min(start + PIECE, to)), position + start - from)
  }

  /** Zeros become holes: a sparse file does not fill the disk. */
  #write(piece: Uint8Array, position: number): void {
    if (!this.#inPlace && piece.length >= BLOCK && ZEROS.subarray(0, piece.length).equals(piece)) return
    for (let done = 0; done < piece.length; )
      done += writeSync(this.#file!, piece, done, piece.length - done, position + done)
  }

  end(entry: TarEntry): void {
    const path = this.#pathOf(entry.name)
    if (!path || this.#inPlace || entry.type === 'directory' || entry.type === 'hardlink') {
      this.close()
      return
    }
    this.#own(path, entry)
    if (this.#file !== undefined) {
      ftruncateSync(this.#file, entry.size)
      // Owner first: changing it clears setuid bits.
      fchmodSync(this.#file, entry.mode)
      this.close()
    }
    this.#attributes(path, entry)
    this.#times(path, entry)
  }

  finish(naming: (entry: TarEntry, act: () => void) => void): void {
    for (const { path, entry } of this.#directories.reverse()) naming(entry, () => this.#finishDirectory(path, entry))
  }

  #finishDirectory(path: Buffer, entry: TarEntry): void {
    const fd = this.#root.open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
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

  close(): void {
    if (this.#file === undefined) return
    closeSync(this.#file)
    this.#file = undefined
  }

  /** Closes a file whose end never came, and removes it: a file with its final name is whole. */
  abandon(): void {
    if (this.#file === undefined) return
    this.close()
    // One that could not be replaced keeps what was written so far.
    if (this.#inPlace || !this.#path) return
    // Its removal by another process must not hide why the copy failed.
    if (this.#root.statIfThere(this.#path, { follow: false })) this.#root.unlink(this.#path)
  }

  /** Where an entry goes, or undefined when it is the directory itself. */
  #pathOf(name: string): Buffer | undefined {
    const { directory, keepNames } = this.#options
    const parts = normalisePath(name)
    if (!keepNames) {
      parts.shift()
      if (this.#options.name !== undefined) parts.unshift(Buffer.from(this.#options.name).toString('latin1'))
    }
    if (parts.length === 0) return undefined
    return Buffer.concat([Buffer.from(directory), Buffer.from(`/${parts.join('/')}`, 'latin1')])
  }

  #makeParents(path: Buffer): void {
    const parent = path.subarray(0, path.lastIndexOf(0x2f))
    if (parent.length > 0 && !this.#root.statIfThere(parent)) this.#root.mkdirAll(parent, 0o755)
  }

  #directory(path: Buffer, entry: TarEntry): void {
    this.#makeParents(path)
    const there = this.#root.statIfThere(path, { follow: false })
    if (!there?.isDirectory()) {
      if (there) this.#replace(path, ['non-directory', 'directory'])
      this.#root.mkdir(path, 0o700)
    }
    this.#directories.push({ path, entry })
  }

  /** Removes the existing entry; false when it has to stay. */
  #clear(path: Buffer, entry: TarEntry): boolean {
    const there = this.#root.statIfThere(path, { follow: false })
    if (!there) return true
    if (there.isDirectory()) {
      this.#replace(path, ['directory', 'non-directory'])
      return true
    }
    // Removing a mount point of another mount namespace would remove the mount there.
    if (this.#root.isMountPoint(path)) {
      if (entry.type === 'file' && there.isFile()) return false
      throw new BaleError('CONFLICT', `${quotedName(entry.name)} is a mount point and cannot become a ${entry.type}`)
    }
    try {
      this.#root.unlink(path)
      return true
    } catch (error) {
      // In the kernel's file systems nothing can be removed.
      if (entry.type !== 'file' || !there.isFile() || !['EPERM', 'EACCES'].includes(errnoOf(error) ?? '')) throw error
      return false
    }
  }

  /** A file that is not replaced: only a regular one is opened, since opening a device has effects. */
  #openThere(path: Buffer): number {
    const fd = this.#root.open(path, constants.O_WRONLY | constants.O_TRUNC | constants.O_NOFOLLOW)
    if (fstatSync(fd).isFile()) return fd
    closeSync(fd)
    throw new BaleError('CONFLICT', 'the destination changed while it was being written')
  }

  #replace(path: Buffer, [there, wanted]: [string, string]): void {
    const { directory, shown = directory, strict } = this.#options
    if (strict === false) {
      this.#root.removeAll(path)
      return
    }
    const below = quotedName(path.subarray(Buffer.byteLength(directory)).toString('latin1'))
    const where = `${JSON.stringify(shown.replace(/\/+$/, '')).slice(0, -1)}${below.slice(1)}`
    throw new BaleError(
      'INVALID_ARGUMENT',
      `cannot overwrite ${there} ${where} with ${wanted} ${JSON.stringify(shown)}`,
      { hint: 'remove it first, or copy to another place' },
    )
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
    if (this.#file !== undefined) {
      fchownSync(this.#file, uid, gid)
      return
    }
    this.#root.chown(path, uid, gid)
    if (entry.type === 'symlink') return
    // Of a device or fifo; making one obeys the umask.
    const fd = this.#root.open(path, O_PATH | constants.O_NOFOLLOW)
    try {
      chmodSync(`/proc/self/fd/${fd}`, entry.mode)
    } finally {
      closeSync(fd)
    }
  }

  #attributes(path: Buffer, entry: TarEntry): void {
    for (const [name, value] of entry.xattrs) {
      if (/^(trusted|user)\.overlay\./.test(name)) throw tarError(`has the attribute ${name}`, entry.name)
      try {
        this.#root.withEntry(path, (safePath) => writeXattr(safePath, name, value))
      } catch (error) {
        // A file system that has no such attributes still takes the file, as with docker.
        if (errnoOf(error) !== 'ENOTSUP') throw error
      }
    }
  }

  #times(path: Buffer, entry: TarEntry): void {
    const time = { seconds: entry.mtime, nanoseconds: entry.mtimeNanoseconds }
    try {
      this.#root.utimes(path, time, time)
    } catch (error) {
      // A file system that cannot hold the time keeps its own.
      if (errnoOf(error) !== 'EINVAL') throw error
    }
  }
}

const PIECE = 64 * 1024
const ZEROS = Buffer.alloc(PIECE)
/** Smaller pieces than a block save nothing. */
const BLOCK = 4096

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
