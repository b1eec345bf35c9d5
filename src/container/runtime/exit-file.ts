import { existsSync, type FSWatcher, statSync, watch } from 'node:fs'
import { join } from 'node:path'
import { errnoOf } from '#base'
import { isAlive, type ProcessIdentity } from '#host'
import { readTextSync } from '#host/file'

interface Exit {
  /** The program's own, or 128 + signal. */
  code: number
  /** Milliseconds since 1970. */
  finishedAt: number
}

/** What the monitor wrote when the process ended, or undefined. The file is complete when it has its name. */
export function readExitFile(directory: string, id: string): Exit | undefined {
  const path = join(directory, id)
  try {
    const code = Number.parseInt(readTextSync(path), 10)
    return { code: Number.isNaN(code) ? 255 : code, finishedAt: statSync(path).mtimeMs }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** How often the monitor is checked, in addition to watching for its file. */
const CHECK_MILLISECONDS = 500

/**
 * Waits for the exit file. When the monitor dies without writing one the exit code is lost: undefined. Watching begins
 * before the first check, so nothing is missed.
 */
export function waitForExit(
  directory: string,
  id: string,
  options: { monitor: ProcessIdentity; signal?: AbortSignal },
): Promise<Exit | undefined> {
  return new Promise((resolve, reject) => {
    let watcher: FSWatcher | undefined
    let timer: NodeJS.Timeout | undefined
    const finish = (act: () => void) => {
      watcher?.close()
      clearInterval(timer)
      options.signal?.removeEventListener('abort', abort)
      act()
    }
    const abort = () => finish(() => reject(options.signal!.reason))
    const look = () => {
      const exit = readExitFile(directory, id)
      if (exit) finish(() => resolve(exit))
      return exit
    }
    try {
      watcher = watch(directory, (_, name) => {
        if (name === id) look()
      })
    } catch (error) {
      // Cleaned up already: the store knows.
      return errnoOf(error) === 'ENOENT' ? resolve(undefined) : reject(error)
    }
    watcher.on('error', (error) => finish(() => reject(error)))
    timer = setInterval(() => {
      // The file is checked once more after the monitor is known to be gone.
      const gone = !isAlive(options.monitor) || !existsSync(directory)
      if (!look() && gone) finish(() => resolve(undefined))
    }, CHECK_MILLISECONDS)
    options.signal?.addEventListener('abort', abort, { once: true })
    if (options.signal?.aborted) return abort()
    look()
  })
}
