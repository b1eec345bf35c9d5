import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { BaleError, commandExitCode, errnoOf } from '#base'
import { cleanProcess, signalNumber } from '#host'
import { readText } from '#host/file'
import type { RunStepOptions, StepResult } from '../model/index.ts'
import { lastLoggedError, runtimeFailure } from '../runtime/index.ts'
import type { StepMachinery } from './step-machinery.ts'

/** Becomes the runtime on request: until then the caller's process state can be removed from it. */
const WAITING = 'read -r line <&3 && exec "$0" "$@" 3<&-'

/** Runs the prepared step with its output going to the caller; an abort kills the whole tree of its processes. */
export async function runStepToEnd(
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
  const child = spawn('/bin/sh', ['-c', WAITING, ...runtime.creator, ...runtime.globalArguments, ...runtimeArguments], {
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
    // Whether or not the runtime could: what it left is removed with the step's directory.
    const kill = () => child.kill('SIGKILL')
    runtime.delete(id, { force: true }).then(kill, kill)
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
  const failure = runtimeFailure(lastLoggedError(log) ?? 'the runtime gave no reason', 'create')
  const exitCode = commandExitCode(failure)
  if (exitCode === undefined) throw failure
  return { exitCode, failure: failure.message }
}

function missing(error: unknown): string {
  if (errnoOf(error) === 'ENOENT') return ''
  throw error
}
