import { createServer } from 'node:http'
import { listen } from './listen.ts'

const LIMITS = { headersTimeout: 10_000, requestTimeout: 10_000, keepAliveTimeout: 60_000, maxHeaderSize: 8192 }
/** More than one or two programs do not ask. */
const MOST_CONNECTIONS = 64

/** Serves metrics at `/metrics`, and nothing else. Disposing ends all connections. */
export async function serveMetrics(
  address: { host: string; port: number },
  text: () => string | Promise<string>,
): Promise<AsyncDisposable & { url: string }> {
  const server = createServer(LIMITS, async ({ method, url = '' }, response) => {
    if (url.split('?')[0] !== '/metrics') return void response.writeHead(404).end('metrics are at /metrics\n')
    if (method !== 'GET' && method !== 'HEAD') return void response.writeHead(405, { Allow: 'GET, HEAD' }).end()
    const body = Buffer.from(await text())
    response.writeHead(200, {
      'Content-Type': 'text/plain; version=0.0.4; charset=utf-8',
      'Content-Length': body.byteLength,
    })
    response.end(method === 'HEAD' ? undefined : body)
  })
  server.maxConnections = MOST_CONNECTIONS
  const url = `http://${await listen(server, address)}/metrics`
  return {
    url,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}
