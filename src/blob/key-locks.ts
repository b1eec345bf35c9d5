import { BaleError } from '#base'

/** Locks by name among the callers of one process, given out in order of arrival. */
interface KeyLocks {
  /** The returned function gives the lock back; calling it twice does nothing. Throws LOCKED, or the signal's reason. */
  acquire(key: string, options?: { signal?: AbortSignal; patience?: number }): Promise<() => void>
}

export const DEFAULT_PATIENCE = 600_000

export function createKeyLocks(): KeyLocks {
  const waiting = new Map<string, (() => void)[]>()

  const release = (key: string) => () => {
    const next = waiting.get(key)?.shift()
    if (next) next()
    else waiting.delete(key)
  }
  const once = (undo: () => void) => {
    let done = false
    return () => {
      if (!done) undo()
      done = true
    }
  }
  return {
    async acquire(key, { signal, patience = DEFAULT_PATIENCE } = {}) {
      signal?.throwIfAborted()
      const queue = waiting.get(key)
      if (!queue) {
        waiting.set(key, [])
        return once(release(key))
      }
      await new Promise<void>((resolve, reject) => {
        const settle = (act: () => void) => {
          clearTimeout(timer)
          signal?.removeEventListener('abort', abort)
          const place = queue.indexOf(proceed)
          if (place >= 0) queue.splice(place, 1)
          act()
        }
        const proceed = () => settle(resolve)
        const abort = () => settle(() => reject(signal?.reason))
        const timer = setTimeout(() => settle(() => reject(locked(key))), patience)
        signal?.addEventListener('abort', abort, { once: true })
        queue.push(proceed)
      })
      return once(release(key))
    },
  }
}

function locked(key: string): BaleError {
  return new BaleError('LOCKED', `${key} has been written by another process for too long`)
}
