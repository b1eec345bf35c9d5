import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bothEnded } from '#base'
import { isAlive, readClaim, removeCgroup, thisProcess } from '#host'
import { removeTree } from '#host/file'
import { databasePath } from '#store'
import type { Container, RecordedState } from '../model/index.ts'
import { runtimeOfState } from '../runtime/index.ts'
import { cgroupPath } from '../spec/index.ts'
import {
  findContainer,
  goesAway,
  isHalfMade,
  lockContainer,
  type Machinery,
  oomFile,
  pathsOf,
  removeUnused,
  see,
  updateState,
  wasOomKilled,
} from '../state/index.ts'
import { releaseVolumes, removeVolume } from '../volume/index.ts'
import { abandonContainer } from './abandon.ts'
import { LINGER_MILLISECONDS } from './container-end.ts'
import { forgetExecs } from './exec-records.ts'
import { unwatchLog } from './log-keeper.ts'

/**
 * Removes what a container that has ended left on the machine (runtime state, cgroups, network, mounts, sockets), and
 * then records its end in the store. The caller holds the container's lock. May be called again.
 */
export async function finalize(machinery: Machinery, record: Container, ended: RecordedState): Promise<RecordedState> {
  const { id, document } = record
  const paths = pathsOf(machinery, id)
  const cgroup = cgroupPath(id)
  const oomKilled = ended.status !== 'created' && wasOomKilled(machinery, id)
  // It must be visible also between the removal of the group and the writing of the record.
  if (oomKilled) await writeFile(oomFile(machinery, id), '')
  // A start that was killed midway has not recorded its runtime.
  const name = runtimeOfState(join(machinery.store.run, 'runtime'), record.id) ?? document.runtime
  const runtime = await machinery.runtime(name)
  await bothEnded(runtime.delete(id, { force: true }), machinery.networks.disconnect(id))
  await removeCgroup(cgroup)
  await machinery.rootfs.release(id)
  await unwatchLog(machinery, record)
  const state: RecordedState = {
    ...ended,
    status: ended.status === 'created' ? 'created' : 'exited',
    oomKilled,
    process: undefined,
    monitor: undefined,
  }
  if (state.status === 'exited' && goesAway(record))
    await forgetFinalized(
      machinery,
      { ...record, state: state.status, document: { ...document, state } },
      { volumes: true },
    )
  else {
    await updateState(machinery, id, (now) => ({
      ...state,
      stopRequested: now.stopRequested,
      restartCount: now.restartCount,
      restartedBy: now.restartedBy,
      untilBoot: now.untilBoot,
    }))
    await removeTree(paths.bundle)
  }
  await releaseVolumes(machinery, document.mounts)
  return state
}

/**
 * Removes a container that is not running, as `record` has it: its own layer, log, record, and with `volumes` its anonymous volumes.
 */
export async function forget(machinery: Machinery, record: Container, options: { volumes: boolean }): Promise<void> {
  await machinery.rootfs.release(record.id)
  await machinery.networks.disconnect(record.id)
  await forgetFinalized(machinery, record, options)
}

async function forgetFinalized(machinery: Machinery, record: Container, options: { volumes: boolean }): Promise<void> {
  const { id } = record
  await removeTree(pathsOf(machinery, id).directory)
  await forgetExecs(machinery, id)
  await machinery.records.containers.remove(id, record)
  if (options.volumes)
    // It may have been given to another container by its name.
    for (const { anonymous, name } of record.document.mounts)
      if (anonymous && name) await removeUnused(() => removeVolume(machinery, name, { force: true }))
}

interface CleanupOptions {
  /** Milliseconds that an unused network stays up for the next container. */
  linger?: number
  /** Starts the container again; supplied by the caller. */
  restart: (id: string) => Promise<void>
}

/**
 * Called by the monitor when its container has ended, or was never started because the starting process died. Everything
 * is undone; --rm and the restart policy are obeyed; networks that no container uses any more are taken down.
 */
export async function cleanupContainer(machinery: Machinery, id: string, options: CleanupOptions): Promise<void> {
  const paths = pathsOf(machinery, id)
  const record = await cleanupLocked(machinery, id)
  if (record?.restart) await restartByPolicy(machinery, record.record, options)
  await machinery.rootfs.releaseUnused()
  await machinery.clock.sleep(options.linger ?? LINGER_MILLISECONDS)
  const { store, programs } = machinery
  const isStoreThere = () => existsSync(databasePath(store.root))
  if (isStoreThere()) {
    // Waiters have read the exit code by now.
    if (!(await machinery.records.containers.find(id))) await removeTree(paths.bundle)
    try {
      await takeDownIdleNetworks(machinery)
      await machinery.rootfs.releaseUnused()
    } catch (error) {
      // It was deleted meanwhile, with the directories that this needs.
      if (isStoreThere()) throw error
    }
  }
  if (!isStoreThere()) await abandonContainer({ run: store.run, path: programs.searchPath }, id)
}

async function cleanupLocked(
  machinery: Machinery,
  id: string,
): Promise<{ record: Container; restart: boolean } | undefined> {
  await using _ = await lockContainer(machinery, id)
  const record = await machinery.records.containers.find(id)
  if (!record) return undefined
  const seen = await see(machinery, record)
  const halfMade = leftHalfMade(machinery, record)
  const endedUnseen =
    record.document.state.status === 'running' && seen.status !== 'running' && seen.status !== 'paused'
  const recorded = record.document.state
  // Another process may have recorded the exit; restarting is still up to this one.
  const endedSeen = recorded.status === 'exited' && recorded.error === undefined && wantsRestart(record, recorded)
  if (!halfMade && !endedUnseen && !endedSeen) return undefined
  const state = endedSeen ? recorded : await finalize(machinery, record, seen.state)
  const restart = !halfMade && wantsRestart(record, state)
  if (restart) await updateState(machinery, id, (now) => ({ ...now, status: 'restarting', owner: thisProcess() }))
  return { record, restart }
}

/** A start that was killed in the middle: before the record said "running", or after it but before the start. */
function leftHalfMade(machinery: Machinery, record: Container): boolean {
  if (record.document.state.status === 'running') return isHalfMade(machinery, record.id)
  return readClaim(pathsOf(machinery, record.id).starting).state === 'dead'
}

/** docker's rules for `--restart`; on-unhealthy is on-failure, and counts an unhealthy container as one that failed. */
export function wantsRestart(record: Container, ended: RecordedState): boolean {
  const policy = record.document.host.restart
  const { stopRequested, untilBoot, restartCount, restartedBy, health } = record.document.state
  if (!policy || stopRequested || untilBoot || ended.status !== 'exited' || (restartedBy && isAlive(restartedBy)))
    return false
  if (policy.name === 'always' || policy.name === 'unless-stopped') return true
  const most = policy.maximumRetryCount ?? 0
  if (most > 0 && restartCount >= most) return false
  if (policy.name === 'on-unhealthy' && health?.status === 'unhealthy') return true
  return policy.name !== 'no' && ended.exitCode !== 0
}

const FIRST_PAUSE = 100
const LONGEST_PAUSE = 60_000
/** A container that ran this long was healthy; the back-off starts over. */
const WELL_MILLISECONDS = 10_000

async function restartByPolicy(machinery: Machinery, record: Container, { restart }: CleanupOptions): Promise<void> {
  const { startedAt = 0, restartCount } = record.document.state
  const ranWell = machinery.clock.now() - startedAt > WELL_MILLISECONDS
  await machinery.clock.sleep(Math.min(ranWell ? FIRST_PAUSE : FIRST_PAUSE * 2 ** restartCount, LONGEST_PAUSE))
  const now = await machinery.records.containers.find(record.id)
  if (now?.document.state.status !== 'restarting' || now.document.state.stopRequested) return
  await restart(record.id)
}

/** Removes bridges and rules of networks that no container uses; returns their names. */
export async function takeDownIdleNetworks(machinery: Machinery): Promise<string[]> {
  const down: string[] = []
  for (const network of await machinery.records.networks.list())
    if (await machinery.networks.takeDown(network)) down.push(network.name)
  await machinery.networks.takeDownOrphans()
  return down
}

/** Finalizes a container whose exit was not recorded. The caller holds its lock. */
export async function settle(machinery: Machinery, id: string): Promise<void> {
  const record = await findContainer(machinery, id)
  const seen = await see(machinery, record)
  const ended = record.document.state.status === 'running' && !['running', 'paused'].includes(seen.status)
  if (ended || leftHalfMade(machinery, record)) await finalize(machinery, record, seen.state)
}

/**
 * Returns when a container that has ended and was to be removed at its end (--rm) is gone, with its name, its network and
 * its anonymous volumes. The first to arrive does the work, this caller or the monitor's command.
 */
export async function awaitRemoval(machinery: Machinery, id: string): Promise<void> {
  await using _ = await lockContainer(machinery, id)
  if (await machinery.records.containers.find(id)) await settle(machinery, id)
}
