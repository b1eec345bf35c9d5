import { serveSmall } from './small-server.ts'

/** More than one or two programs do not ask. */
const MOST_CONNECTIONS = 64

/** Serves metrics at `/metrics`, and nothing else. Disposing ends all connections. */
export async function serveMetrics(
  address: { host: string; port: number },
  text: () => string | Promise<string>,
): Promise<AsyncDisposable & { url: string }> {
  const server = await serveSmall(
    address,
    async ({ method, url = '' }, response) => {
      if (url.split('?')[0] !== '/metrics') return void response.writeHead(404).end('metrics are at /metrics\n')
      if (method !== 'GET' && method !== 'HEAD') return void response.writeHead(405, { Allow: 'GET, HEAD' }).end()
      const body = Buffer.from(await text())
      response.writeHead(200, {
        'Content-Type': 'text/plain; version=0.0.4; charset=utf-8',
        'Content-Length': body.byteLength,
      })
      response.end(method === 'HEAD' ? undefined : body)
    },
    { connections: MOST_CONNECTIONS },
  )
  return { url: `http://${server.address}/metrics`, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}
