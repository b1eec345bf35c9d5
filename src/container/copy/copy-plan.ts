import { posix } from 'node:path'
import { BaleError, printable } from '#base'

/** What is copied. */
interface CopySource {
  /** Base name. */
  name: string
  isDirectory: boolean
  /** `DIR/.`: its content without the directory itself. */
  contentsOnly: boolean
}

/** The destination with links resolved and the final `/` that was typed, and the kind of file that exists there. */
interface CopyDestination {
  path: string
  kind: 'directory' | 'file' | 'nothing'
}

/** The directory to unpack in, and the name that the source's first component gets there; undefined: contents only. */
interface CopyPlan {
  directory: string
  name: string | undefined
}

/** docker's rules of `cp` (the command's reference page) and its messages. Throws INVALID_ARGUMENT or PATH_NOT_FOUND. */
export function copyPlan(source: CopySource, destination: CopyDestination): CopyPlan {
  const { path, kind } = destination
  const bare = path.replace(/\/+$/, '') || '/'
  if (kind === 'directory') return { directory: bare, name: source.contentsOnly ? undefined : source.name }
  if (source.isDirectory && kind === 'file')
    throw new BaleError('INVALID_ARGUMENT', `cannot copy directory: ${printable(path)} is a file`)
  if (!source.isDirectory && wantsDirectory(path))
    throw new BaleError('PATH_NOT_FOUND', `no such directory: ${printable(path)}`)
  return { directory: posix.dirname(bare), name: posix.basename(bare) }
}

/** `x/` and `x/.` can only name a directory. */
export function wantsDirectory(path: string): boolean {
  return path.endsWith('/') || path.endsWith('/.')
}

/** The source as typed: a path, and whether it ends in `/.`. */
export function contentsOnly(path: string): boolean {
  return path.endsWith('/.') || path === '.'
}
