import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import { mkdir, readdir, rename, writeFile } from 'node:fs/promises'
import { join, normalize } from 'node:path'
import type { Writable } from 'node:stream'

import { BaleError, commandExitCode, errnoOf } from '#base'
import { claim, cleanProcess, isClaimed, removeCgroup, signalNumber } from '#host'
import { readText, removeTree, writeFileWithMode } from '#host/file'
import type { Store } from '#store'
import { DEFAULT_NETWORK, type RunStep, type RunStepOptions, type StepResult } from '../model/index.ts'
import {
  type Connections,
  connections,
  defaultNetwork,
  hostResolvFile,
  hostsFile,
  machineEtcFiles,
  machineResolvConf,
  resolvFile,
} from '../network/index.ts'
import { openRecords, type Records } from '../records/index.ts'
import {
  ensureApparmorProfile,
  openRuntime,
  type Programs,
  programs,
  type Runtime,
  runtimeFailure,
  runtimeOfState,
} from '../runtime/index.ts'
import {
  cgroupPath,
  deviceAccess,
  type OciMount,
  processEnvironment,
  readMachine,
  resolveUser,
  runtimeSpec,
} from '../spec/index.ts'
import { assertDeclaredOffKernel, assertKernelDirectories, assertMountsOffKernel } from './kernel-directories.ts'
import { makeMountPoints, removeMountPoints } from './mount-points.ts'

/** Disposing it removes the default network's bridge if unused. */
export type StepRunner = RunStep & AsyncDisposable

export interface StepRunnerOptions {
  store: Store
  /** Search path for helper programs, in addition to the system directories. */
  path?: string
  /** `runc` or `crun`; by default the one that is installed. */
  runtime?: string
}

/**
 * Runs the steps of builds: one program in a given root file system, to its end, without a monitor. Everything it
 * needed (namespace, addresses, rules, control group) is undone before the result is there; an abort kills the whole
 * tree of processes. What a killed bale left of earlier steps is cleaned up by the first step.
 */
export function createStepRunner(options: StepRunnerOptions): StepRunner {
  let opened: Promise<StepMachinery> | undefined
  let usedNetwork = false
  const run: RunStep = async (step) => {
    opened ??= openMachinery(options)
    usedNetwork ||= step.network === 'bridge'
    return runStep(await opened, step)
  }
  return Object.assign(run, {
    async [Symbol.asyncDispose]() {
      if (!opened || !usedNetwork) return
      const { networks, records } = await opened
      const network = await records.networks.find(DEFAULT_NETWORK)
      if (network) await networks.takeDown(network)
    },
  })
}

/** Undoes what a killed bale left of steps, its processes too; opens no runtime when there is nothing. */
export async function sweepSteps(options: StepRunnerOptions): Promise<void> {
  const left = await readdir(join(options.store.run, 'steps')).catch(noDirectory)
  if (left.length > 0) await openMachinery(options)
}

interface StepMachinery {
  store: Store
  records: Records
  programs: Programs
  runtime: Runtime
  networks: Connections
  /** Parent of the steps' directories. */
  directory: string
}

async function openMachinery({ store, path, runtime: name }: StepRunnerOptions): Promise<StepMachinery> {
  const found = programs(path)
  const runtime = await openRuntime({ name, programs: found, stateDirectory: join(store.run, 'runtime') })
  const networks = connections({ store, programs: found })
  const machinery = {
    store,
    records: openRecords(store),
    programs: found,
    runtime,
    networks,
    directory: join(store.run, 'steps'),
  }
  await sweep(machinery)
  return machinery
}

async function runStep(machinery: StepMachinery, step: RunStepOptions): Promise<StepResult> {
  step.signal?.throwIfAborted()
  const id = randomBytes(32).toString('hex')
  const directory = join(machinery.directory, id)
  // A directory with its final name always names its owner, so no sweep removes a step that is just beginning.
  await mkdir(`${directory}.new`, { recursive: true, mode: 0o700 })
  await claim(join(`${directory}.new`, 'owner.json'))
  await rename(`${directory}.new`, directory)
  let stubs: string[] = []
  try {
    assertKernelDirectories(step.rootfsPath)
    assertStepMounts(step)
    const mounts = await stepMounts(machinery, directory, id, step)
    const points = mounts.map((mount) => ({ destination: mount.destination, kind: kindOf(mount) }))
    stubs = makeMountPoints(step.rootfsPath, [...KERNEL_POINTS, ...points])
    const spec = stepSpec(machinery, id, step, mounts)
    const { apparmorProfile } = spec.process
    if (apparmorProfile !== undefined)
      await ensureApparmorProfile(apparmorProfile, { programs: machinery.programs, run: machinery.store.run })
    await writeFile(join(directory, 'config.json'), JSON.stringify(spec), { mode: 0o600 })
    step.signal?.throwIfAborted()
    return await runToEnd(machinery, directory, id, step)
  } finally {
    await undo(machinery, id)
    removeMountPoints(step.rootfsPath, stubs)
  }
}

const KERNEL_POINTS = ['/proc', '/dev', '/sys'].map((destination) => ({ destination, kind: 'directory' as const }))

/** A Dockerfile is trusted no more than an image: what a step mounts may be filled by other steps. */
function assertStepMounts({ rootfsPath, additionalMounts = [], insecure = false }: RunStepOptions): void {
  const mounts = additionalMounts.map(({ target, source }) => ({ destination: normalize(target), source }))
  for (const { destination, source } of mounts)
    if (source !== undefined) assertDeclaredOffKernel(destination, 'a mount of the step')
  assertMountsOffKernel(rootfsPath, mounts, { masked: !insecure })
}

/** Connects the network and writes the files of /etc; mounts these, then what the caller requested. */
async function stepMounts(
  machinery: StepMachinery,
  directory: string,
  id: string,
  step: RunStepOptions,
): Promise<OciMount[]> {
  const address = step.network === 'bridge' ? await joinDefaultNetwork(machinery, id) : undefined
  const hostname = step.hostname ?? STEP_HOSTNAME
  const files = {
    'resolv.conf':
      step.network === 'host'
        ? hostResolvFile({ host: machineEtcFiles().resolvConf })
        : resolvFile({ host: machineResolvConf() }),
    hosts: hostsFile({
      extra: step.hosts,
      gateway: address?.gateway,
      ...(address && { own: { addresses: [address.address], names: [hostname] } }),
    }),
  }
  for (const [name, text] of Object.entries(files)) await writeFileWithMode(join(directory, name), text, 0o644)
  return [
    ...Object.keys(files).map((name) => bind(join(directory, name), `/etc/${name}`)),
    ...(step.additionalMounts ?? []).map((mount) =>
      mount.type === 'tmpfs'
        ? {
            destination: mount.target,
            type: 'tmpfs',
            source: 'tmpfs',
            options: ['nosuid', 'nodev', ...(mount.options ?? [])],
          }
        : bind(mount.source!, mount.target, [...(mount.readOnly ? ['ro'] : []), ...(mount.options ?? [])]),
    ),
  ]
}

/** The name docker gives build containers: programs that record it make the same layer everywhere. */
const STEP_HOSTNAME = 'buildkitsandbox'

async function joinDefaultNetwork({ records, networks }: StepMachinery, id: string) {
  const network = await defaultNetwork(records, () => ({ id: randomBytes(32).toString('hex'), created: Date.now() }))
  const connection = await networks.claim({ owner: id, network })
  await networks.createNamespace(id)
  await networks.connect({ owner: id, name: `step-${id.slice(0, 12)}`, network, connection })
  return connection
}

function bind(source: string, destination: string, options: string[] = []): OciMount {
  return { destination, type: 'bind', source, options: ['rbind', 'rprivate', ...options] }
}

function kindOf(mount: OciMount): 'file' | 'directory' {
  if (mount.type !== 'bind') return 'directory'
  return statSync(mount.source!).isDirectory() ? 'directory' : 'file'
}

function stepSpec({ networks }: StepMachinery, id: string, step: RunStepOptions, mounts: OciMount[]) {
  const hostname = step.hostname ?? STEP_HOSTNAME
  const user = resolveUser(step.rootfsPath, step.user ?? '')
  const namespace = step.network === 'bridge' ? { path: networks.namespacePath(id) } : undefined
  return runtimeSpec({
    id,
    rootfsPath: step.rootfsPath,
    process: {
      args: step.args,
      env: processEnvironment(step.env, { hostname, terminal: false }),
      cwd: step.cwd,
      terminal: false,
      user,
    },
    hostname,
    network: namespace ?? (step.network === 'host' ? 'host' : 'own'),
    host: { privileged: step.insecure, shmSize: step.shmSize },
    mounts,
    devices: deviceAccess([], step.insecure),
    machine: readMachine(),
  })
}

/** Becomes the runtime on request: until then the caller's process state can be removed from it. */
const WAITING = 'read -r line <&3 && exec "$0" "$@" 3<&-'

async function runToEnd(
  { runtime, programs: found }: StepMachinery,
  directory: string,
  id: string,
  step: RunStepOptions,
): Promise<StepResult> {
  const log = join(directory, 'runtime.log')
  const pidFile = join(directory, 'pid')
  const runtimeArguments = [
    '--log',
    log,
    '--log-format',
    'json',
    'run',
    '--bundle',
    directory,
    '--pid-file',
    pidFile,
    id,
  ]
  const child = spawn('/bin/sh', ['-c', WAITING, runtime.path, ...runtime.globalArguments, ...runtimeArguments], {
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    env: { PATH: found.searchPath },
    detached: true,
  })
  const gate = child.stdio[3] as Writable
  // A process that could not start has closed it; its exit reports that.
  gate.on('error', () => undefined)
  if (child.pid !== undefined) cleanProcess(child.pid)
  gate.end('\n')
  child.stdout!.on('data', (bytes: Buffer) => step.onOutput?.('stdout', bytes))
  child.stderr!.on('data', (bytes: Buffer) => step.onOutput?.('stderr', bytes))
  const abort = () => {
    runtime.delete(id, { force: true }).finally(() => child.kill('SIGKILL'))
  }
  step.signal?.addEventListener('abort', abort, { once: true })
  try {
    const code = await exitCode(child)
    step.signal?.throwIfAborted()
    if (existsSync(pidFile)) return { exitCode: code }
    return neverStarted(await readText(log).catch(missing))
  } finally {
    step.signal?.removeEventListener('abort', abort)
  }
}

function exitCode(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.on('error', (cause) => reject(new BaleError('RUNTIME_FAILED', 'cannot start the runtime', { cause })))
    child.on('close', (code, signal) => resolve(code ?? 128 + signalNumber(signal ?? 'KILL')))
  })
}

/** Not found and not executable are results of a step like any exit code; all else is a failure of this machine. */
function neverStarted(log: string): StepResult {
  const messages = log
    .split('\n')
    .filter(Boolean)
    .map((line) => (JSON.parse(line) as { msg: string; level: string }).msg)
  const failure = runtimeFailure(messages.at(-1) ?? 'the runtime gave no reason', 'create')
  const exitCode = commandExitCode(failure)
  if (exitCode === undefined) throw failure
  return { exitCode, failure: failure.message }
}

function missing(error: unknown): string {
  if (errnoOf(error) === 'ENOENT') return ''
  throw error
}

/** May be called for a step in any state, and again. */
async function undo(machinery: StepMachinery, id: string): Promise<void> {
  const { networks, directory } = machinery
  await (await runtimeOfStep(machinery, id)).delete(id, { force: true })
  if (!(await removeCgroup(cgroupPath(id))))
    throw new BaleError('RUNTIME_FAILED', `processes of build step ${id.slice(0, 12)} cannot be killed`)
  await networks.disconnect(id)
  await removeTree(join(directory, id))
}

/** A leftover step may belong to another runtime. */
async function runtimeOfStep({ runtime, programs: found, store }: StepMachinery, id: string): Promise<Runtime> {
  const stateDirectory = join(store.run, 'runtime')
  const name = runtimeOfState(stateDirectory, id) ?? runtime.name
  return name === runtime.name ? runtime : openRuntime({ name, programs: found, stateDirectory })
}

/** Undoes the steps whose bale process is gone. */
async function sweep(machinery: StepMachinery): Promise<void> {
  for (const id of await readdir(machinery.directory).catch(noDirectory)) {
    if (!/^[0-9a-f]{64}$/.test(id)) continue
    if (!isClaimed(join(machinery.directory, id, 'owner.json'))) await undo(machinery, id)
  }
}

function noDirectory(error: unknown): string[] {
  if (errnoOf(error) === 'ENOENT') return []
  throw error
}
