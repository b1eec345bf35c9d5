import { type BigIntStats, closeSync, constants, fstatSync, lstatSync, openSync, readdirSync } from 'node:fs'
import { errnoOf } from '#base'
import { openRoot } from './beneath.ts'

/** One entry of a directory that others may be changing; valid until the next one is requested. */
export interface WalkedFile {
  /** Byte-exact, latin1, without a leading slash. */
  path: string
  stat: BigIntStats
  /**
   * Names the entry through its directory's descriptor, so that a directory swapped for a link leads nowhere. Only for calls
   * that do not follow a link in the last component.
   */
  safePath: Buffer
}

/**
 * Everything below a directory, a directory before its children, names sorted bytewise. `enter` decides about each directory.
 * A file that goes away while the walk is under way is left out; with `skipUnreadable` also what cannot be read. Trees may be as deep as file systems allow: no path is
 * longer than one name, and few descriptors are open at a time.
 */
export function* walkDirectory(
  directory: string,
  enter: (file: WalkedFile) => boolean = () => true,
  { skipUnreadable = false }: { skipUnreadable?: boolean } = {},
): Generator<WalkedFile> {
  const attempt = skipUnreadable ? unlessUnreadable : <T>(read: () => T) => read()
  using root = openRoot(directory)
  const stack: Level[] = [openLevel(root.open('/', constants.O_RDONLY | constants.O_DIRECTORY), '')]
  try {
    while (stack.length > 0) {
      const level = stack.at(-1)!
      const name = level.names.pop()
      if (name === undefined) {
        leave(stack)
        continue
      }
      const safePath = Buffer.from(`/proc/self/fd/${level.fd}/${name}`, 'latin1')
      const stat = attempt(() => lstatSync(safePath, { bigint: true, throwIfNoEntry: false }))
      if (!stat) continue
      const file = { path: level.path === '' ? name : `${level.path}/${name}`, stat, safePath }
      yield file
      if (!stat.isDirectory() || !enter(file)) continue
      const inner = attempt(() => levelThere(safePath, file.path))
      if (inner) descend(stack, inner)
    }
  } finally {
    for (const level of stack) if (level.fd !== undefined) closeSync(level.fd)
  }
}

/** Undefined if a damaged disk, or a filesystem closed even to root, does not report it. */
function unlessUnreadable<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (!['EIO', 'EACCES', 'EPERM', 'EUCLEAN', 'EBADMSG', 'ENOTCONN'].includes(errnoOf(error) ?? '')) throw error
    return undefined
  }
}

function levelThere(safePath: Buffer, path: string): Level | undefined {
  const fd = openThere(safePath)
  return fd === undefined ? undefined : openLevel(fd, path)
}

/** Descriptors that are open at a time; those of higher levels are reopened on the way back. */
const OPEN_LEVELS = 64

function descend(stack: Level[], level: Level): void {
  stack.push(level)
  const far = stack.at(-1 - OPEN_LEVELS)
  if (far?.fd === undefined) return
  closeSync(far.fd)
  far.fd = undefined
}

/** Goes up to the level above. One that is no longer there (the directory was moved) has nothing more to show. */
function leave(stack: Level[]): void {
  const { fd } = stack.pop()!
  const above = stack.at(-1)
  if (above && above.fd === undefined && fd !== undefined) {
    const parent = openThere(Buffer.from(`/proc/self/fd/${fd}/..`))
    if (parent !== undefined && isSame(parent, above)) above.fd = parent
    else if (parent !== undefined) closeSync(parent)
  }
  if (fd !== undefined) closeSync(fd)
  if (above && above.fd === undefined) above.names = []
}

function isSame(fd: number, { dev, ino }: Level): boolean {
  const stat = fstatSync(fd, { bigint: true })
  return stat.dev === dev && stat.ino === ino
}

/** Undefined when the directory was removed or replaced. */
function openThere(safePath: Buffer): number | undefined {
  try {
    return openSync(safePath, OPEN_DIRECTORY)
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR', 'ELOOP', 'ESTALE'].includes(errnoOf(error) ?? '')) throw error
    return undefined
  }
}

const OPEN_DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW

interface Level {
  /** Undefined while the walk is far below. */
  fd: number | undefined
  dev: bigint
  ino: bigint
  path: string
  /** Left to visit, last first. */
  names: string[]
}

function openLevel(fd: number, path: string): Level {
  // The descriptor is of a directory already opened, so its magic link leads to that directory and nowhere else.
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true })
    return { fd, dev, ino, path, names: namesOf(fd).sort().reverse() }
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

function namesOf(fd: number): string[] {
  try {
    return readdirSync(`/proc/self/fd/${fd}`, { encoding: 'latin1' as BufferEncoding })
  } catch (error) {
    // Of a directory that was removed since it was opened.
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  }
}
