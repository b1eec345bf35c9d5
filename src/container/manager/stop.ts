import { existsSync } from 'node:fs'
import { BaleError, isBaleError, type OperationOptions } from '#base'
import { freezeCgroup, isAlive, signalNumber, thisProcess } from '#host'
import { monotonic } from '#host/file'
import { readExitFile } from '../runtime/index.ts'
import { cgroupPath } from '../spec/index.ts'
import {
  announce,
  lockContainer,
  type Machinery,
  mustBeVisible,
  mustRun,
  pathsOf,
  type SeenContainer,
  seeContainer,
  updateState,
} from '../state/index.ts'
import { forget, settle } from './finalize.ts'
import { startContainer } from './start.ts'

/** How long a container has to end, and by which signal. */
export interface StopOptions extends OperationOptions {
  /** Seconds until KILL; negative: never. The container's own, or 10, by default. */
  timeout?: number
  /** Instead of the container's stop signal. */
  stopSignal?: string
}

const DEFAULT_TIMEOUT = 10

/** Stops a container: its stop signal, then after a while KILL. One that does not run is left alone: false. */
export async function stopContainer(
  machinery: Machinery,
  idOrName: string,
  options: StopOptions = {},
): Promise<boolean> {
  if (options.stopSignal) signalNumber(options.stopSignal)
  const seen = mustBeVisible(await seeContainer(machinery, idOrName))
  await noMoreRestarts(machinery, seen)
  if (!(await endGently(machinery, seen, options))) return false
  await settled(machinery, seen.record.id)
  await announce(machinery, seen.record, 'stop')
  return true
}

/**
 * The stop signal, then after a while KILL, until the process has ended; the rest is up to the process that records the exit.
 * False when it does not run. Throws RUNTIME_FAILED when even KILL does not end it.
 */
export async function endGently(
  machinery: Machinery,
  seen: SeenContainer,
  options: StopOptions = {},
): Promise<boolean> {
  if (seen.status !== 'running' && seen.status !== 'paused') return false
  const { config } = seen.record.document
  await signal(machinery, seen, options.stopSignal ?? stopSignalOf(config))
  if (seen.status === 'paused') await freezeCgroup(cgroupPath(seen.record.id), false)
  const timeout = options.timeout ?? config.StopTimeout ?? DEFAULT_TIMEOUT
  if (!(await endsWithin(machinery, seen, timeout < 0 ? Number.POSITIVE_INFINITY : timeout * 1000, options.signal))) {
    await signal(machinery, seen, 'KILL')
    if (!(await endsWithin(machinery, seen, KILL_MILLISECONDS, options.signal))) throw stubborn(seen)
  }
  return true
}

function stubborn({ record }: SeenContainer): BaleError {
  return new BaleError(
    'RUNTIME_FAILED',
    `tried to kill container ${record.id.slice(0, 12)}, but it is still running: one of its processes is blocked in the kernel`,
    { hint: 'a device or network file system does not respond; try again when it does' },
  )
}

/** TERM for a signal of the image's that there is not: its containers can be stopped all the same (M13). */
function stopSignalOf({ StopSignal: name }: { StopSignal?: string }): string {
  try {
    if (name !== undefined) signalNumber(name)
    return name ?? 'TERM'
  } catch (error) {
    if (isBaleError(error, 'INVALID_ARGUMENT')) return 'TERM'
    throw error
  }
}

const KILL_MILLISECONDS = 10_000

/**
 * Waits for the process and then for its exit code. The monitor itself is no sign: it becomes the cleanup, which stays a
 * little longer.
 */
async function endsWithin(
  machinery: Machinery,
  { record, state }: SeenContainer,
  milliseconds: number,
  signal?: AbortSignal,
): Promise<boolean> {
  const deadline = monotonic() + milliseconds
  const { exits } = pathsOf(machinery, record.id)
  const isWritten = () => !existsSync(exits) || readExitFile(exits, record.id) !== undefined
  const isOver = () => !isAlive(state.process!) && (isWritten() || !isAlive(state.monitor!))
  while (!isOver()) {
    signal?.throwIfAborted()
    if (monotonic() >= deadline) return false
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return true
}

/** This process or the monitor's cleanup, whichever gets the lock first, records the exit. */
export async function settled(machinery: Machinery, id: string): Promise<void> {
  await using _ = await lockContainer(machinery, id)
  try {
    await settle(machinery, id)
  } catch (error) {
    // --rm: it is gone already.
    if (!isBaleError(error, 'CONTAINER_NOT_FOUND')) throw error
  }
}

/** Sends a signal. Throws CONTAINER_NOT_RUNNING. KILL also stops a restart policy, as docker does for any stop. */
export async function killContainer(machinery: Machinery, idOrName: string, signalName = 'KILL'): Promise<void> {
  const number = signalNumber(signalName)
  const seen = await seeContainer(machinery, idOrName)
  if (seen.status !== 'running' && seen.status !== 'paused')
    throw new BaleError(
      'CONTAINER_NOT_RUNNING',
      `Cannot kill container: ${idOrName}: Container ${seen.record.id} is not running`,
    )
  mustBeVisible(seen)
  const kills = number === signalNumber('KILL')
  const ends = kills || number === signalNumber(stopSignalOf(seen.record.document.config))
  if (ends) await noMoreRestarts(machinery, seen)
  await signal(machinery, seen, String(number))
  // A frozen process cannot end, and not every runtime thaws it.
  if (ends && seen.status === 'paused') await freezeCgroup(cgroupPath(seen.record.id), false)
  if (!kills) return
  if (!(await endsWithin(machinery, seen, KILL_MILLISECONDS))) throw stubborn(seen)
  await settled(machinery, seen.record.id)
}

/** Written only where it matters: a write that must be durable costs milliseconds. */
async function noMoreRestarts(machinery: Machinery, { record, status }: SeenContainer): Promise<void> {
  const policy = record.document.host.restart?.name ?? 'no'
  if (policy === 'no') return
  await updateState(machinery, record.id, (state) => ({
    ...state,
    stopRequested: true,
    ...(status === 'restarting' && { status: 'exited' as const }),
  }))
}

async function signal(machinery: Machinery, { record }: SeenContainer, name: string): Promise<void> {
  const runtime = await machinery.runtime(record.document.runtime)
  const number = signalNumber(name)
  // Before the signal: the end that it brings is written by another process, maybe at once.
  await announce(machinery, record, 'kill', { signal: `${number}` })
  try {
    await runtime.kill(record.id, number)
  } catch (error) {
    // It ended between the check and the signal, which is the goal.
    if (!isBaleError(error, 'CONTAINER_NOT_RUNNING') && !isBaleError(error, 'CONTAINER_NOT_FOUND')) throw error
  }
}

/** How a container is stopped before it is started again. */
export interface RestartOptions extends StopOptions {
  /** Waited for between stop and start, so that several are started one after the other. */
  turn?: Promise<unknown>
}

/**
 * Stops (if it runs) and starts. One that is removed at its end (--rm) stays; only when it cannot be started again it
 * goes, as docker does.
 */
export async function restartContainer(
  machinery: Machinery,
  idOrName: string,
  options: RestartOptions = {},
): Promise<void> {
  if (options.stopSignal) signalNumber(options.stopSignal)
  const { id, document } = mustBeVisible(await seeContainer(machinery, idOrName)).record
  await updateState(machinery, id, (state) => ({ ...state, restartedBy: thisProcess() }))
  try {
    const seen = await seeContainer(machinery, id)
    // A pause between two attempts of the restart policy ends here.
    if (seen.status === 'restarting') await noMoreRestarts(machinery, seen)
    if (await endGently(machinery, seen, options)) {
      await settled(machinery, id)
      await announce(machinery, seen.record, 'stop')
    }
    await options.turn
    const { record } = await startContainer(machinery, id, options)
    await announce(machinery, record, 'restart')
  } catch (error) {
    await updateState(machinery, id, (state) => ({ ...state, restartedBy: undefined }))
    if (document.host.autoRemove) await forgetEnded(machinery, id)
    throw error
  }
}

async function forgetEnded(machinery: Machinery, id: string): Promise<void> {
  await using _ = await lockContainer(machinery, id)
  const record = await machinery.records.containers.find(id)
  if (record && record.document.state.status !== 'running') await forget(machinery, record, { volumes: true })
}

export async function pauseContainer(machinery: Machinery, idOrName: string): Promise<void> {
  const seen = mustRun(await seeContainer(machinery, idOrName))
  if (seen.status === 'paused') throw new BaleError('CONFLICT', `Container ${idOrName} is already paused`)
  // Not by the runtime: crun returns before the old freezer has stopped all processes, and what forks goes on for a while.
  if (!(await freezeCgroup(cgroupPath(seen.record.id), true))) {
    throw new BaleError('RUNTIME_FAILED', `Cannot pause container ${idOrName}: its processes do not stop`)
  }
  await announce(machinery, seen.record, 'pause')
}

export async function unpauseContainer(machinery: Machinery, idOrName: string): Promise<void> {
  const seen = mustBeVisible(await seeContainer(machinery, idOrName))
  if (seen.status !== 'paused') throw new BaleError('CONFLICT', `Container ${idOrName} is not paused`)
  await freezeCgroup(cgroupPath(seen.record.id), false)
  await announce(machinery, seen.record, 'unpause')
}
