import type { IncomingMessage } from 'node:http'

/** A client that sends less than this on average, over a period, holds a connection for nothing. */
export interface LeastRate {
  bytesPerSecond: number
  /** Milliseconds. */
  period: number
}

export const LEAST_RATE: LeastRate = { bytesPerSecond: 256, period: 30_000 }

/**
 * Ends connections whose requests have bodies that merely drip. Time in which it is us who do not read is not counted.
 * Disposing stops watching.
 */
export function watchBodies({ bytesPerSecond, period }: LeastRate) {
  const seen = new Map<IncomingMessage, number>()
  const look = () => {
    for (const [request, before] of seen) {
      const now = request.socket.bytesRead
      const waiting = request.readableLength === 0
      if (waiting && now - before < (bytesPerSecond * period) / 1000) request.destroy()
      else seen.set(request, now)
    }
  }
  const timer = setInterval(look, period)
  timer.unref()
  return {
    add(request: IncomingMessage): void {
      if (request.complete) return
      seen.set(request, request.socket.bytesRead)
      request.once('close', () => seen.delete(request))
    },
    [Symbol.dispose]: () => clearInterval(timer),
  }
}
