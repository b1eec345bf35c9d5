import type { Progress } from './progress.ts'

/** Diagnostics of a room; never a result, never a secret. */
export interface Log {
  /** Shown with `BALE_DEBUG=<room>[,<room>]` or `BALE_DEBUG=*`. */
  debug(room: string, message: string, details?: Record<string, unknown>): void
  /** Something is wrong, but the operation continues. Always shown, once. */
  warn?(message: string): void
}

/** A log that discards everything. */
export const noLog: Log = { debug: () => undefined }

/** Progress of unattended work: warnings go to the log, the rest is discarded. */
export function toldBy(log: Log): Progress {
  return (event) => {
    if (event.kind === 'warning') log.warn?.(event.text)
    else if (event.kind === 'waiting') log.warn?.(`waiting for ${event.what}`)
  }
}
