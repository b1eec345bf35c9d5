import { closeSync, constants, fchmodSync, fstatSync, readdirSync, type Stats } from 'node:fs'
import { errnoOf } from '#base'
import { readBytesSync } from './file/index.ts'
import {
  AT_FDCWD,
  AT_REMOVEDIR,
  fchownat,
  linkat,
  mkdirat,
  mknodat,
  O_PATH,
  openat2,
  type Path,
  RENAME,
  RESOLVE,
  readlinkat,
  renameat2,
  symlinkat,
  type Time,
  unlinkat,
  utimensat,
} from './kernel/syscalls.ts'

/**
 * A directory that is treated as the root of a file system that others may have written, or be writing right now: every
 * path is resolved by the kernel inside it (openat2 RESOLVE_IN_ROOT, no magic links), so that `..`, absolute links and
 * links swapped during the work never lead outside. Closed by dispose. All calls are synchronous and short.
 *
 * Entries that a call makes, removes or changes are the last component of the path, never what a link there points to;
 * the directories before it may be reached through links. Paths are strings (UTF-8) or bytes; errors are Node-like (.code).
 */
export interface RootDirectory extends Disposable {
  /** O_PATH descriptor of the root itself. */
  readonly fd: number
  /** Descriptor of an entry; the caller closes it. `flags` as of open(2); O_NONBLOCK is added so that no fifo blocks. */
  open(path: Path, flags?: number, mode?: number): number
  /** Follows links (inside the root) unless `follow` is false. */
  stat(path: Path, options?: { follow?: boolean }): Stats
  /** Like `stat`; undefined when absent. */
  statIfThere(path: Path, options?: { follow?: boolean }): Stats | undefined
  /** True where something is mounted on the entry, also in the mount namespace of others. */
  isMountPoint(path: Path): boolean
  /**
   * The bytes of a regular file of the root's own file system; undefined for anything else: a file
   * that is missing, is not a regular file, or is behind a mount (/proc of a running container). At most `limit` bytes
   * are read, whatever the file says about its size; LIMIT_EXCEEDED beyond.
   */
  readBytes(path: Path, options: { limit: number }): Buffer | undefined
  /** Names of a directory as bytes, in no order. */
  readdir(path: Path): Buffer[]
  readlink(path: Path): Buffer
  mkdir(path: Path, mode?: number): void
  /** Makes the missing directories of a path; returns those it made, outermost first. */
  mkdirAll(path: Path, mode?: number): Path[]
  symlink(target: Path, path: Path): void
  link(from: Path, to: Path): void
  mknod(path: Path, mode: number, major?: number, minor?: number): void
  /** With `replace: false` an entry there is EEXIST. */
  rename(from: Path, to: Path, options?: { replace?: boolean }): void
  unlink(path: Path): void
  rmdir(path: Path): void
  /** Removes an entry with all that is below it; nothing there is success. */
  removeAll(path: Path): void
  chown(path: Path, uid: number, gid: number): void
  utimes(path: Path, access: Time, modification: Time): void
  /**
   * Runs `act` with a path of this process that names the entry exactly: `/proc/self/fd/N/name`. It is safe only for
   * calls that do not follow a link in the last component (lstat, lsetxattr, lchown …).
   */
  withEntry<T>(path: Path, act: (path: Buffer) => T): T
}

const INSIDE = RESOLVE.IN_ROOT | RESOLVE.NO_MAGICLINKS

interface RootOptions {
  /**
   * `inside` (default): links are followed, and lead nowhere but into the root. `refused`: a link before the last
   * component is ELOOP. For a root that an attacker may have filled while its owner expects known contents.
   */
  links?: 'inside' | 'refused'
}

export function openRoot(path: string, options: RootOptions = {}): RootDirectory {
  const resolve = options.links === 'refused' ? INSIDE | RESOLVE.NO_SYMLINKS : INSIDE
  const fd = openat2(AT_FDCWD, path, O_PATH | constants.O_DIRECTORY, 0, 0)
  let closed = false
  const openWith = (inner: Path, flags: number, mode: number, how: number) => {
    const creating = (flags & constants.O_CREAT) !== 0
    const extra = (flags & O_PATH) === 0 ? constants.O_NONBLOCK | constants.O_NOCTTY : 0
    const opened = openat2(fd, inRoot(inner), flags | extra, creating ? mode : 0, how)
    if (flags & constants.O_EXCL && creating && mode & OTHERS) fchmodSync(opened, mode)
    return opened
  }
  const open: RootDirectory['open'] = (inner, flags = constants.O_RDONLY, mode = 0) =>
    openWith(inner, flags, mode, resolve)
  /** The directory that holds the entry, and the entry's own name. */
  const within = <T>(inner: Path, act: (directory: number, name: Buffer) => T): T => {
    const { parent, name } = split(inner)
    const directory = open(parent, O_PATH | constants.O_DIRECTORY)
    try {
      return act(directory, name)
    } finally {
      closeSync(directory)
    }
  }
  const withFd = <T>(inner: Path, flags: number, act: (entry: number) => T): T => {
    const entry = open(inner, flags)
    try {
      return act(entry)
    } finally {
      closeSync(entry)
    }
  }
  const stat: RootDirectory['stat'] = (inner, options = {}) =>
    withFd(inner, O_PATH | (options.follow === false ? constants.O_NOFOLLOW : 0), (entry) => fstatSync(entry))
  const statIfThere: RootDirectory['statIfThere'] = (inner, options) => {
    try {
      return stat(inner, options)
    } catch (error) {
      const code = (error as { code?: string }).code
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
      throw error
    }
  }
  const readdir = (inner: Path) =>
    withFd(inner, constants.O_RDONLY | constants.O_DIRECTORY, (entry) =>
      // The descriptor is of a directory already opened, so its magic link leads to that directory and nowhere else.
      readdirSync(`/proc/self/fd/${entry}`, { encoding: 'buffer' }),
    )
  const isMountPoint = (inner: Path) =>
    within(inner, (directory, name) => {
      try {
        closeSync(openat2(directory, name, O_PATH | constants.O_NOFOLLOW, 0, RESOLVE.NO_XDEV | RESOLVE.NO_MAGICLINKS))
        return false
      } catch (error) {
        if ((error as { code?: string }).code === 'EXDEV') return true
        throw error
      }
    })
  const readlink = (inner: Path) => withFd(inner, O_PATH | constants.O_NOFOLLOW, (entry) => readlinkat(entry, ''))
  const mkdir = (inner: Path, mode = 0o755) =>
    within(inner, (directory, name) => {
      mkdirat(directory, name, mode)
      if (mode & OTHERS) setMode(directory, name, mode)
    })
  return {
    fd,
    open,
    stat,
    statIfThere,
    isMountPoint,
    readBytes(inner, { limit }) {
      let file: number
      try {
        file = openWith(inner, constants.O_RDONLY, 0, INSIDE | RESOLVE.NO_XDEV)
      } catch (error) {
        if (NOT_READABLE.includes(errnoOf(error) ?? '')) return undefined
        throw error
      }
      try {
        return fstatSync(file).isFile() ? readBytesSync(file, { limit }) : undefined
      } finally {
        closeSync(file)
      }
    },
    readdir,
    readlink,
    mkdir,
    mkdirAll(inner, mode) {
      const made: Path[] = []
      const parts = pieces(inner)
      for (let count = 1; count <= parts.length; count++) {
        const prefix = join(parts.slice(0, count))
        if (statIfThere(prefix)) continue
        mkdir(prefix, mode)
        made.push(prefix)
      }
      return made
    },
    symlink: (target, inner) => within(inner, (directory, name) => symlinkat(target, directory, name)),
    link: (from, to) =>
      within(from, (fromDirectory, fromName) =>
        within(to, (toDirectory, toName) => linkat(fromDirectory, fromName, toDirectory, toName)),
      ),
    mknod: (inner, mode, major, minor) =>
      within(inner, (directory, name) => mknodat(directory, name, mode, major, minor)),
    rename: (from, to, options = {}) =>
      within(from, (fromDirectory, fromName) =>
        within(to, (toDirectory, toName) =>
          renameat2(fromDirectory, fromName, toDirectory, toName, options.replace === false ? RENAME.NOREPLACE : 0),
        ),
      ),
    unlink: (inner) => within(inner, (directory, name) => unlinkat(directory, name)),
    rmdir: (inner) => within(inner, (directory, name) => unlinkat(directory, name, AT_REMOVEDIR)),
    removeAll: (inner) => within(inner, removeAt),
    chown: (inner, uid, gid) => within(inner, (directory, name) => fchownat(directory, name, uid, gid)),
    utimes: (inner, access, modification) =>
      within(inner, (directory, name) => utimensat(directory, name, access, modification)),
    withEntry: (inner, act) =>
      within(inner, (directory, name) => act(Buffer.concat([Buffer.from(`/proc/self/fd/${directory}/`), name]))),
    [Symbol.dispose]() {
      if (closed) return
      closed = true
      closeSync(fd)
    },
  }
}

/** Errors of open for a path that leads to no file of the root's own: missing, a loop, a fifo, behind a mount … */
const NOT_READABLE = ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO', 'ENODEV', 'EISDIR', 'EACCES', 'EXDEV', 'ENAMETOOLONG']

/** What a process keeps from others by its umask. Modes given here are meant as they are. */
const OTHERS = 0o077

/** The mode of a directory just made; whatever may have taken its place since, a link is not followed. */
function setMode(directory: number, name: Buffer, mode: number): void {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW
  const made = openat2(directory, name, flags, 0, RESOLVE.BENEATH | RESOLVE.NO_MAGICLINKS)
  try {
    fchmodSync(made, mode)
  } finally {
    closeSync(made)
  }
}

/**
 * Opened step by step with O_NOFOLLOW, so that a directory swapped for a link is removed as a link. Of a deep tree only the
 * last level is open: deeper content is first moved up into the top, so that two descriptors are enough for any depth.
 */
function removeAt(directory: number, name: Buffer): void {
  if (unlinked(directory, name)) return
  const top = openDirectory(directory, name)
  try {
    let moved = 0
    const waiting = [...namesIn(top)]
    for (let child = waiting.pop(); child !== undefined; child = waiting.pop()) {
      if (unlinked(top, child)) continue
      const inner = openDirectory(top, child)
      try {
        for (const grandchild of namesIn(inner)) {
          if (unlinked(inner, grandchild) || emptied(inner, grandchild)) continue
          const free = Buffer.from(`.bale-removed-${process.pid}-${process.hrtime.bigint()}-${moved++}`)
          if (movedUp(inner, grandchild, top, free)) waiting.push(free)
          else removeAt(inner, grandchild)
        }
      } finally {
        closeSync(inner)
      }
      unlinkat(top, child, AT_REMOVEDIR)
    }
  } finally {
    closeSync(top)
  }
  unlinkat(directory, name, AT_REMOVEDIR)
}

/** False for a directory, which is still there. */
function unlinked(directory: number, name: Buffer): boolean {
  try {
    unlinkat(directory, name)
    return true
  } catch (error) {
    const errno = errnoOf(error)
    if (errno === 'ENOENT') return true
    if (errno !== 'EISDIR' && errno !== 'EPERM') throw error
    return false
  }
}

/** False for a directory with something in it. */
function emptied(directory: number, name: Buffer): boolean {
  try {
    unlinkat(directory, name, AT_REMOVEDIR)
    return true
  } catch (error) {
    const errno = errnoOf(error)
    if (errno === 'ENOENT') return true
    if (errno !== 'ENOTEMPTY' && errno !== 'EEXIST') throw error
    return false
  }
}

/** False where an overlay does not move a directory of its layers. */
function movedUp(from: number, name: Buffer, to: number, free: Buffer): boolean {
  try {
    renameat2(from, name, to, free, RENAME.NOREPLACE)
    return true
  } catch (error) {
    if (errnoOf(error) !== 'EXDEV') throw error
    return false
  }
}

function openDirectory(directory: number, name: Buffer): number {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW
  return openat2(directory, name, flags, 0, RESOLVE.BENEATH | RESOLVE.NO_MAGICLINKS)
}

function namesIn(directory: number): Buffer[] {
  return readdirSync(`/proc/self/fd/${directory}`, { encoding: 'buffer' })
}

const DOT = Buffer.from('.')

/** Absolute paths are taken from the root; the empty path is the root. */
function inRoot(path: Path): Path {
  return path.length === 0 ? '/' : path
}

/** Components as bytes without empty ones and `.`; `..` stays and is the kernel's to resolve. */
function pieces(path: Path): Buffer[] {
  const latin1 = Buffer.from(path).toString('latin1')
  return latin1
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .map((part) => Buffer.from(part, 'latin1'))
}

function join(parts: Buffer[]): Buffer {
  return Buffer.concat(parts.flatMap((part) => [Buffer.from('/'), part]))
}

function split(path: Path): { parent: Path; name: Buffer } {
  const parts = pieces(path)
  const name = parts.pop() ?? DOT
  // A last component `..` names a directory by its relation, not an entry: the *at calls answer as they do for any such name.
  return { parent: parts.length ? join(parts) : '/', name }
}
