import { createServer, type RequestListener } from 'node:http'
import { listen } from './listen.ts'

const LIMITS = { headersTimeout: 10_000, requestTimeout: 10_000, keepAliveTimeout: 60_000, maxHeaderSize: 8192 }

/** Serves something small beside the registry, without TLS. Disposing ends all connections. */
export async function serveSmall(
  address: { host: string; port: number },
  handler: RequestListener,
  { connections }: { connections: number },
): Promise<AsyncDisposable & { address: string }> {
  const server = createServer(LIMITS, handler)
  server.maxConnections = connections
  return {
    address: await listen(server, address),
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}
