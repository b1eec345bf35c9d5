import { request as ask, createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

/** What happens to some of the requests. */
export interface Fault {
  method?: string
  /** Matches path with query; of all requests by default. */
  path?: RegExp
  /** Which of the requests that match, counted from 1: `first` to `last`, the first one by default. */
  first?: number
  last?: number
  /**
   * `answer`: the server never sees the request. `drop`: it does, and its answer is lost with the connection. `reset`: the
   * connection breaks before anything of the request is passed on. `cut`: it breaks after so many bytes of the answer's body.
   * `hold`: the server does what is asked, and its answer never comes.
   */
  how:
    | { act: 'answer'; status: number; headers?: Record<string, string>; body?: string }
    | { act: 'drop' }
    | { act: 'reset' }
    | { act: 'cut'; bytes: number }
    | { act: 'hold' }
}

export interface CuttingProxy extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  /** `GET /path?query` of all requests, in order of arrival. */
  readonly seen: readonly string[]
  /** How often a fault struck. A later fault is asked only for what earlier ones let pass. */
  add(fault: Fault): { struck(): number }
}

/** Stands before an HTTP server and lets its requests fail as a test plans. `target` is `http://HOST:PORT`. */
export async function cuttingProxy(target: string): Promise<CuttingProxy> {
  const seen: string[] = []
  const faults: { fault: Fault; matched: number; struck: number }[] = []
  const faultOf = (method: string, path: string): Fault | undefined => {
    for (const entry of faults) {
      const { fault } = entry
      if ((fault.method ?? method) !== method || !(fault.path ?? /^/).test(path)) continue
      const { first = 1, last = first } = fault
      entry.matched++
      if (entry.matched < first || entry.matched > last) continue
      entry.struck++
      return fault
    }
    return undefined
  }
  const server = createServer((incoming, response) => {
    const { method = '', url = '' } = incoming
    seen.push(`${method} ${url}`)
    // The client's side is cut on purpose, and then has more to say.
    for (const stream of [incoming, response]) stream.on('error', () => undefined)
    strike(incoming, response, { target, how: faultOf(method, url)?.how })
  })
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    add(fault) {
      const entry = { fault, matched: 0, struck: 0 }
      faults.push(entry)
      return { struck: () => entry.struck }
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function strike(
  incoming: IncomingMessage,
  response: ServerResponse,
  { target, how }: { target: string; how: Fault['how'] | undefined },
): void {
  if (how?.act === 'reset') {
    incoming.socket.resetAndDestroy()
    return
  }
  if (how?.act === 'answer') {
    incoming.resume().once('end', () => response.writeHead(how.status, how.headers).end(how.body))
    return
  }
  const { method, url, headers } = incoming
  const onward = ask(new URL(url!, target), { method, headers }, (answer) => {
    if (how?.act === 'drop') return answer.resume().once('end', () => incoming.socket.resetAndDestroy())
    if (how?.act === 'hold') return answer.resume()
    response.writeHead(answer.statusCode!, answer.headers)
    return how?.act === 'cut' ? cut(answer, response, how.bytes) : answer.pipe(response)
  })
  onward.on('error', () => incoming.socket.destroy())
  incoming.pipe(onward)
}

function cut(answer: IncomingMessage, response: ServerResponse, bytes: number): void {
  let left = bytes
  answer.on('data', (chunk: Buffer) => {
    if (left <= 0) return
    response.write(chunk.subarray(0, left))
    left -= chunk.length
    // What was written arrives before the end of the connection.
    if (left <= 0) setTimeout(() => response.socket?.destroy(), 50)
  })
}
