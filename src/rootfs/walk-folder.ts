import { type BigIntStats, closeSync, constants, lstatSync, openSync, readdirSync } from 'node:fs'
import { errnoOf } from '#base'
import { openRoot } from '#host'

/** One entry of a folder that others may be changing; good until the next one is asked for. */
export interface WalkedFile {
  /** Byte-exact, latin1, without a leading slash. */
  path: string
  stat: BigIntStats
  /**
   * Names the entry through its folder's descriptor, so that a folder swapped for a link leads nowhere. Only for calls
   * that do not follow a link in the last component.
   */
  safePath: Buffer
}

/**
 * Everything below a folder, a directory before its children, names sorted bytewise. `enter` decides about each directory.
 * A file that goes away while the walk is under way is left out.
 */
export function* walkFolder(folder: string, enter: (file: WalkedFile) => boolean = () => true): Generator<WalkedFile> {
  using root = openRoot(folder)
  const stack: Level[] = [openLevel(root.open('/', constants.O_RDONLY | constants.O_DIRECTORY), '')]
  try {
    while (stack.length > 0) {
      const level = stack.at(-1)!
      const name = level.names.pop()
      if (name === undefined) {
        closeSync(stack.pop()!.fd)
        continue
      }
      const safePath = Buffer.from(`/proc/self/fd/${level.fd}/${name}`, 'latin1')
      const stat = lstatSync(safePath, { bigint: true, throwIfNoEntry: false })
      if (!stat) continue
      const file = { path: level.path === '' ? name : `${level.path}/${name}`, stat, safePath }
      yield file
      if (!stat.isDirectory() || !enter(file)) continue
      const fd = openThere(safePath)
      if (fd !== undefined) stack.push(openLevel(fd, file.path))
    }
  } finally {
    for (const level of stack) closeSync(level.fd)
  }
}

/** Undefined when the directory went away, or something else is there now. */
function openThere(safePath: Buffer): number | undefined {
  try {
    return openSync(safePath, OPEN_DIRECTORY)
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errnoOf(error) ?? '')) throw error
    return undefined
  }
}

const OPEN_DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW

interface Level {
  fd: number
  path: string
  /** Left to visit, last first. */
  names: string[]
}

function openLevel(fd: number, path: string): Level {
  // The descriptor is of a folder already opened, so its magic link leads to that folder and nowhere else.
  try {
    const names = readdirSync(`/proc/self/fd/${fd}`, { encoding: 'latin1' as BufferEncoding })
    return { fd, path, names: names.sort().reverse() }
  } catch (error) {
    // Of a directory that was removed since it was opened.
    if (errnoOf(error) === 'ENOENT') return { fd, path, names: [] }
    closeSync(fd)
    throw error
  }
}
