import type { Server, Socket } from 'node:net'

/** Connections that another process accepts and hands over. */
export interface HandedConnections {
  /** Gives them to a server that does not listen itself. `close` is fulfilled when all have ended; new ones are refused. */
  entrance(server: Server): Promise<{ address: string; close(): Promise<void> }>
  /** `ended` is called when the connection is over. */
  take(socket: Socket, ended: () => void): void
}

/** Connections of a server that listens at an address in another process. */
export function createHandedConnections(address: string): HandedConnections {
  const open = new Set<Socket>()
  let give: ((socket: Socket) => void) | undefined
  let none: (() => void) | undefined
  return {
    async entrance(server) {
      give = (socket) => void server.emit('connection', socket)
      // It begins the checks of timeouts, which are as due here as when it listened itself.
      server.emit('listening')
      return {
        address,
        close() {
          // Connections without a request end at once, others when theirs is answered.
          give = undefined
          return new Promise((resolve) => {
            if (open.size === 0) resolve()
            else none = resolve
          })
        },
      }
    },
    take(socket, ended) {
      open.add(socket)
      socket.once('close', () => {
        open.delete(socket)
        ended()
        if (open.size === 0) none?.()
      })
      if (give) give(socket)
      else socket.destroy()
    },
  }
}
