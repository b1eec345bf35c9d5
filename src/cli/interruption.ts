import { constants } from 'node:os'
import { errnoOf } from '#base'

/** The reasons why a verb ends early: the keyboard, another process, a reader that closes the pipe. */
interface Interruption extends Disposable {
  readonly signal: AbortSignal
  /** From now on the verb handles signals itself, and has nothing to undo. */
  takeSignals(): void
  /** From now on SIGHUP is no reason to end, but calls this. */
  onHangup(act: () => void): void
  /** What becomes of a verb whose output nobody reads any more. Throws what else is wrong with it. */
  onOutputError(error: NodeJS.ErrnoException): void
  /** Of an interrupted verb: 128 + the signal's number, 0 when the reader went away and that is no failure; otherwise undefined. */
  exitCode(): number | undefined
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** What a shell reports for a process ended by SIGPIPE. */
const SIGPIPE_CODE = 128 + constants.signals.SIGPIPE

/**
 * The first signal asks the verb to stop and undo; a second one ends at once, which the store tolerates. With `writesData` a
 * reader that goes away before the end is a failure.
 */
export function watchInterruption(options: { writesData?: boolean } = {}): Interruption {
  const unread = options.writesData ? SIGPIPE_CODE : 0
  const stop = new AbortController()
  let code: number | undefined
  let watching = true
  const onSignal = (signal: (typeof SIGNALS)[number]) => {
    const before = code
    code = 128 + constants.signals[signal]
    if (before) process.exit(code)
    stop.abort(new Error(`stopped by ${signal}`))
  }
  // `bale images | head -1` is no failure. Work in progress is undone; where nothing is to be undone the verb ends now.
  const onOutputError = (error: NodeJS.ErrnoException) => {
    // EIO: the terminal has hung up.
    if (!['EPIPE', 'EIO'].includes(errnoOf(error) ?? '')) throw error
    if (!watching) process.exit(unread)
    code ??= unread
    stop.abort(error)
  }
  for (const signal of SIGNALS) process.on(signal, onSignal)
  let hangup: (() => void) | undefined
  const takeSignals = () => {
    watching = false
    for (const signal of SIGNALS) process.off(signal, onSignal)
    if (hangup) process.off('SIGHUP', hangup)
  }
  const onHangup = (act: () => void) => {
    process.off('SIGHUP', onSignal)
    hangup = act
    process.on('SIGHUP', act)
  }
  return {
    signal: stop.signal,
    takeSignals,
    onHangup,
    onOutputError,
    exitCode: () => code,
    [Symbol.dispose]: takeSignals,
  }
}
