import { closeSync, existsSync, openSync } from 'node:fs'
import { unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { BaleError, errnoOf } from '#base'
import { makeSubdirectory } from './file/index.ts'
import { CLONE_NEWNET, MS, mount, setns, unshare } from './kernel/syscalls.ts'
import { unmount } from './mount.ts'

/** The network namespace of the thread that asks, and of no other. */
const OF_THIS_THREAD = '/proc/thread-self/ns/net'

/**
 * Makes a network namespace that lives as long as its file: the kernel's namespace is bound onto it. The directory should
 * be on a private mount, otherwise copies of the bind in other mount namespaces keep it alive.
 */
export async function createNetworkNamespace(file: string): Promise<void> {
  await makeSubdirectory(dirname(file))
  closeSync(openSync(file, 'wx', 0o600))
  try {
    elsewhere(
      () => unshare(CLONE_NEWNET),
      () => mount(OF_THIS_THREAD, file, undefined, MS.BIND),
    )
  } catch (cause) {
    // Nothing is mounted on it.
    await unlink(file)
    throw new BaleError('NETWORK_SETUP_FAILED', `cannot create a network namespace: ${(cause as Error).message}`, {
      cause,
    })
  }
}

/**
 * Calls `act` with this thread in a file's network namespace, then moves it back. Programs that `act` starts and sockets that it
 * opens stay in that namespace. `act` must be synchronous: anything else that ran meanwhile would run there too.
 */
export function inNetworkNamespace<T>(file: string, act: () => T): T {
  const namespace = openSync(file, 'r')
  try {
    return elsewhere(() => setns(namespace, CLONE_NEWNET), act)
  } finally {
    closeSync(namespace)
  }
}

/** `enter` moves this thread into another namespace, or throws and leaves it where it is. */
function elsewhere<T>(enter: () => void, act: () => T): T {
  const own = openSync(OF_THIS_THREAD, 'r')
  try {
    enter()
    try {
      return act()
    } finally {
      comeBack(own)
    }
  } finally {
    closeSync(own)
  }
}

function comeBack(own: number): void {
  try {
    setns(own, CLONE_NEWNET)
  } catch (error) {
    // Everything this process did from now on would affect the wrong network.
    process.stderr.write(`cannot return to the machine's network namespace: ${(error as Error).message}\n`)
    process.abort()
  }
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
