import { errnoOf } from '#base'
import { lgetxattr, listxattrNames, listxattrSize, lsetxattr, type Path } from './kernel/syscalls.ts'

/** All extended attributes of an entry (links not followed), by latin1 name; empty where the file system has none. */
export function readXattrs(path: Path): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>()
  for (const name of xattrNames(path)) {
    const value = readXattr(path, name)
    if (value) found.set(name, value)
  }
  return found
}

const PREFIX = '/proc/self/fd/'
const NUMBER_MAX = 10
const NAME_MAX = 255
const place = Buffer.alloc(PREFIX.length + NUMBER_MAX + 1 + NAME_MAX + 1)

/**
 * Whether an entry of an open directory, by its name as latin1, has attributes. For trees of many files, most of which have none:
 * `readXattrs` is five times as slow.
 */
export function hasXattrs(directory: number, name: string): boolean {
  if (name.length > NAME_MAX) return true
  place[place.write(`${PREFIX}${directory}/${name}`, 'latin1')] = 0
  try {
    return listxattrSize(place) > 0
  } catch (error) {
    if (errnoOf(error) === 'ENOTSUP' || errnoOf(error) === 'EOPNOTSUPP') return false
    throw error
  }
}

function xattrNames(path: Path): string[] {
  try {
    return listxattrNames(path)
  } catch (error) {
    if (errnoOf(error) === 'ENOTSUP' || errnoOf(error) === 'EOPNOTSUPP') return []
    throw error
  }
}

/** The value, or undefined when the entry has no such attribute. */
export function readXattr(path: Path, name: string): Uint8Array | undefined {
  try {
    return lgetxattr(path, latin1(name))
  } catch (error) {
    if (['ENODATA', 'ENOTSUP', 'EOPNOTSUPP'].includes(errnoOf(error) ?? '')) return undefined
    throw error
  }
}

export function writeXattr(path: Path, name: string, value: Uint8Array): void {
  lsetxattr(path, latin1(name), value)
}

const latin1 = (name: string) => Buffer.from(name, 'latin1')
