import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BaleError, type OperationOptions } from '#base'
import { noSuchContainer } from '#docker'
import { claim, readClaim, removeCgroup } from '#host'
import { removeTree } from '#host/file'
import type { Rootfs } from '#rootfs'
import { type Connection, type Container, isOwnNetwork, sharedWith } from '../model/index.ts'
import {
  type AttachSession,
  attachTo,
  createMonitored,
  type Monitored,
  type Runtime,
  type TerminalSize,
} from '../runtime/index.ts'
import { cgroupPath } from '../spec/index.ts'
import { announce, findContainer, lockContainer, type Machinery, pathsOf, see, updateState } from '../state/index.ts'
import { releaseVolumes } from '../volume/index.ts'
import { claimPlaces, joinPlaces, placesOf } from './container-networks.ts'
import { containerSpec, type Prepared, sharedNamespace } from './container-spec.ts'
import { finalize } from './finalize.ts'
import { watchLog } from './log-keeper.ts'
import { healthCommand, startHealthChecks } from './start-health-checks.ts'

export interface StartOptions extends OperationOptions {
  /** Connects to the container's output before it begins, so that nothing is missed. */
  attach?: boolean
  /** The terminal's size from the first moment. */
  size?: TerminalSize
  /** Counts a restart by policy. */
  restart?: boolean
}

export interface Started {
  record: Container
  /** False when it ran already. */
  started: boolean
  attach?: AttachSession
  monitored?: Monitored
}

/**
 * Starts a container, in this order: namespace → (network beside create) → attach → record → start. Until the last step
 * a file tells who is doing this; when that process is gone the half-made container is deleted, never started. A
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
    return { record, started: false, ...(options.attach && { attach: attachTo(paths.bundle) }) }
  if (seen.status === 'removing') throw noSuchContainer(idOrName)
  if (record.document.state.status === 'running' || readClaim(paths.starting).state !== 'nobody')
    await finalize(machinery, record, seen.state)
  // Awaited here: the lock is released when this function returns.
  return await begin(machinery, record, options)
}

async function begin(machinery: Machinery, record: Container, options: StartOptions): Promise<Started> {
  const { id } = record
  const runtime = await runtimeFor(machinery, record, options)
  await makeBundle(machinery, id)
  try {
    const { spec, connecting, connections } = await prepare(machinery, record, options)
    const monitoring = spec.then((config) => create(machinery, record, runtime, config))
    // Both are waited for, whatever the other does: undoing must not overtake them.
    const [created, connected] = await Promise.allSettled([monitoring, connecting])
    if (created.status === 'rejected') throw created.reason
    if (connected.status === 'rejected') throw connected.reason
    const monitored = created.value
    const { bundle, starting } = pathsOf(machinery, id)
    const attach = options.attach ? attachTo(bundle) : undefined
    if (attach) await announce(machinery, record, 'attach')
    if (attach && options.size) await attach.resize(options.size)
    const { Healthcheck: check, Shell: shell } = record.document.config
    const checked = healthCommand(check, shell) !== undefined
    const updated = await updateState(
      machinery,
      id,
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
        health: checked ? { status: 'starting', failingStreak: 0, log: [] } : undefined,
      }),
      () => ({ connections, runtime: runtime.name }),
    )
    options.signal?.throwIfAborted()
    await runtime.start(id)
    await announce(machinery, record, 'start')
    await rm(starting, { force: true })
    if (checked) startHealthChecks(machinery, id)
    await watchLog(machinery, record)
    return { record: updated ?? record, started: true, attach, monitored }
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

/** What a container mounts below a shared bind must be seen by the machine: not every runtime can do that everywhere. */
async function runtimeFor(machinery: Machinery, record: Container, options: StartOptions): Promise<Runtime> {
  const { host, mounts } = record.document
  const asked = await machinery.runtime(host.runtime)
  const shares = mounts.some(({ propagation }) => propagation === 'shared' || propagation === 'rshared')
  if (!asked.mountsApart || !shares) return asked
  if (host.runtime === undefined && machinery.programs.find('runc')) return machinery.runtime('runc')
  const text = `${asked.name} runs in its own mount namespace here: mounts made by the container are not visible on the machine`
  options.progress?.({ kind: 'warning', text })
  return asked
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

/** Root file system and network; the interface is still being set up when this returns (`connecting`). */
async function prepare(machinery: Machinery, record: Container, options: StartOptions): Promise<Ready> {
  const { id } = record
  const mounting = machinery.rootfs.prepareRootfs(record.layers, { id, writable: pathsOf(machinery, id) })
  // Whoever needs the mount reports its failure; it may fail while nobody waits for it yet.
  mounting.catch(() => undefined)
  try {
    return await connect(machinery, record, mounting, (text) => options.progress?.({ kind: 'warning', text }))
  } catch (error) {
    // Undoing must not overtake the mount.
    await Promise.allSettled([mounting])
    throw error
  }
}

interface Ready {
  spec: Promise<Awaited<ReturnType<typeof containerSpec>>>
  connecting: Promise<unknown>
  connections: Connection[]
}

async function connect(
  machinery: Machinery,
  record: Container,
  mounting: Promise<Rootfs>,
  warn: Prepared['warn'],
): Promise<Ready> {
  const mode = record.document.host.network
  if (!isOwnNetwork(mode)) return shareNetwork(machinery, record, mode ?? '', { mounting, warn })
  const places = await placesOf(machinery, record)
  const [connections, namespace] = await bothOrNeither(
    claimPlaces(machinery, record, places),
    machinery.networks.createNamespace(record.id),
  )
  const connecting = joinPlaces(machinery, record, places, connections)
  // A failure of one is reported by whoever waits for both; until then it must not count as unhandled.
  connecting.catch(() => undefined)
  const spec = mounting.then(({ path }) =>
    containerSpec(machinery, record, { rootfsPath: path, network: { path: namespace }, connections, warn }),
  )
  return { spec, connecting, connections }
}

/** `none`, the machine's network, or that of another container. */
async function shareNetwork(
  machinery: Machinery,
  record: Container,
  mode: string,
  { mounting, warn }: { mounting: Promise<Rootfs>; warn: Prepared['warn'] },
): Promise<Ready> {
  const network = mode === 'none' ? 'own' : await sharedNamespace(machinery, mode, 'net')
  const owner = await networkOwner(machinery, mode)
  const { path } = await mounting
  const spec = containerSpec(machinery, record, {
    rootfsPath: path,
    network,
    connections: [],
    warn,
    ...(owner && { sharedWith: owner }),
  })
  return { spec, connecting: Promise.resolve(), connections: [] }
}

async function bothOrNeither<A, B>(one: Promise<A>, other: Promise<B>): Promise<[A, B]> {
  const [first, second] = await Promise.allSettled([one, other])
  if (first.status === 'rejected') throw first.reason
  if (second.status === 'rejected') throw second.reason
  return [first.value, second.value]
}

/** The container whose network is used: that of `container:NAME`, or the one that it shares itself. */
async function networkOwner(machinery: Machinery, mode: string): Promise<Container | undefined> {
  let owner: Container | undefined
  for (let shared = sharedWith(mode); shared !== undefined; shared = sharedWith(owner.document.host.network))
    owner = await findContainer(machinery, shared)
  return owner
}

async function create(
  machinery: Machinery,
  record: Container,
  runtime: Runtime,
  spec: Awaited<ReturnType<typeof containerSpec>>,
): Promise<Monitored> {
  const { id, name } = record
  const { config, host } = record.document
  const paths = pathsOf(machinery, id)
  await writeFile(join(paths.bundle, 'config.json'), JSON.stringify(spec), { mode: 0o600 })
  return createMonitored({
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
    exitCommand: machinery.selfCommand.length ? [...machinery.selfCommand, 'container', 'cleanup', id] : undefined,
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
  const code =
    error instanceof BaleError
      ? { COMMAND_NOT_FOUND: 127, COMMAND_NOT_EXECUTABLE: 126 }[error.code as string]
      : undefined
  await updateState(machinery, id, (state) => ({
    ...state,
    status: state.startedAt === undefined || state.status === 'created' ? 'created' : 'exited',
    process: undefined,
    monitor: undefined,
    startedAt: state.status === 'running' ? undefined : state.startedAt,
    exitCode: code ?? 128,
    error: error instanceof Error ? error.message : String(error),
  }))
}
