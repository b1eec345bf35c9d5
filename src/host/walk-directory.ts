import { type BigIntStats, lstatSync } from 'node:fs'
import { errnoOf } from '#base'
import { openDirectories } from './directory-stack.ts'

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
  using stack = openDirectories(directory)
  for (let inside = true; inside; ) {
    const { level } = stack
    const name = level.next()
    if (name === undefined) {
      inside = stack.leave()
      continue
    }
    const safePath = level.safePath(name)
    const stat = safePath && attempt(() => lstatSync(safePath, { bigint: true, throwIfNoEntry: false }))
    if (!safePath || !stat) continue
    const file = { path: level.path === '' ? name : `${level.path}/${name}`, stat, safePath }
    yield file
    if (stat.isDirectory() && enter(file)) attempt(() => stack.enter(name))
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
