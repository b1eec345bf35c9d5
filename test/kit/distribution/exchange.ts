import {
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  Agent as PlainAgent,
  request as sendPlain,
} from 'node:http'
import { request as sendTls, Agent as TlsAgent } from 'node:https'
import { buffer } from 'node:stream/consumers'

export interface Sending {
  headers?: OutgoingHttpHeaders
  /** With `Transfer-Encoding: chunked` among the headers it is sent without its length. */
  body?: Uint8Array
}

/** What came back, as it came. */
export interface Answer {
  /** Method and URL, for messages. */
  request: string
  /** Where the answer came from: a relative Location begins there. */
  url: URL
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
}

/** Sends one request and waits for the whole answer, whatever it is. */
export type Exchange = (method: string, url: URL, sending: Sending) => Promise<Answer>

/** A server that says nothing for so many milliseconds fails the check instead of the whole run. */
const PATIENCE = 30_000

/** A connection for each request would cost half as much again, and with TLS far more. */
const CONNECTIONS = 4

/**
 * No request takes the connection of the one before, so that a balancer, even one that only sees connections, may give it to another
 * replica. `ca` is PEM text.
 */
export function createExchange(ca?: string): Exchange {
  const plainAgent = rotation(() => new PlainAgent({ keepAlive: true }))
  const tlsAgent = rotation(() => new TlsAgent({ keepAlive: true, ca }))
  return (method, url, { headers, body }) => {
    const [send, agent] = url.protocol === 'https:' ? [sendTls, tlsAgent()] : [sendPlain, plainAgent()]
    const signal = AbortSignal.timeout(PATIENCE)
    return new Promise((resolve, reject) => {
      const outgoing = send(url, { method, headers, signal, agent }, (incoming) => {
        const { statusCode: status = 0, headers } = incoming
        const request = `${method} ${url}`
        buffer(incoming).then((body) => resolve({ request, url, status, headers, body }), reject)
      })
      outgoing.on('error', reject)
      outgoing.end(body)
    })
  }
}

function rotation<T>(make: () => T): () => T {
  const all = Array.from({ length: CONNECTIONS }, make)
  let taken = 0
  return () => all[taken++ % all.length]!
}
