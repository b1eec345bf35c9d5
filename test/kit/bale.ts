import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { mapLimited } from '#base'
import { temporaryDirectory } from './temporary.ts'

export interface Outcome {
  code: number
  stdout: string
  stderr: string
}

export interface RunOptions {
  input?: string | Uint8Array
  cwd?: string
  env?: Record<string, string>
  /** Milliseconds; the process is killed after them. Five minutes by default. */
  timeout?: number
}

// Coverage is measured in the tests' own processes: each program started would write half a megabyte about its bundle.
delete process.env['NODE_V8_COVERAGE']

const program = resolve(import.meta.dirname, '../../bin/bale')

/** A bale with a store, run directory and docker configuration of its own, all removed at the end. */
export interface TestBale extends AsyncDisposable {
  readonly directory: string
  readonly environment: Record<string, string>
  /** Runs `bale ARGS` and returns what it did, whatever the exit code. */
  try(args: readonly string[], options?: RunOptions): Promise<Outcome>
  /** Runs `bale ARGS`, fails the test when it fails, returns trimmed stdout. */
  run(args: readonly string[], options?: RunOptions): Promise<string>
}

export interface TestBaleOptions {
  /** More environment, or other values; made with the directory that all lies in. */
  environment?: (directory: string) => Record<string, string>
}

export async function testBale(options: TestBaleOptions = {}): Promise<TestBale> {
  const temporary = await temporaryDirectory('bale-e2e')
  const environment: Record<string, string> = {
    BALE_ROOT: `${temporary.path}/root`,
    BALE_RUN: `${temporary.path}/run`,
    DOCKER_CONFIG: `${temporary.path}/docker`,
    REGISTRY_AUTH_FILE: `${temporary.path}/auth.json`,
    XDG_RUNTIME_DIR: `${temporary.path}/xdg`,
    HOME: temporary.path,
    PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin',
    // The same tests run on both formats of layers, and with either runtime.
    ...chosen('BALE_SNAPSHOTTER'),
    ...chosen('BALE_RUNTIME'),
    ...options.environment?.(temporary.path),
  }
  const attempt = (args: readonly string[], options: RunOptions = {}) =>
    execute(program, args, { ...options, env: { ...environment, ...options.env } })
  return {
    directory: temporary.path,
    environment,
    try: attempt,
    async run(args, options) {
      const outcome = await attempt(args, options)
      if (outcome.code !== 0)
        throw new Error(`bale ${args.join(' ')} failed (${outcome.code}): ${outcome.stderr}${outcome.stdout}`)
      return outcome.stdout.trim()
    },
    async [Symbol.asyncDispose]() {
      // Each has a directory of its ID; the program is not started to ask for that.
      const containers = `${environment['BALE_ROOT']}/containers`
      const left = existsSync(containers) ? readdirSync(containers) : []
      if (left.length > 0) await attempt(['rm', '-f', '-v', ...left])
      // An idle network stays up for a moment longer than the directory that knows it: its bridge would stay for ever.
      if (existsSync(`${environment['BALE_RUN']}/network`)) await attempt(['system', 'prune', '-f'])
      await temporary[Symbol.asyncDispose]()
    },
  }
}

/** A choice made for the whole run of the tests, as environment. */
function chosen(name: 'BALE_SNAPSHOTTER' | 'BALE_RUNTIME'): Record<string, string> {
  const value = process.env[name]
  return value ? { [name]: value } : {}
}

/** Command lines that do not depend on each other, a few at the same time: each of them mostly waits for its start. */
export function atOnce<T, R>(items: Iterable<T>, act: (item: T) => Promise<R>): Promise<R[]> {
  return mapLimited([...items], 4, act)
}

export function execute(file: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  return new Promise((done, fail) => {
    const child = spawn(file, [...args], { cwd: options.cwd, env: options.env ?? process.env, stdio: 'pipe' })
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    const timer = setTimeout(() => child.kill('SIGKILL'), options.timeout ?? 300_000)
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
    child.on('error', fail)
    // A program that does not read its input closes the pipe first; that is its right.
    child.stdin.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') fail(error)
    })
    child.stdin.end(options.input)
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      done({
        code: code ?? (signal === 'SIGKILL' ? 137 : 143),
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
      })
    })
  })
}
