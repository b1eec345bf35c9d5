import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface SocksServer extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly host: string
  /** HOST:PORT of each connection that was asked for, names as they came. */
  readonly seen: readonly string[]
}

/** Exactly `length` bytes. */
async function take(socket: Socket, length: number): Promise<Buffer> {
  for (;;) {
    const bytes = socket.read(length) as Buffer | null
    if (bytes?.length === length) return bytes
    await once(socket, 'readable')
  }
}

/** A name of RFC 1928 or a word of RFC 1929: its length, then its bytes. */
async function takeText(socket: Socket): Promise<string> {
  return (await take(socket, (await take(socket, 1))[0]!)).toString()
}

/**
 * A SOCKS5 proxy (RFC 1928, 1929) that dials `destination` whatever is asked for, so tests need no names. With `login`
 * (`user:password`) it refuses who does not give it; `refuse` is the code that every connection is refused with.
 */
export async function socksServer(
  destination: string,
  options: { login?: string; refuse?: number } = {},
): Promise<SocksServer> {
  const seen: string[] = []
  const [hostname, port] = [destination.replace(/:\d+$/, ''), Number(/:(\d+)$/.exec(destination)![1])]
  const sockets = new Set<Socket>()
  const serve = async (client: Socket) => {
    const [, count] = await take(client, 2)
    const method = options.login === undefined ? 0 : 2
    const offered = (await take(client, count!)).includes(method)
    client.write(Buffer.from([5, offered ? method : 255]))
    if (!offered) return client.end()
    if (method === 2) {
      await take(client, 1)
      const right = `${await takeText(client)}:${await takeText(client)}` === options.login
      client.write(Buffer.from([1, right ? 0 : 1]))
      if (!right) return client.end()
    }
    const kind = (await take(client, 4))[3]
    const name = kind === 3 ? await takeText(client) : [...(await take(client, kind === 1 ? 4 : 16))].join('.')
    seen.push(`${name}:${(await take(client, 2)).readUInt16BE()}`)
    client.write(Buffer.from([5, options.refuse ?? 0, 0, 1, 0, 0, 0, 0, 0, 0]))
    if (options.refuse) return client.end()
    const onward = connect(port, hostname)
    sockets.add(onward)
    onward.on('error', () => client.destroy())
    return onward.pipe(client).pipe(onward)
  }
  const server = createServer((client) => {
    sockets.add(client)
    client.on('error', () => client.destroy())
    serve(client).catch(() => client.destroy())
  })
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
