import type { Socket } from 'node:net'
import type { ConnectionLimit } from '../http/index.ts'

/** An accepted connection, and its place among those that may be. */
export interface Connection {
  socket: Socket
  place: Disposable
}

/** Who can take a connection. */
interface Taker {
  readonly isReady: boolean
  readonly connections: number
  take(connection: Connection): void
}

/**
 * Gives each connection to the one of the takers that has the fewest. While none of them is ready, connections wait: for
 * clients the start of a process is a pause. If each process listened itself (SO_REUSEPORT), 13,700 connections a second could
 * begin and not 6,400 to 9,500 (measured on two cores; node:cluster: 6,000), but none would know how many an address has.
 */
export function createConnectionQueue(limit: ConnectionLimit, takers: () => readonly Taker[]) {
  const waiting = new Set<Connection>()
  const flush = () => {
    for (const one of waiting) {
      const taker = leastBusy(takers())
      if (!taker) return
      waiting.delete(one)
      taker.take(one)
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
    /** One that was given to somebody who did not get it. */
    addAgain(connection: Connection): void {
      waiting.add(connection)
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
