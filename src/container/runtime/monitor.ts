import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { BaleError, errnoOf } from '#base'
import { cleanProcess, type ProcessIdentity, processIdentity } from '#host'
import { readText, readTextSync } from '#host/file'
import type { OciProcess } from '../spec/index.ts'
import { lastLoggedError, type MonitorAnswer, monitorAnswers } from './answers.ts'
import { type AttachSession, attachTo } from './attach.ts'
import type { Programs } from './programs.ts'
import type { Runtime } from './runtime.ts'
import { runtimeFailure } from './runtime-failure.ts'

/** conmon's options for every process, a container's first one or an exec. */
interface MonitorOptions {
  /** Full container ID. */
  id: string
  runtime: Runtime
  programs: Programs
  /** conmon's directory: config.json (create), attach, ctl, pidfile. Short: a socket's path holds 107 bytes. */
  bundle: string
  /** Where the exit code goes, as a file named by the container ID. */
  exitDirectory: string
  terminal: boolean
  /** `closed`: /dev/null; `once`: ends when a client ends it; `open`: no client can end it. */
  stdin: 'closed' | 'once' | 'open'
}

interface CreateOptions extends MonitorOptions {
  name: string
  /** k8s-file log; undefined for none. */
  logPath?: string
  /** Run by the monitor when the container has ended, even if no bale process is left. */
  exitCommand?: readonly string[]
}

export interface Monitored {
  /** First process of the container. */
  process: ProcessIdentity
  monitor: ProcessIdentity
}

const SOCKET_PATH_LIMIT = 107
/** Of the runtime, in the bundle. */
const RUNTIME_LOG = 'oci.log'

/** A monitor that waits for `create`. Disposing it before that ends it without starting anything. */
export interface WaitingMonitor extends Disposable {
  /**
   * Creates the container of `bundle`/config.json and stays with it. The container is "created": attach, then start it by the
   * runtime. When this process dies before it has the answer, the container must be deleted, never started: its monitor has
   * given up.
   */
  create(): Promise<Monitored>
}

/** Starts a monitor early, while the mounts and the network of its container are still being prepared. */
export async function openMonitor(options: CreateOptions): Promise<WaitingMonitor> {
  const { bundle } = options
  await mkdir(join(bundle, 'p'), { recursive: true, mode: 0o700 })
  await rm(join(options.exitDirectory, options.id), { force: true })
  const child = startMonitor(options, options.runtime.creator, [
    '-n',
    options.name,
    '-P',
    join(bundle, 'conmon.pid'),
    '-l',
    options.logPath === undefined ? 'none' : `k8s-file:${options.logPath}`,
    ...(options.stdin === 'open' ? ['--leave-stdin-open'] : []),
    ...exitArguments(options.exitCommand),
  ])
  let told = false
  return {
    async create() {
      told = true
      using lines = messages(child.sync)
      child.start.write('x')
      const answer = await lines.next()
      // The monitor lives on; an open pipe to it would keep this process from ending.
      child.start.destroy()
      if (!answer || answer.data < 0) throw runtimeFailure(await failureText(answer, child, bundle), 'create')
      const monitor = processIdentity(Number(readTextSync(join(bundle, 'conmon.pid'))))
      const process = processIdentity(answer.data)
      if (!monitor || !process) throw new BaleError('RUNTIME_FAILED', 'the container ended while it was being created')
      return { process, monitor }
    },
    [Symbol.dispose]() {
      if (!told) child.abandon()
    },
  }
}

interface ExecOptions extends MonitorOptions {
  process: OciProcess
  /** Runs detached. */
  detach?: boolean
  exitCommand?: readonly string[]
}

export interface ExecSession {
  /** Undefined for a detached exec. */
  attach?: AttachSession
  /** Lets the process begin; resolves with its pid on the host. Throws when it cannot be run. */
  begin(): Promise<number>
  /** Resolves with the exit code, 255 when it is not known. Not for a detached exec. */
  exit(): Promise<number>
  /** Detaches from the monitor: the process continues without a waiter. */
  release(): void
}

/** A monitor for an additional process that waits for `prepare`. Disposing it before that ends it without starting anything. */
interface WaitingExec extends Disposable {
  /** Prepares the process. Its output can be read before `begin`. */
  prepare(): Promise<ExecSession>
}

/** Starts a monitor early, while the record of its process is still being written. */
export async function openExecMonitor(options: ExecOptions): Promise<WaitingExec> {
  const { bundle, detach = false } = options
  await mkdir(join(bundle, 'p'), { recursive: true, mode: 0o700 })
  const specPath = join(bundle, 'process.json')
  const attachArguments = detach ? [] : ['--exec-attach']
  const child = startMonitor(
    options,
    withMemoryScore(options.process.oomScoreAdj ?? 0, options),
    ['-e', '--exec-process-spec', specPath, ...attachArguments, '-l', 'none', ...exitArguments(options.exitCommand)],
    { attachPipe: !detach },
  )
  let told = false
  return {
    async prepare() {
      await writeFile(specPath, JSON.stringify(options.process), { mode: 0o600 })
      told = true
      return prepareExec(child, options)
    },
    [Symbol.dispose]() {
      if (!told) child.abandon()
    },
  }
}

async function prepareExec(child: MonitorChild, { bundle, detach = false }: ExecOptions): Promise<ExecSession> {
  const lines = messages(child.sync)
  child.start.write('x')
  let attach: AttachSession | undefined
  if (child.attach) {
    using ready = messages(child.attach)
    const answer = await ready.next()
    if (answer && answer.data >= 0) attach = attachTo(bundle)
  }
  return {
    attach,
    async begin() {
      if (attach) child.start.write('x')
      const answer = await lines.next()
      child.start.destroy()
      if (!answer || answer.data < 0) {
        lines[Symbol.dispose]()
        throw runtimeFailure(await failureText(answer, child, bundle), 'exec')
      }
      if (detach) lines[Symbol.dispose]()
      return answer.data
    },
    async exit() {
      const answer = await lines.next()
      lines[Symbol.dispose]()
      return answer?.data ?? 255
    },
    release: () => lines[Symbol.dispose](),
  }
}

interface MonitorChild {
  sync: Readable
  start: Writable
  attach?: Readable
  stderr: () => string
  /** Kills it before it has started anything. */
  abandon(): void
}

function startMonitor(
  options: MonitorOptions,
  runtimeCommand: readonly [string, ...string[]],
  args: string[],
  { attachPipe = false }: { attachPipe?: boolean } = {},
): MonitorChild {
  const { id, bundle, programs } = options
  if (Buffer.byteLength(join(bundle, 'attach')) > SOCKET_PATH_LIMIT)
    throw new BaleError('UNSUPPORTED_HOST', `the path ${bundle} is too long for a socket`, {
      next: { act: 'choose-directory', of: 'run' },
    })
  const [program, ...before] = runtimeCommand
  const runtimeArguments = [
    ...before,
    ...options.runtime.globalArguments,
    '--log',
    join(bundle, RUNTIME_LOG),
    '--log-format',
    'json',
  ]
  const child = spawn(
    programs.need('conmon'),
    [
      ...['--api-version', '1', '-c', id, '-u', id, '-r', program],
      ...runtimeArguments.flatMap((argument) => ['--runtime-arg', argument]),
      ...['-b', bundle, '-p', join(bundle, 'pidfile'), '--exit-dir', options.exitDirectory],
      ...['--persist-dir', join(bundle, 'p'), '--full-attach', '--log-level', 'warning'],
      ...(options.terminal ? ['-t'] : []),
      ...(options.stdin === 'closed' ? [] : ['-i']),
      ...args,
    ],
    {
      cwd: '/',
      stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe', ...(attachPipe ? (['pipe'] as const) : [])],
      env: {
        PATH: programs.searchPath,
        _OCI_SYNCPIPE: '3',
        _OCI_STARTPIPE: '4',
        ...(attachPipe && { _OCI_ATTACHPIPE: '5' }),
      },
    },
  )
  // It waits for its first byte before it starts anything: all that it starts is as clean as it is.
  if (child.pid !== undefined) cleanProcess(child.pid)
  return {
    sync: child.stdio[3] as Readable,
    start: quiet(child.stdio[4] as Writable),
    ...(attachPipe && { attach: (child.stdio as readonly unknown[])[5] as Readable }),
    stderr: stderrOf(child),
    abandon() {
      child.kill('SIGKILL')
      for (const pipe of child.stdio) pipe?.destroy()
    },
  }
}

/**
 * What conmon starts has its first score, or 0, and crun lets an exec process keep that. Set after its start, the process
 * could see another one.
 */
function withMemoryScore(score: number, { runtime, programs }: MonitorOptions): [string, ...string[]] {
  // Then it has 0 in both cases.
  if (score === 0 && readTextSync('/proc/self/oom_score_adj').trim() === '0') return [runtime.path]
  const choom = score === 0 ? programs.find('choom') : programs.need('choom')
  return choom ? [choom, '-n', String(score), '--', runtime.path] : [runtime.path]
}

function exitArguments(command: readonly string[] | undefined): string[] {
  if (!command?.length) return []
  const [program, ...args] = command
  return ['--exit-command', program!, ...args.flatMap((argument) => ['--exit-command-arg', argument])]
}

/** A monitor that dies early closes its pipes; the missing answer is more informative than the failed write. */
function quiet(stream: Writable): Writable {
  stream.on('error', (error) => {
    if (!['EPIPE', 'ECONNRESET'].includes(errnoOf(error) ?? '')) stream.destroy()
  })
  return stream
}

function stderrOf(child: ChildProcess): () => string {
  let text = ''
  child.on('error', (error) => {
    text += error.message
  })
  child.stderr?.on('data', (chunk: Buffer) => {
    if (text.length < 8192) text += chunk.toString()
  })
  // The monitor lives on with this pipe: it must not keep us alive.
  ;(child.stderr as unknown as { unref?: () => void } | null)?.unref?.()
  child.unref()
  return () => text
}

interface MessageReader extends Disposable {
  /** Undefined at the end of the pipe. */
  next(): Promise<MonitorAnswer | undefined>
}

function messages(stream: Readable): MessageReader {
  const iterator = monitorAnswers(toTheEnd(stream))
  return {
    async next() {
      const result = await iterator.next()
      return result.done ? undefined : result.value
    },
    [Symbol.dispose]() {
      stream.destroy()
    },
  }
}

/** A monitor that was killed breaks its pipe: the same as the end. */
async function* toTheEnd(stream: Readable): AsyncGenerator<Uint8Array> {
  try {
    yield* stream
  } catch (error) {
    if (!['ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE'].includes(String((error as { code?: unknown }).code))) throw error
  }
}

/** Why a process could not be started: what the monitor says, else what the runtime wrote down, else the monitor's stderr. */
async function failureText(answer: MonitorAnswer | undefined, child: MonitorChild, bundle: string): Promise<string> {
  const said = answer?.message?.trim()
  if (said) return said
  const noise = /oom_score_adj/
  const lines = child
    .stderr()
    .split('\n')
    .filter((line) => line && !noise.test(line))
  return (
    (await lastRuntimeError(join(bundle, RUNTIME_LOG))) || lines.join('\n') || 'the monitor exited without an answer'
  )
}

async function lastRuntimeError(path: string): Promise<string | undefined> {
  try {
    return lastLoggedError(await readText(path))
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}
