import { once } from 'node:events'
import { BaleError, errnoOf } from '#base'
import type { AttachSession } from '#engine'
import type { Terminal } from './verb.ts'

export interface SessionOptions {
  /** Our stdin goes to the process. */
  stdin: boolean
  /** The process has a terminal. */
  tty: boolean
  /** Which of its streams are shown; all by default. */
  streams?: readonly ('stdout' | 'stderr')[]
  /** Keys that leave the process alone: `ctrl-p,ctrl-q` by default. */
  detachKeys?: string
  /** Takes the signals that this command gets while nothing is a terminal. */
  onSignal?: (signal: NodeJS.Signals) => Promise<void>
}

/** Signals that people and service managers send to a command. */
const FORWARDED: readonly NodeJS.Signals[] = [
  'SIGINT',
  'SIGTERM',
  'SIGHUP',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGALRM',
  'SIGCONT',
]

/**
 * Connects this command's streams to a process until it ends or the detach keys are pressed. A terminal is put into
 * raw mode and back; its size follows ours; signals are handed on.
 */
export async function runSession(
  io: Terminal,
  session: AttachSession,
  options: SessionOptions,
): Promise<'ended' | 'detached'> {
  if (options.stdin && options.tty && !io.stdin.isTTY)
    throw new BaleError('INVALID_ARGUMENT', 'the input device is not a TTY')
  using stack = new DisposableStack()
  let detached = false
  const raw = options.stdin && options.tty && io.stdin.isTTY
  if (raw) {
    io.stdin.setRawMode?.(true)
    stack.defer(() => void io.stdin.setRawMode?.(false))
  }
  if (options.tty) followSize(io, session, stack)
  if (options.onSignal) forwardSignals(options.onSignal, stack)
  if (options.stdin) {
    const leave = () => {
      detached = true
      session.close()
    }
    pumpInput(io, session, raw ? detachSequence(options.detachKeys) : undefined, leave, stack)
  }
  const shown = options.streams ?? ['stdout', 'stderr']
  for await (const { stream, bytes } of session.output()) {
    if (!shown.includes(stream)) continue
    const target = stream === 'stdout' ? io.stdout : io.stderr
    if (!target.write(bytes)) await once(target, 'drain')
  }
  return detached ? 'detached' : 'ended'
}

export function terminalSize(io: Terminal): { rows: number; columns: number } | undefined {
  const { rows, columns } = io.stdout
  return rows && columns ? { rows, columns } : undefined
}

function followSize(io: Terminal, session: AttachSession, stack: DisposableStack): void {
  const resize = () => {
    const size = terminalSize(io)
    if (size) session.resize(size).catch((error: unknown) => io.warn(`cannot resize the terminal: ${String(error)}`))
  }
  resize()
  io.stdout.on('resize', resize)
  stack.defer(() => io.stdout.off('resize', resize))
}

function forwardSignals(onSignal: NonNullable<SessionOptions['onSignal']>, stack: DisposableStack): void {
  for (const signal of FORWARDED) {
    const forward = () => {
      // The process may end in this very moment; its end is seen on its streams.
      onSignal(signal).catch(() => undefined)
    }
    process.on(signal, forward)
    stack.defer(() => process.off(signal, forward))
  }
}

function pumpInput(
  io: Terminal,
  session: AttachSession,
  keys: Buffer | undefined,
  leave: () => void,
  stack: DisposableStack,
): void {
  const watch = keys && keyWatcher(keys)
  const { stdin } = io
  const failed = (error: unknown) => {
    // The process does not read any more.
    if (!['EPIPE', 'ECONNRESET', 'ENOTCONN'].includes(errnoOf(error) ?? '')) io.warn(`stdin: ${String(error)}`)
    stdin.pause()
  }
  const onData = (chunk: Buffer) => {
    const seen = watch ? watch(chunk) : { bytes: chunk, detach: false }
    if (seen.detach) return leave()
    if (seen.bytes.length === 0) return
    stdin.pause()
    session.write(seen.bytes).then(() => stdin.resume(), failed)
  }
  const onEnd = () => session.endInput()
  stdin.on('data', onData)
  stdin.on('end', onEnd)
  stdin.on('error', failed)
  stack.defer(() => {
    stdin.off('data', onData)
    stdin.off('end', onEnd)
    stdin.off('error', failed)
    stdin.pause()
    // An open pipe nobody reads must not keep the command from ending.
    ;(stdin as { unref?: () => void }).unref?.()
  })
}

/** `ctrl-p,ctrl-q` or `a,b` as bytes. */
export function detachSequence(text = 'ctrl-p,ctrl-q'): Buffer {
  const special: Record<string, number> = { '@': 0, '[': 27, '\\': 28, ']': 29, '^': 30, _: 31 }
  return Buffer.from(
    text.split(',').map((key) => {
      if (key.length === 1) return key.charCodeAt(0)
      const [, letter = ''] = /^ctrl-([a-z@[\\\]^_])$/i.exec(key) ?? []
      if (letter === '')
        throw new BaleError('INVALID_ARGUMENT', `invalid detach keys: ${text}`, { hint: 'for example ctrl-p,ctrl-q' })
      return special[letter] ?? letter.toLowerCase().charCodeAt(0) - 96
    }),
  )
}

/** Holds back bytes that may be the beginning of the sequence, and gives them on when they were not. */
export function keyWatcher(keys: Buffer): (chunk: Buffer) => { bytes: Buffer; detach: boolean } {
  let matched = 0
  return (chunk) => {
    const bytes: number[] = []
    for (const byte of chunk) {
      if (byte === keys[matched]) {
        matched++
        if (matched === keys.length) return { bytes: Buffer.from(bytes), detach: true }
        continue
      }
      bytes.push(...keys.subarray(0, matched))
      matched = byte === keys[0] ? 1 : 0
      if (matched === 0) bytes.push(byte)
    }
    return { bytes: Buffer.from(bytes), detach: false }
  }
}
