import { isBaleError } from '#base'
import { waitForExit } from '../runtime/index.ts'
import { findContainer, LOST_EXIT_CODE, type Machinery, pathsOf, see } from '../state/index.ts'

const POLL_MILLISECONDS = 50

/** Waits until a container does not run, and gives its exit code. One that never ran answers 0 at once, as docker does. */
export async function waitContainer(
  machinery: Machinery,
  idOrName: string,
  options: { signal?: AbortSignal } = {},
): Promise<number> {
  const record = await findContainer(machinery, idOrName)
  const seen = await see(machinery, record)
  if (seen.status === 'running' || seen.status === 'paused')
    return exitOf(machinery, record.id, seen.state.monitor!, options)
  if (seen.status !== 'restarting') return seen.state.exitCode
  for (;;) {
    await machinery.clock.sleep(POLL_MILLISECONDS, options)
    try {
      const later = await see(machinery, await findContainer(machinery, record.id))
      if (later.status !== 'restarting') return waitContainer(machinery, record.id, options)
    } catch (error) {
      if (isBaleError(error, 'CONTAINER_NOT_FOUND')) return seen.state.exitCode
      throw error
    }
  }
}

/** The exit code of the life that a monitor watches: from its file, or from the store when that was quicker. */
export async function exitOf(
  machinery: Machinery,
  id: string,
  monitor: { pid: number; startTime: number },
  options: { signal?: AbortSignal } = {},
): Promise<number> {
  const exit = await waitForExit(pathsOf(machinery, id).exits, id, { monitor, ...options })
  if (exit) return exit.code
  const record = await machinery.records.containers.find(id)
  const state = record?.document.state
  return state && state.status !== 'running' ? state.exitCode : LOST_EXIT_CODE
}
