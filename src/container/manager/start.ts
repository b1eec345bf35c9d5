import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BaleError, bothEnded, commandExitCode, type OperationOptions } from '#base'
import { noSuchContainer } from '#docker'
import { claim, readClaim, removeCgroup, setTerminalSize } from '#host'
import { removeTree } from '#host/file'
import type { Connection, Container } from '../model/index.ts'
import {
  type AttachSession,
  type Monitored,
  openMonitor,
  type Runtime,
  type TerminalSize,
  type WaitingMonitor,
} from '../runtime/index.ts'
import { cgroupPath, type OciConfig } from '../spec/index.ts'
import { announce, findContainer, lockContainer, type Machinery, pathsOf, see, updateState } from '../state/index.ts'
import { releaseVolumes } from '../volume/index.ts'
import { endCommand } from './container-end.ts'
import { openSession } from './container-session.ts'
import { finalize } from './finalize.ts'
import { watchLog } from './log-keeper.ts'
import { healthCommand, startHealthChecks } from './start-health-checks.ts'
import { mountAndReserveNetwork } from './start-network.ts'

export interface StartOptions extends OperationOptions {
  /** Connects to the container's output before it begins, so that nothing is missed. */
  attach?: boolean
  /** The terminal's size from the first moment. */
  size?: TerminalSize
  /** The caller waits for the end and then calls `leaveAlone`: until then its monitor leaves the cleaning up to it. */
  attended?: boolean
  /** Counts a restart by policy. */
  restart?: boolean
}

export interface Started {
  record: Container
  /** False when it was running already. */
  started: boolean
  attach?: AttachSession
  monitored?: Monitored
}

/**
 * Starts a container, in this order: namespace → (network beside create) → attach → record → start. Until the last step
 * a file names the process that does this; when that is gone the half-made container is deleted, never started. A
 * container that runs is left alone. After a failure everything is undone and the record holds the reason.
 */
export async function startContainer(
  machinery: Machinery,
  idOrName: string,
  options: StartOptions = {},
): Promise<Started> {
  const { id } = await findContainer(machinery, idOrName)
  const paths = pathsOf(machinery, id)
  await using _ = await lockContainer(machinery, id, { signal: options.signal })
  const record = await findContainer(machinery, id)
  const seen = await see(machinery, record)
  if (seen.status === 'paused') throw new BaleError('CONFLICT', 'cannot start a paused container, try unpause instead')
  if (seen.status === 'running')
    return { record, started: false, ...(options.attach && { attach: await openSession(machinery, record) }) }
  if (seen.status === 'removing') throw noSuchContainer(idOrName)
  if (record.document.state.status === 'running' || readClaim(paths.starting).state !== 'nobody')
    await finalize(machinery, record, seen.state)
  // Awaited here: the lock is released when this function returns.
  return await startOrUndo(machinery, record, options)
}

/** What a start has learned when the process may run. */
interface Ready {
  monitored: Monitored
  connections: Connection[]
  attach?: AttachSession
}

async function startOrUndo(machinery: Machinery, record: Container, options: StartOptions): Promise<Started> {
  const runtime = await runtimeFor(machinery, record, options)
  await makeBundle(machinery, record.id)
  try {
    const ready = await makeReady(machinery, record, runtime, options)
    const updated = await recordRunning(machinery, record, runtime, ready, options)
    options.signal?.throwIfAborted()
    await runtime.start(record.id)
    await announce(machinery, record, 'start')
    await rm(pathsOf(machinery, record.id).starting, { force: true })
    if (isChecked(record)) startHealthChecks(machinery, record.id)
    await watchLog(machinery, record)
    return { record: updated ?? record, started: true, attach: ready.attach, monitored: ready.monitored }
  } catch (error) {
    try {
      await undoStart(machinery, record, runtime, error)
    } catch (undoing) {
      // What went wrong first is what people must know; what could not be undone goes with the next sweep.
      throw new SuppressedError(undoing, error)
    }
    throw error
  }
}

/** The process waits in its namespaces, the network is connected, the caller is attached. */
async function makeReady(
  machinery: Machinery,
  record: Container,
  runtime: Runtime,
  options: StartOptions,
): Promise<Ready> {
  const warn = (text: string) => options.progress?.({ kind: 'warning', text })
  using monitor = await monitorFor(machinery, record, runtime, options)
  const { spec, connecting, connections } = await mountAndReserveNetwork(machinery, record, warn)
  const creating = spec.then((config) => createUnderMonitor(machinery, record, config, monitor))
  const [monitored] = await bothEnded(creating, connecting)
  const attach = options.attach
    ? await openSession(machinery, record, { ...options, monitor: monitored.monitor.pid })
    : undefined
  // Not by the monitor, which may hear of it after the process has begun.
  if (options.size && record.document.config.Tty) setTerminalSize(monitored.process.pid, options.size)
  return { monitored, connections, attach }
}

async function recordRunning(
  machinery: Machinery,
  record: Container,
  runtime: Runtime,
  { monitored, connections }: Ready,
  options: StartOptions,
): Promise<Container | undefined> {
  return updateState(
    machinery,
    record.id,
    (state) => ({
      ...state,
      ...monitored,
      status: 'running',
      owner: undefined,
      startedAt: machinery.clock.now(),
      finishedAt: undefined,
      exitCode: 0,
      error: undefined,
      oomKilled: false,
      stopRequested: false,
      restartedBy: undefined,
      untilBoot: undefined,
      restartCount: options.restart ? state.restartCount + 1 : 0,
      health: isChecked(record) ? { status: 'starting', failingStreak: 0, log: [] } : undefined,
    }),
    () => ({ connections, runtime: runtime.name }),
  )
}

function isChecked({ document: { config } }: Container): boolean {
  return healthCommand(config.Healthcheck, config.Shell) !== undefined
}

/** What a container mounts below a shared bind must be visible on the machine, which not every runtime can do everywhere. */
async function runtimeFor(machinery: Machinery, record: Container, options: StartOptions): Promise<Runtime> {
  const { host, mounts } = record.document
  const chosen = await machinery.runtime(host.runtime)
  const shares = mounts.some(({ propagation }) => propagation === 'shared' || propagation === 'rshared')
  if (!chosen.mountsApart || !shares) return chosen
  if (host.runtime === undefined && machinery.programs.find('runc')) return machinery.runtime('runc')
  const text = `${chosen.name} runs in its own mount namespace here: mounts made by the container are not visible on the machine`
  options.progress?.({ kind: 'warning', text })
  return chosen
}

/** A directory with its final name always identifies the starter. */
async function makeBundle(machinery: Machinery, id: string): Promise<void> {
  const { bundle } = pathsOf(machinery, id)
  await removeTree(bundle)
  await removeTree(`${bundle}.new`)
  await mkdir(join(`${bundle}.new`, 'x'), { recursive: true, mode: 0o700 })
  await claim(join(`${bundle}.new`, 'starting.json'))
  await rename(`${bundle}.new`, bundle)
}

async function createUnderMonitor(
  machinery: Machinery,
  { id }: Container,
  spec: OciConfig,
  monitor: WaitingMonitor,
): Promise<Monitored> {
  await writeFile(join(pathsOf(machinery, id).bundle, 'config.json'), JSON.stringify(spec), { mode: 0o600 })
  return monitor.create()
}

function monitorFor(
  machinery: Machinery,
  record: Container,
  runtime: Runtime,
  { attended = false }: StartOptions,
): Promise<WaitingMonitor> {
  const { id, name } = record
  const { config, host } = record.document
  const paths = pathsOf(machinery, id)
  return openMonitor({
    id,
    name,
    runtime,
    programs: machinery.programs,
    bundle: paths.bundle,
    exitDirectory: paths.exits,
    terminal: config.Tty,
    // A detached terminal can be reattached.
    stdin: !config.OpenStdin ? 'closed' : config.StdinOnce && !config.Tty ? 'once' : 'open',
    logPath: host.log?.driver === 'none' ? undefined : paths.log,
    exitCommand: endCommand(machinery, record, attended),
  })
}

/** Back to how it was before the start, with the reason in the record. */
async function undoStart(machinery: Machinery, record: Container, runtime: Runtime, error: unknown): Promise<void> {
  const { id } = record
  const { bundle } = pathsOf(machinery, id)
  await runtime.delete(id, { force: true })
  await removeCgroup(cgroupPath(id))
  await machinery.networks.disconnect(id)
  await machinery.rootfs.release(id)
  await machinery.rootfs.releaseUnused()
  await removeTree(bundle)
  await releaseVolumes(machinery, record.document.mounts)
  await updateState(machinery, id, (state) => ({
    ...state,
    status: state.startedAt === undefined || state.status === 'created' ? 'created' : 'exited',
    process: undefined,
    monitor: undefined,
    owner: undefined,
    startedAt: state.status === 'running' ? undefined : state.startedAt,
    exitCode: commandExitCode(error) ?? 128,
    error: error instanceof Error ? error.message : String(error),
  }))
}
