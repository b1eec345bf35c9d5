import { join } from 'node:path'
import { errnoOf, type Progress } from '#base'
import { acquireLock, readTextSync, writeFileAtomic } from './file/index.ts'
import { bootId } from './process-identity.ts'

/** What is done once, and where that is recorded. */
interface BootTask {
  /** The run directory, which a boot empties; one that was created since counts as a boot, too. */
  run: string
  /** Of the file that holds the ID of the boot for which it was done. */
  name: string
  /** How long a caller waits for the process that does it; without it until that is done. */
  timeoutMs?: number
  /** Reports `waiting` for `what` when that takes more than a few seconds. */
  progress?: Progress
  what?: string
}

/**
 * Runs `act` once after each boot, in the process that comes first; others wait for it, at most `timeoutMs`, and then throw
 * LOCKED. Undefined when it was done before: that costs the reading of two small files. When `act` throws it counts as not done.
 */
export async function oncePerBoot<T>(task: BootTask, act: () => Promise<T>): Promise<T | undefined> {
  const { run, name, ...waiting } = task
  const marker = join(run, name)
  const boot = bootId()
  if (contentOf(marker) === boot) return undefined
  await using _ = await acquireLock(join(run, 'locks', name), waiting)
  if (contentOf(marker) === boot) return undefined
  const result = await act()
  await writeFileAtomic(marker, `${boot}\n`, { durable: false })
  return result
}

/** At once: most commands pass here, and nothing that reads beside others is loaded for a short file. */
function contentOf(path: string): string | undefined {
  try {
    return readTextSync(path).trim()
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}
