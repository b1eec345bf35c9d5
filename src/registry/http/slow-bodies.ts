import type { IncomingMessage } from 'node:http'

/** A client that sends less than this on average, over a period, holds a connection for nothing. */
export interface LeastRate {
  bytesPerSecond: number
  /** Milliseconds. */
  period: number
}

export const LEAST_RATE: LeastRate = { bytesPerSecond: 256, period: 30_000 }

/**
 * Ends connections whose requests have bodies that merely drip. A body counts until its end has come, not while it is us
 * who do not read, and never before a whole period is over. Disposing stops watching.
 */
export function watchBodies({ bytesPerSecond, period }: LeastRate) {
  const watched = new Map<IncomingMessage, { since: number; bytes: number }>()
  const begin = (request: IncomingMessage) => {
    watched.set(request, { since: performance.now(), bytes: request.socket.bytesRead })
  }
  const look = () => {
    const now = performance.now()
    for (const [request, { since, bytes }] of watched) {
      if (request.complete) watched.delete(request)
      else if (request.readableLength > 0) begin(request)
      else if (now - since >= period) {
        if (request.socket.bytesRead - bytes < (bytesPerSecond * (now - since)) / 1000) request.destroy()
        else begin(request)
      }
    }
  }
  const timer = setInterval(look, period / 3)
  timer.unref()
  return {
    /** To be called for every request: whether it has a body that is still to come is known only later. */
    add(request: IncomingMessage): void {
      begin(request)
      request.once('close', () => watched.delete(request))
    },
    [Symbol.dispose]: () => clearInterval(timer),
  }
}
