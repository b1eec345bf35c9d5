import type { Progress } from './progress.ts'

/** Diagnostics of a room; never a result, never a secret. */
export interface Log {
  /** Shown with `BALE_DEBUG=<room>[,<room>]` or `BALE_DEBUG=*`. */
  debug(room: string, message: string, details?: Record<string, unknown>): void
  /** Something around the operation is not as it should be, and it goes on without. Always shown, once. */
  warn?(message: string): void
}

/** A log that nobody reads. */
export const noLog: Log = { debug: () => undefined }

/** Progress of work that nobody watches: what people must know meanwhile becomes a warning of the log. */
export function toldBy(log: Log): Progress {
  return (event) => {
    if (event.kind === 'warning') log.warn?.(event.text)
    else if (event.kind === 'waiting') log.warn?.(`waiting for ${event.what}`)
  }
}
