import { spawn } from 'node:child_process'
import { execute, type Outcome } from '../test/kit/bale.ts'
import { watchDaemons } from './daemons.ts'

/** What one command took. What a way of measuring cannot know is undefined. */
export interface Timing {
  /** By the clock. */
  readonly seconds: number
  /** Of processors: the command, all that it waited for, and the tool's daemons meanwhile. */
  readonly processorSeconds?: number
  /** Peak resident memory of the largest single process, a daemon included, in units of 2^20 bytes. */
  readonly peakMegabytes?: number
  /** Bytes that read calls returned: of files, pipes and, unless by recvmsg, sockets. Cached or not; not what is mapped. */
  readonly bytesRead?: number
  /** Bytes that were to be written to storage. */
  readonly bytesWritten?: number
}

export interface TimedOptions {
  readonly env: Readonly<Record<string, string>>
  /** Processes that work for the command without being its children. */
  readonly daemons?: readonly number[]
  readonly signal?: AbortSignal
  /** Seconds; half an hour by default. */
  readonly limit?: number
}

/**
 * bash's clock has milliseconds, GNU time knows the peak, and the kernel's counters of a shell include what its children did
 * that were waited for.
 */
const SCRIPT =
  'TIMEFORMAT="time: %3R %3U %3S"; time /usr/bin/time -q -f "peak: %M" "$@"; code=$?; cat /proc/$$/io >&2; exit $code'

/** Times a command that starts with nothing left to write to the disk by those before it. Throws when it fails. */
export async function timed(command: readonly string[], options: TimedOptions): Promise<Timing> {
  await execute('/bin/sync', [])
  const daemons = watchDaemons(options.daemons ?? [])
  const outcome = await inOwnGroup(['/bin/bash', '-c', SCRIPT, 'bash', ...command], options)
  if (outcome.code !== 0) throw new Error(`${command.join(' ')} failed (${outcome.code}): ${reasonOf(outcome)}`)
  return sum(figuresOf(outcome.stderr), daemons())
}

/** Runs a command without timing it; returns its trimmed output. Throws when it fails. */
export async function must(command: readonly string[], options: TimedOptions): Promise<string> {
  const outcome = await inOwnGroup(command, options)
  if (outcome.code !== 0) throw new Error(`${command.join(' ')} failed (${outcome.code}): ${reasonOf(outcome)}`)
  return outcome.stdout.trim()
}

/** Reads what the script above printed at the end of a command's own messages. */
export function figuresOf(stderr: string): Timing {
  const figures = stderr.match(/^time: ([\d.]+) ([\d.]+) ([\d.]+)$/m)
  const counter = (name: string) => Number(stderr.match(new RegExp(`^${name}: (\\d+)$`, 'm'))?.[1])
  if (!figures) throw new Error(`no figures in: ${stderr.slice(-200)}`)
  const [seconds, user, system] = figures.slice(1).map(Number) as [number, number, number]
  return {
    seconds,
    processorSeconds: user + system,
    peakMegabytes: counter('peak') / 1024,
    bytesRead: counter('rchar'),
    bytesWritten: counter('write_bytes'),
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

function sum(command: Timing, daemons: Omit<Required<Timing>, 'seconds'>): Timing {
  return {
    seconds: command.seconds,
    processorSeconds: command.processorSeconds! + daemons.processorSeconds,
    peakMegabytes: Math.max(command.peakMegabytes!, daemons.peakMegabytes),
    bytesRead: command.bytesRead! + daemons.bytesRead,
    bytesWritten: command.bytesWritten! + daemons.bytesWritten,
  }
}

/** The last lines that the command itself said. */
function reasonOf({ stderr, stdout }: Outcome): string {
  const own = (stderr.split(/^peak: /m)[0] || stdout).trim()
  return own.slice(-800)
}

/** The command has a process group of its own, which is ended as a whole: at the limit, and when the bench is interrupted. */
function inOwnGroup(command: readonly string[], { env, signal, limit = 1800 }: TimedOptions): Promise<Outcome> {
  return new Promise((done, fail) => {
    if (signal?.aborted) return fail(signal.reason)
    const child = spawn(command[0]!, command.slice(1), { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    let told = ''
    const end = (why: string) => {
      told = why
      // The group may have ended meanwhile.
      try {
        process.kill(-child.pid!, 'SIGKILL')
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
      }
    }
    const interrupted = () => end('interrupted')
    signal?.addEventListener('abort', interrupted, { once: true })
    const timer = setTimeout(() => end(`ended after ${limit} s`), limit * 1000)
    const output = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8')
      // A command may say more than anybody reads: the last of it is enough.
      child[name].on('data', (text: string) => {
        output[name] = (output[name] + text).slice(-(1 << 20))
      })
    }
    const settle = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', interrupted)
    }
    child.on('error', (error) => {
      settle()
      fail(error)
    })
    const finish = (code: number | null) => {
      settle()
      child.stdout.destroy()
      child.stderr.destroy()
      if (told) output.stderr = `${told}\n${output.stderr}`
      done({ code: code ?? 137, ...output })
    }
    child.on('close', finish)
    // What stays in the background may hold the pipes open for as long as it runs.
    child.on('exit', (code) => void setTimeout(finish, 1000, code))
  })
}
