import { type FileHandle, open, stat, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { BaleError, disposable, errnoOf, type Progress } from '#base'
import { makeSubdirectory } from './make-subdirectory.ts'
import { monotonic } from './monotonic.ts'

export interface LockOptions {
  signal?: AbortSignal
  /** LOCKED after this long; without it waits for ever. 0 tries once. */
  timeoutMs?: number
  /** Many shared holders, or one exclusive. */
  shared?: boolean
  /** Reports `waiting` once when another holder keeps it for more than a few seconds. */
  progress?: Progress
  /** What the lock is for, in a message: `the cache "npm", which another build step uses`. */
  what?: string
}

/** A longer wait is reported. */
const SILENT_WAIT_MS = 3000

/**
 * Takes the lock named by a file, and gives it back on dispose. The lock is flock(2)'s: it belongs to the open file, so
 * it dies with its owner in every case, and two callers in one process exclude each other as two processes do.
 * The exclusive holder removes the file when it is done; whoever waited on the removed file starts again with a new one.
 */
export async function acquireLock(path: string, options: LockOptions = {}): Promise<AsyncDisposable> {
  const { flock, LOCK } = await import('../kernel/syscalls.ts')
  const operation = (options.shared ? LOCK.SHARED : LOCK.EXCLUSIVE) | LOCK.NONBLOCK
  const deadline = options.timeoutMs === undefined ? Number.POSITIVE_INFINITY : monotonic() + options.timeoutMs
  const tell = waitTeller(options.what ?? `the lock ${path}`, options.progress)
  for (let pause = 2; ; pause = Math.min(pause * 2, 64)) {
    options.signal?.throwIfAborted()
    const handle = await openLockFile(path)
    let held = false
    try {
      held = tried(() => flock(handle.fd, operation)) && (await stillNamed(handle, path))
    } finally {
      if (!held) await handle.close()
    }
    if (held) return release(handle, path, options.shared ?? false)
    if (monotonic() >= deadline) throw new BaleError('LOCKED', `another process holds the lock ${path}`)
    tell()
    await sleep(Math.min(pause, Math.max(0, deadline - monotonic())), undefined, { signal: options.signal })
  }
}

/** To be called at each try; says once, after a while, what is waited for. */
export function waitTeller(what: string, progress: Progress | undefined): () => void {
  const started = monotonic()
  let told = progress === undefined
  return () => {
    if (told || monotonic() - started < SILENT_WAIT_MS) return
    told = true
    progress?.({ kind: 'waiting', what })
  }
}

/** The lock file, made when missing, as is its directory. */
async function openLockFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'a+', 0o600)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
    await makeSubdirectory(dirname(path))
    return open(path, 'a+', 0o600)
  }
}

function tried(lock: () => void): boolean {
  try {
    lock()
    return true
  } catch (error) {
    if (errnoOf(error) === 'EAGAIN') return false
    throw error
  }
}

/** False when the former holder removed the file between our opening and our locking it. */
async function stillNamed(handle: FileHandle, path: string): Promise<boolean> {
  const ours = await handle.stat()
  try {
    return (await stat(path)).ino === ours.ino
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false
    throw error
  }
}

function release(handle: FileHandle, path: string, shared: boolean): AsyncDisposable {
  return disposable(async () => {
    try {
      if (!shared) await unlink(path)
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error
    } finally {
      await handle.close()
    }
  })
}
