/** Diagnostics of a room, shown with `BALE_DEBUG=<room>[,<room>]` or `BALE_DEBUG=*`; never a result, never a secret. */
export interface Log {
  debug(room: string, message: string, details?: Record<string, unknown>): void
}

export const noLog: Log = { debug: () => undefined }
