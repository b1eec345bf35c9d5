import { posix } from 'node:path'
import { BaleError, printable } from '#base'

/** What is copied. */
export interface CopySource {
  /** Base name. */
  name: string
  isDirectory: boolean
  /** `DIR/.`: what is in it, not itself. */
  contentsOnly: boolean
}

/** Where it goes, as typed, and what is there (links followed). */
export interface CopyDestination {
  path: string
  kind: 'folder' | 'file' | 'nothing'
}

/** The folder to unpack in, and the name that the source's first component gets there; undefined: contents only. */
export interface CopyPlan {
  folder: string
  name: string | undefined
}

/** docker's rules of `cp` (the command's reference page). Throws INVALID_ARGUMENT or PATH_NOT_FOUND. */
export function copyPlan(source: CopySource, destination: CopyDestination): CopyPlan {
  const { path, kind } = destination
  const wantsFolder = path.endsWith('/') || path.endsWith('/.')
  const parent = posix.dirname(posix.normalize(path.replace(/\/+$/, '') || '/'))
  const name = posix.basename(posix.normalize(path))
  if (kind === 'folder') return { folder: path, name: source.contentsOnly ? undefined : source.name }
  if (source.isDirectory) {
    if (kind === 'file')
      throw new BaleError('INVALID_ARGUMENT', `cannot copy a directory onto the file ${printable(path)}`)
    return { folder: parent, name }
  }
  if (kind === 'nothing' && wantsFolder)
    throw new BaleError('PATH_NOT_FOUND', `destination directory ${printable(path)} must exist`)
  if (kind === 'file' && wantsFolder) throw new BaleError('INVALID_ARGUMENT', `not a directory: ${printable(path)}`)
  return { folder: parent, name }
}

/** The source as typed: a path, and whether it ends in `/.`. */
export function contentsOnly(path: string): boolean {
  return path.endsWith('/.') || path === '.'
}
