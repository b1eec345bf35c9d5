import { mkdir } from 'node:fs/promises'
import { errnoOf } from '#base'

/**
 * Makes a directory for its owner only, unless it is there; but not the directories above it (ENOENT): a process that
 * outlives what it worked on must not make that again.
 */
export async function makeSubdirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error
  }
}
