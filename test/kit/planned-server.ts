import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'

/** A request as the server saw it. */
export interface SeenRequest {
  method: string
  /** Path with query. */
  path: string
  headers: IncomingMessage['headers']
  body: Buffer
}

export type Handler = (request: SeenRequest, response: ServerResponse, seen: readonly SeenRequest[]) => unknown

export interface PlannedServer extends AsyncDisposable {
  /** `localhost:PORT`. */
  readonly host: string
  readonly url: string
  /** Everything that was asked, in order of arrival. */
  readonly seen: readonly SeenRequest[]
}

/**
 * A real HTTP server on a loopback port that answers as a test plans, misbehaviour included: the handler owns the
 * response and its socket. A handler's own failure is a 599, so that the test sees it.
 */
export async function planServer(
  handler: Handler,
  options: {
    tls?: { key: string; cert: string }
    hostname?: string
    /** Leave `GET /v2/` to the handler; else it is answered with 200 and not recorded. */
    ping?: boolean
  } = {},
): Promise<PlannedServer> {
  const seen: SeenRequest[] = []
  const listener = async (incoming: IncomingMessage, response: ServerResponse) => {
    if (incoming.url === '/v2/' && !options.ping) return response.end('{}')
    const chunks: Buffer[] = []
    incoming.on('error', () => response.destroy())
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    const request = {
      method: incoming.method!,
      path: incoming.url!,
      headers: incoming.headers,
      body: Buffer.concat(chunks),
    }
    seen.push(request)
    try {
      await handler(request, response, seen)
    } catch (error) {
      response.writeHead(599).end(String(error))
    }
  }
  const guarded = (incoming: IncomingMessage, response: ServerResponse) => {
    listener(incoming, response).catch(() => response.destroy())
  }
  const server: Server = options.tls ? createTlsServer(options.tls, guarded) : createServer(guarded)
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const host = `${options.hostname ?? 'localhost'}:${(server.address() as AddressInfo).port}`
  return {
    host,
    url: `${options.tls ? 'https' : 'http'}://${host}`,
    seen,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
