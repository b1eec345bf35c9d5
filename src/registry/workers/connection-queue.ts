import type { Socket } from 'node:net'
import type { ConnectionLimit } from '../connection-limit.ts'

/** Who can take a connection. */
export interface Taker {
  readonly isReady: boolean
  readonly connections: number
  take(socket: Socket, place: Disposable): void
}

/**
 * Gives each connection to the one of the takers that has the fewest. While none of them is ready, connections wait: for
 * clients the start of a process is a pause.
 */
export function createConnectionQueue(limit: ConnectionLimit, takers: () => readonly Taker[]) {
  const waiting = new Set<{ socket: Socket; place: Disposable }>()
  const flush = () => {
    for (const one of waiting) {
      const taker = leastBusy(takers())
      if (!taker) return
      waiting.delete(one)
      taker.take(one.socket, one.place)
    }
  }
  return {
    add(socket: Socket): void {
      const place = limit.enter(socket.remoteAddress ?? '')
      if (!place) return void socket.destroy()
      // It breaks on its way when its client is gone.
      socket.on('error', () => socket.destroy())
      waiting.add({ socket, place })
      flush()
    },
    flush,
    /** Ends those that nobody took. */
    [Symbol.dispose](): void {
      for (const { socket, place } of waiting) {
        socket.destroy()
        place[Symbol.dispose]()
      }
      waiting.clear()
    },
  }
}

function leastBusy(takers: readonly Taker[]): Taker | undefined {
  const ready = takers.filter(({ isReady }) => isReady)
  return ready.reduce<Taker | undefined>(
    (best, one) => (best === undefined || one.connections < best.connections ? one : best),
    undefined,
  )
}
