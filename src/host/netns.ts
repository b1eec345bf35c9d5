import { closeSync, existsSync, openSync } from 'node:fs'
import { unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { BaleError, errnoOf } from '#base'
import { makeSubdirectory } from './file/index.ts'
import { unmount } from './mount.ts'
import { runProgram } from './process.ts'

/**
 * Makes a network namespace that lives as long as its file: the kernel's namespace is bound onto it. The directory should
 * be on a private mount, otherwise copies of the bind in other mount namespaces keep it alive.
 */
export async function createNetworkNamespace(file: string, options: { searchPath: string }): Promise<void> {
  await makeSubdirectory(dirname(file))
  closeSync(openSync(file, 'wx', 0o600))
  const made = await runProgram('unshare', [`--net=${file}`, 'true'], {
    env: { PATH: options.searchPath },
  })
  if (made.code === 0) return
  await deleteNetworkNamespace(file)
  throw new BaleError('NETWORK_SETUP_FAILED', `cannot create a network namespace: ${made.stderr.trim()}`)
}

/** Removes a namespace file; the namespace and its links go when its last process ends. Removing twice does nothing. */
export async function deleteNetworkNamespace(file: string): Promise<void> {
  if (!existsSync(file)) return
  // A system call instead of umount(8): starting a program costs as much as all else here.
  unmount(file, { detach: true })
  try {
    await unlink(file)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
  }
}
