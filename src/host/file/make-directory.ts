import { existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { BaleError, errnoOf } from '#base'
import { asNoSpace } from './no-space.ts'

/** Creates a directory for its owner only, with its parents; an existing one is left unchanged. Throws UNSUPPORTED_HOST. */
export function makeDirectory(path: string): void {
  try {
    makeWithParents(resolve(path))
  } catch (error) {
    if (!UNUSABLE.includes(errnoOf(error) ?? '')) throw asNoSpace(error, path)
    throw new BaleError('UNSUPPORTED_HOST', `the directory ${path} cannot be created: ${(error as Error).message}`, {
      next: { act: 'choose-directory', of: 'any' },
      cause: error,
    })
  }
}

/** Step by step: Node's recursive mkdir never ends where the kernel answers ENOENT for a name below a directory (/proc). */
function makeWithParents(path: string): void {
  const missing: string[] = []
  for (let directory = path; !existsSync(directory); directory = dirname(directory)) missing.push(directory)
  for (const directory of missing.reverse()) {
    try {
      mkdirSync(directory, { mode: 0o700 })
    } catch (error) {
      // Another process may have been first.
      if (errnoOf(error) !== 'EEXIST' || !statSync(directory).isDirectory()) throw error
    }
  }
  if (!statSync(path).isDirectory()) mkdirSync(path)
}

/** No right, a read-only file system, a file in the way, a file system of the kernel. */
const UNUSABLE = ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'ENOENT', 'ELOOP', 'ENAMETOOLONG']
