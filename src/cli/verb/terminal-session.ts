import { constants } from 'node:os'
import { BaleError, errnoOf, isBaleError } from '#base'
import type { AttachSession, Engine } from '#engine'
import { renderFailure } from '../render/failure.ts'
import type { Terminal } from '../terminal/terminal.ts'
import type { VerbContext } from './verb.ts'

interface SessionOptions {
  /** Our stdin goes to the process. */
  stdin: boolean
  /** The process has a terminal. */
  tty: boolean
  /** Which of its streams are shown; all by default. */
  streams?: readonly ('stdout' | 'stderr')[]
  /** Keys that leave the process alone: `ctrl-p,ctrl-q` by default. */
  detachKeys?: string
  /** The process was running before: its terminal is resized twice, which makes it redraw itself. */
  redraw?: boolean
  /** Takes the signals that this command gets. */
  onSignal?: (signal: NodeJS.Signals) => Promise<void>
}

/** Signals that people and service managers send to a command. Without SIGWINCH: a window's new size is no message. */
const FORWARDED: readonly NodeJS.Signals[] = [
  'SIGINT',
  'SIGTERM',
  'SIGHUP',
  'SIGQUIT',
  'SIGTSTP',
  'SIGCONT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGALRM',
]

/** docker's words and exit code: a process with a terminal cannot take its input from a pipe. True when it is so. */
export function lacksTerminal(io: Terminal, wanted: { stdin?: boolean; tty?: boolean }): boolean {
  if (!wanted.stdin || !wanted.tty || io.stdin.isTTY) return false
  io.warn('the input device is not a TTY')
  return true
}

/**
 * Connects this command's streams to a process until it ends or the detach keys are pressed. A terminal is put into
 * raw mode and back; its size follows ours; signals are handed on.
 */
export async function runSession(
  {
    io,
    engine,
    takeSignals,
  }: { io: Terminal; engine: Pick<Engine, 'system'> } & Pick<VerbContext<unknown>, 'takeSignals'>,
  session: AttachSession,
  options: SessionOptions,
): Promise<'ended' | 'detached'> {
  using stack = new DisposableStack()
  let detached = false
  if (options.onSignal) forwardSignals(options.onSignal, io, stack)
  takeSignals()
  const raw = options.stdin && options.tty && io.stdin.isTTY === true
  if (raw) {
    const restore = stack.use(await engine.system.rawTerminal(io.stdin.fd ?? 0))
    if (!options.onSignal) endOnSignal(restore, stack)
  }
  if (options.tty) await followSize(io, session, stack, options.redraw)
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
    await io.write(bytes, stream)
  }
  if (!detached) return 'ended'
  await session.detach()
  return 'detached'
}

export function terminalSize(io: Terminal): { rows: number; columns: number } | undefined {
  const { rows, columns } = io.stdout
  return rows && columns ? { rows, columns } : undefined
}

async function followSize(io: Terminal, session: AttachSession, stack: DisposableStack, redraw = false): Promise<void> {
  const size = terminalSize(io)
  // The kernel signals a size to a process only when it has changed.
  if (size && redraw) await session.resize({ rows: size.rows + 1, columns: size.columns + 1 })
  const resize = () => {
    const now = terminalSize(io)
    if (now) session.resize(now).catch((error: unknown) => io.warn(`cannot resize the terminal: ${String(error)}`))
  }
  resize()
  io.stdout.on('resize', resize)
  stack.defer(() => io.stdout.off('resize', resize))
}

/** A process may ignore signals; the third one, as with docker, ends this command and leaves the process alone. */
const WISHES_TO_END = 3

function forwardSignals(onSignal: NonNullable<SessionOptions['onSignal']>, io: Terminal, stack: DisposableStack): void {
  let wishes = 0
  for (const signal of FORWARDED) {
    const forward = () => {
      onSignal(signal).catch((error: unknown) => {
        // The process may end in this very moment; its end is seen on its streams.
        const ended = isBaleError(error, 'CONTAINER_NOT_RUNNING') || isBaleError(error, 'CONTAINER_NOT_FOUND')
        if (!ended) io.warn(renderFailure(error))
      })
      if (signal === 'SIGINT' || signal === 'SIGTERM') wishes++
      if (wishes < WISHES_TO_END) return
      io.warn(`got ${WISHES_TO_END} SIGTERM/SIGINTs, forcefully exiting`)
      process.exit(1)
    }
    process.on(signal, forward)
    stack.defer(() => process.off(signal, forward))
  }
}

/** Signals that are not forwarded end this command, after the terminal is restored. */
function endOnSignal(restore: Disposable, stack: DisposableStack): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const end = () => {
      restore[Symbol.dispose]()
      process.exit(128 + constants.signals[signal])
    }
    process.on(signal, end)
    stack.defer(() => process.off(signal, end))
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
  let sent = Promise.resolve()
  const onData = (chunk: Buffer) => {
    const seen = watch ? watch(chunk) : { bytes: chunk, detach: false }
    if (seen.detach) return leave()
    if (seen.bytes.length === 0) return
    stdin.pause()
    sent = session.write(seen.bytes).then(() => void stdin.resume(), failed)
  }
  // A paused stream may still report its end.
  const onEnd = () => void sent.then(() => session.endInput())
  stdin.on('data', onData)
  stdin.on('end', onEnd)
  stdin.on('error', failed)
  stack.defer(() => {
    stdin.off('data', onData)
    stdin.off('end', onEnd)
    stdin.off('error', failed)
    stdin.pause()
    // An open pipe that nothing reads must not keep the command from ending.
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
function keyWatcher(keys: Buffer): (chunk: Buffer) => { bytes: Buffer; detach: boolean } {
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
