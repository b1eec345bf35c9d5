import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { BaleError } from '#base'
import { noSuchContainer, notRunning } from '#docker'
import { isAlive, isFrozen, isVisible, oomKills, readClaim } from '#host'
import type { Container, ContainerDocument, RecordedState } from '../model/index.ts'
import { readExitFile } from '../runtime/index.ts'
import { cgroupPath } from '../spec/index.ts'
import { thawAbandoned } from './freezer.ts'
import { type Machinery, pathsOf } from './machinery.ts'

/** docker's names of container states. */
type Status = 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited'

/** A container with its current state, read from the machine. */
export interface SeenContainer {
  record: Container
  status: Status
  state: RecordedState
}

/** The exit code when the real one is lost: the monitor was killed, or the machine restarted. */
export const LOST_EXIT_CODE = 255

/**
 * Reads a container's real state: the exit file, the life of its first process and of its monitor, the freezer. The
 * store's record is only the starting point, since any bale process may have died before it wrote.
 */
export async function see(machinery: Machinery, record: Container): Promise<SeenContainer> {
  const recorded = record.document.state
  if (recorded.status === 'running') return seeRunning(machinery, record)
  if (recorded.status === 'restarting') {
    const waiting = recorded.owner && isAlive(recorded.owner)
    return { record, status: waiting ? 'restarting' : 'exited', state: recorded }
  }
  return { record, status: recorded.status, state: recorded }
}

async function seeRunning(machinery: Machinery, record: Container): Promise<SeenContainer> {
  const state = record.document.state
  const paths = pathsOf(machinery, record.id)
  for (let look = 0; ; look++) {
    const exit = readExitFile(paths.exits, record.id)
    if (exit) return ended(machinery, record, { ...state, exitCode: exit.code, finishedAt: exit.finishedAt })
    if (state.process && isAlive(state.process)) {
      if (readClaim(paths.starting).state === 'dead')
        return ended(machinery, record, { ...state, status: 'created', startedAt: undefined })
      const paused = isFrozen(cgroupPath(record.id)) && !(await thawAbandoned(machinery, record))
      const oomKilled = existsSync(oomFile(machinery, record.id))
      return { record, status: paused ? 'paused' : 'running', state: { ...state, oomKilled } }
    }
    // The process has ended and its monitor is about to write the exit file: a few milliseconds.
    if (!state.monitor || !isAlive(state.monitor) || !existsSync(paths.exits) || look === 50) break
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  // Another process may have recorded the exit meanwhile.
  const now = await machinery.records.containers.find(record.id)
  if (now && now.document.state.status !== 'running') return see(machinery, now)
  return ended(machinery, record, {
    ...state,
    exitCode: LOST_EXIT_CODE,
    finishedAt: machinery.clock.now(),
    error: 'the exit code is lost: the monitor died before writing it',
  })
}

function ended(machinery: Machinery, record: Container, state: RecordedState): SeenContainer {
  const status = state.status === 'created' ? 'created' : goesAway(record) ? 'removing' : 'exited'
  const oomKilled = status !== 'created' && wasOomKilled(machinery, record.id)
  return { record, status, state: { ...state, status, oomKilled, process: undefined, monitor: undefined } }
}

/** True when a container is removed at its end: --rm, and nobody is about to start it again. */
export function goesAway({ document }: Container): boolean {
  const { restartedBy } = document.state
  return document.host.autoRemove === true && !(restartedBy && isAlive(restartedBy))
}

/**
 * True when the kernel killed a process of this life for want of memory, be it the first one or another. The monitor
 * leaves a file, but may end before it hears of the kill; the control group counts until it is removed.
 */
export function wasOomKilled(machinery: Pick<Machinery, 'store'>, id: string): boolean {
  return existsSync(oomFile(machinery, id)) || oomKills(cgroupPath(id)) > 0
}

export function oomFile(machinery: Pick<Machinery, 'store'>, id: string): string {
  return join(pathsOf(machinery, id).bundle, 'p', 'oom')
}

/**
 * True when a container was created but the process that was to start it is gone: its monitor has given up or will
 * never hear of it, so it must be deleted, not started. The runtime's fifo vanishes when a container starts.
 */
export function isHalfMade(machinery: Pick<Machinery, 'store'>, id: string): boolean {
  const { starting } = pathsOf(machinery, id)
  return readClaim(starting).state === 'dead' && existsSync(join(machinery.store.run, 'runtime', id, 'exec.fifo'))
}

/** A container by name, ID or unique ID prefix. Throws CONTAINER_NOT_FOUND with docker's message. */
export async function findContainer({ records }: Pick<Machinery, 'records'>, idOrName: string): Promise<Container> {
  const name = idOrName.startsWith('/') ? idOrName.slice(1) : idOrName
  const record = name === '' ? undefined : await records.containers.find(name)
  if (record) return record
  throw noSuchContainer(idOrName, { next: { act: 'list-containers', because: 'unknown' } })
}

export async function seeContainer(machinery: Machinery, idOrName: string): Promise<SeenContainer> {
  return see(machinery, await findContainer(machinery, idOrName))
}

/** All containers with their real state, newest first. Those being removed are left out. */
export async function seeAll(machinery: Machinery): Promise<SeenContainer[]> {
  const records = await machinery.records.containers.list()
  const seen = await Promise.all(records.map((record) => see(machinery, record)))
  return seen.filter((one) => one.status !== 'removing')
}

/**
 * Throws CONFLICT for a container that was started in another pid namespace: its processes have other numbers here, or none,
 * so they can be neither signalled nor entered.
 */
export function mustBeVisible(seen: SeenContainer): SeenContainer {
  const { process } = seen.state
  if (!process || isVisible(process)) return seen
  throw new BaleError(
    'CONFLICT',
    `Container ${seen.record.id} was started in another pid namespace (${process.namespace}): its processes cannot be reached from here`,
    { hint: "do this where it was started, or there with the machine's own pid namespace" },
  )
}

/** Throws CONTAINER_NOT_RUNNING unless the container runs (paused is running). */
export function mustRun(seen: SeenContainer): SeenContainer {
  if (seen.status === 'running' || seen.status === 'paused') return mustBeVisible(seen)
  throw notRunning(seen.record.id)
}

export async function updateState(
  { records }: Machinery,
  id: string,
  change: (state: RecordedState) => RecordedState,
  further: (document: ContainerDocument) => Partial<ContainerDocument> = () => ({}),
): Promise<Container | undefined> {
  return records.containers.update(id, (record) => {
    const state = change(record.document.state)
    return { ...record, state: state.status, document: { ...record.document, ...further(record.document), state } }
  })
}
