import { lstatSync, readlinkSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { BaleError, errnoOf, printable } from '#base'

/** The meaning of a path given for a result. */
export type OutputPlace =
  /** A device, a fifo, an open descriptor (/dev/stdout): the result is written into it. */
  | { kind: 'stream'; path: string; append: boolean }
  /** A file, there or not; `path` is where all links lead, so that a link stays one. */
  | { kind: 'file'; path: string; there: boolean }

/** Throws INVALID_ARGUMENT for a directory, and for a path whose directory does not exist. Nothing is created. */
export function outputPlace(typed: string): OutputPlace {
  const path = resolve(typed)
  const there = statSync(path, { throwIfNoEntry: false })
  if (there?.isDirectory()) throw new BaleError('INVALID_ARGUMENT', `${typed} is a directory; name a file in it`)
  if (there && !there.isFile()) return { kind: 'stream', path, append: false }
  const real = whereLinksLead(path, typed)
  if (real === undefined) return { kind: 'stream', path, append: true }
  return { kind: 'file', path: real, there: there !== undefined }
}

const LINKS_LIMIT = 40

/** Also for a dangling link; undefined when it leads through a descriptor of a process. */
function whereLinksLead(path: string, typed: string): string | undefined {
  let current = path
  for (let links = 0; links < LINKS_LIMIT; links++) {
    const directory = realDirectory(dirname(current))
    if (/^\/proc\/\d+\/(task\/\d+\/)?fd$/.test(directory)) return undefined
    const real = join(directory, basename(current))
    if (!lstatSync(real, { throwIfNoEntry: false })?.isSymbolicLink()) return real
    current = resolve(directory, readlinkSync(real))
  }
  throw new BaleError('INVALID_ARGUMENT', `invalid output path: too many links in ${typed}`)
}

function realDirectory(path: string): string {
  try {
    const real = realpathSync(path)
    if (statSync(real).isDirectory()) return real
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES', 'ENAMETOOLONG'].includes(errnoOf(error) ?? '')) throw error
  }
  throw new BaleError('INVALID_ARGUMENT', noOutputDirectory(path), {
    hint: 'name a file in an existing, writable directory',
  })
}

/** docker's message for a result whose directory does not exist. */
export function noOutputDirectory(path: string): string {
  return `invalid output path: directory ${JSON.stringify(printable(path))} does not exist`
}
