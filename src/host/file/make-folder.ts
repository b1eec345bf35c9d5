import { mkdirSync } from 'node:fs'
import { BaleError, errnoOf } from '#base'
import { asNoSpace } from './no-space.ts'

/** Makes a folder for its owner alone, with those above it; one that is there is left as it is. Throws UNSUPPORTED_HOST. */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
  } catch (error) {
    if (!UNUSABLE.includes(errnoOf(error) ?? '')) throw asNoSpace(error, path)
    throw new BaleError('UNSUPPORTED_HOST', `the folder ${path} cannot be made: ${(error as Error).message}`, {
      hint: 'use another folder: --root for the store, --run for what is gone after a reboot',
      cause: error,
    })
  }
}

/** No right, a read-only file system, a file in the way. */
const UNUSABLE = ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST']
