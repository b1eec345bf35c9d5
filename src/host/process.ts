import { spawn } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import { join } from 'node:path'
import { BaleError, errnoOf, table } from '#base'
import { inNetworkNamespace } from './netns.ts'
import { isVisible, lifeOf, type ProcessIdentity } from './process-identity.ts'

export interface ProgramResult {
  /** Exit code, or 128 + the signal's number. */
  code: number
  stdout: string
  stderr: string
}

interface ProgramOptions {
  input?: string | Uint8Array
  env?: Record<string, string>
  cwd?: string
  /** Ends the program with SIGKILL. */
  signal?: AbortSignal
  /** File of the network namespace that it runs in; ours by default. */
  networkNamespace?: string
  /** Bytes of stdout and of stderr that are kept, from the start; the rest is read and dropped. */
  limit?: number
}

/** Runs a helper program to its end and collects what it says. Throws only when it cannot be started or is aborted. */
export function runProgram(
  file: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<ProgramResult> {
  options.signal?.throwIfAborted()
  return new Promise((resolve, reject) => {
    const start = () =>
      spawn(file, args, {
        stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
        env: options.env ?? {},
        cwd: options.cwd,
      })
    const { networkNamespace } = options
    const child = networkNamespace === undefined ? start() : inNetworkNamespace(networkNamespace, start)
    const kill = () => child.kill('SIGKILL')
    options.signal?.addEventListener('abort', kill, { once: true })
    const limit = options.limit ?? 1024 * 1024
    const stdout = collect(child.stdout!, limit)
    const stderr = collect(child.stderr!, limit)
    child.stdin?.on('error', (error) => {
      // A program that ends before it read its input is judged by its exit code.
      if (errnoOf(error) !== 'EPIPE' && errnoOf(error) !== 'ECONNRESET') reject(error)
    })
    child.stdin?.end(options.input)
    child.on('error', (cause) => {
      options.signal?.removeEventListener('abort', kill)
      reject(new BaleError('UNSUPPORTED_HOST', `cannot start ${file}`, { cause, hint: `is ${file} installed?` }))
    })
    child.on('close', (code, signal) => {
      options.signal?.removeEventListener('abort', kill)
      if (options.signal?.aborted) return reject(options.signal.reason)
      resolve({ code: code ?? 128 + signalNumber(signal ?? 'SIGKILL'), stdout: stdout(), stderr: stderr() })
    })
  })
}

function collect(stream: NodeJS.ReadableStream, limit: number): () => string {
  const chunks: Buffer[] = []
  let size = 0
  stream.on('data', (chunk: Buffer) => {
    if (size < limit) chunks.push(chunk.subarray(0, limit - size))
    size += chunk.length
  })
  return () => Buffer.concat(chunks).toString('utf8')
}

/** Absolute path of a program in a colon-separated search path, or undefined. */
export function findProgram(name: string, searchPath: string): string | undefined {
  for (const directory of name.includes('/') ? [''] : searchPath.split(':').filter(Boolean)) {
    const path = directory ? join(directory, name) : name
    try {
      accessSync(path, constants.X_OK)
      if (statSync(path).isFile()) return path
    } catch (error) {
      if (!['ENOENT', 'EACCES', 'ENOTDIR', 'ELOOP'].includes(errnoOf(error) ?? '')) throw error
    }
  }
  return undefined
}

/** Sends a signal; false when the process is gone, or is in another pid namespace, where its number belongs to another process here. */
export function sendSignal(identity: ProcessIdentity, signal: NodeJS.Signals | number): boolean {
  if (!isVisible(identity) || lifeOf(identity) === 'dead') return false
  try {
    process.kill(identity.pid, signal)
    return true
  } catch (error) {
    if (errnoOf(error) === 'ESRCH') return false
    throw error
  }
}

const SIGNALS = table<number>({
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ILL: 4,
  TRAP: 5,
  ABRT: 6,
  BUS: 7,
  FPE: 8,
  KILL: 9,
  USR1: 10,
  SEGV: 11,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
  STKFLT: 16,
  CHLD: 17,
  CONT: 18,
  STOP: 19,
  TSTP: 20,
  TTIN: 21,
  TTOU: 22,
  URG: 23,
  XCPU: 24,
  XFSZ: 25,
  VTALRM: 26,
  PROF: 27,
  WINCH: 28,
  IO: 29,
  PWR: 30,
  SYS: 31,
  RTMIN: 34,
  RTMAX: 64,
})

/** `TERM`, `SIGTERM`, `term`, `15` or `RTMIN+3` as a number. Throws INVALID_ARGUMENT. Source: signal(7), amd64 and arm64. */
export function signalNumber(text: string): number {
  if (/^\d{1,2}$/.test(text) && Number(text) >= 1 && Number(text) <= 64) return Number(text)
  const name = text.toUpperCase().replace(/^SIG/, '')
  const [, base, offset] = /^(RTMIN\+|RTMAX-)(\d{1,2})$/.exec(name) ?? []
  const value = base ? (base === 'RTMIN+' ? 34 + Number(offset) : 64 - Number(offset)) : SIGNALS[name]
  if (value === undefined || value < 1 || value > 64)
    throw new BaleError('INVALID_ARGUMENT', `invalid signal: ${text}`, { hint: 'use a name such as TERM or a number' })
  return value
}
