import { closeSync, constants, fstatSync, openSync, readdirSync } from 'node:fs'
import { errnoOf } from '#base'
import { openRoot } from './beneath.ts'

/** A directory on the way down a tree that others may be changing. */
export interface DirectoryLevel {
  /** Below the top directory; latin1, without slashes at its ends. */
  readonly path: string
  /** The next name, sorted bytewise; latin1. */
  next(): string | undefined
  /**
   * Names an entry through the directory's descriptor, so that a directory swapped for a link leads nowhere. Only for calls
   * that do not follow a link in the last component, and only until another directory is entered or left. Undefined when the
   * directory itself went away.
   */
  safePath(name: string): Buffer | undefined
}

/**
 * The directories between the top of a tree and where a walk is. Trees may be as deep as file systems allow: no path
 * is longer than one name, and few descriptors are open at a time. Dispose closes them.
 */
export interface DirectoryStack extends Disposable {
  readonly level: DirectoryLevel
  /** Goes into a directory of the current level; false when it was removed or replaced. */
  enter(name: string): boolean
  /** Back to the level above; false at the top. One that is no longer there (it was moved) has nothing more to show. */
  leave(): boolean
}

/** Descriptors that are open at a time; those of higher levels are reopened on the way back. */
const OPEN_LEVELS = 64

export function openDirectories(directory: string, { openLevels = OPEN_LEVELS } = {}): DirectoryStack {
  using root = openRoot(directory)
  const stack: Level[] = [openLevel(root.open('/', constants.O_RDONLY | constants.O_DIRECTORY), '')]
  return {
    get level() {
      return stack.at(-1)!
    },
    enter(name) {
      const { path, safePath } = stack.at(-1)!
      const place = safePath(name)
      const fd = place && openThere(place)
      if (fd === undefined) return false
      stack.push(openLevel(fd, path === '' ? name : `${path}/${name}`))
      const far = stack.at(-1 - openLevels)
      if (far?.fd !== undefined) {
        closeSync(far.fd)
        far.fd = undefined
      }
      return true
    },
    leave() {
      if (stack.length > 0) leave(stack)
      return stack.length > 0
    },
    [Symbol.dispose]() {
      for (const { fd } of stack.splice(0)) if (fd !== undefined) closeSync(fd)
    },
  }
}

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

interface Level extends DirectoryLevel {
  /** Undefined while the walk is far below. */
  fd: number | undefined
  dev: bigint
  ino: bigint
  /** Left to visit, last first. */
  names: string[]
}

function openLevel(fd: number, path: string): Level {
  // The descriptor is of a directory already opened, so its magic link leads to that directory and nowhere else.
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true })
    const level: Level = {
      ...{ fd, dev, ino, path, names: namesOf(fd).sort().reverse() },
      next: () => level.names.pop(),
      safePath: (name) =>
        level.fd === undefined ? undefined : Buffer.from(`/proc/self/fd/${level.fd}/${name}`, 'latin1'),
    }
    return level
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
