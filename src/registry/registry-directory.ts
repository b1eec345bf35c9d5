import { statSync } from 'node:fs'
import { BaleError } from '#base'
import { makeDirectory } from '#host/file'

/** Made for its owner alone; one that was there must be as private: what is in it decides who may do what. */
export function makeRegistryDirectory(directory: string): void {
  makeDirectory(directory)
  const { mode } = statSync(directory)
  if ((mode & 0o027) === 0) return
  throw new BaleError('DENIED', `other users of this machine can read or write the directory ${directory}`, {
    hint: `chmod 700 ${directory}`,
  })
}
