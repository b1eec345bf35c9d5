import { createServer, request } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'

/** What a proxy was asked for. */
export interface ProxiedRequest {
  method: string
  /** The absolute address, or HOST:PORT for CONNECT. */
  target: string
  authorization: string | undefined
}

export interface ProxyServer extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly host: string
  readonly seen: readonly ProxiedRequest[]
}

/**
 * An HTTP proxy: absolute form for http, CONNECT for https. Whatever host is asked for, it dials `destination`, so tests
 * need no names. With `login` (`user:password`) it refuses who does not give it, with 407.
 */
export async function proxyServer(destination: string, options: { login?: string } = {}): Promise<ProxyServer> {
  const seen: ProxiedRequest[] = []
  const [hostname, port] = [destination.replace(/:\d+$/, ''), Number(/:(\d+)$/.exec(destination)![1])]
  const refused = (authorization: string | undefined) =>
    options.login !== undefined && authorization !== `Basic ${Buffer.from(options.login).toString('base64')}`
  const sockets = new Set<Socket>()
  const server = createServer((incoming, response) => {
    const authorization = incoming.headers['proxy-authorization']
    seen.push({ method: incoming.method!, target: incoming.url!, authorization })
    if (refused(authorization)) return response.writeHead(407, { 'proxy-authenticate': 'Basic realm="proxy"' }).end()
    const { pathname, search } = new URL(incoming.url!)
    const { method, headers } = incoming
    const onward = request({ host: hostname, port, method, path: pathname + search, headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(response)
    })
    onward.on('error', () => response.destroy())
    return incoming.pipe(onward)
  })
  server.on('connect', (incoming, client: Socket, head: Buffer) => {
    const authorization = incoming.headers['proxy-authorization']
    seen.push({ method: 'CONNECT', target: incoming.url!, authorization })
    if (refused(authorization)) return client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
    const onward = connect(port, hostname, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      onward.write(head)
      onward.pipe(client).pipe(onward)
    })
    sockets.add(onward)
    onward.on('error', () => client.destroy())
    return client.on('error', () => onward.destroy())
  })
  server.on('connection', (socket) => sockets.add(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
