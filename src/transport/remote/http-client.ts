import type { Agent, Dispatcher } from 'undici'
import { BaleError } from '#base'
import { HttpAnswer } from './http-answer.ts'
import type { RemoteLimits } from './limits.ts'
import { networkError } from './network-error.ts'
import type { TlsSettings } from './tls-settings.ts'

export interface HttpRequest {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  url: URL
  headers?: Record<string, string>
  /** Called again for each redirect, so it must give the whole body every time. */
  body?: () => Promise<AsyncIterable<Uint8Array> | Uint8Array | string>
  /** The body holds a secret: redirects to another origin are refused. */
  confined?: boolean
  signal?: AbortSignal
}

/** HTTP with bounds, redirects by our rules and our errors; knows nothing of registries. */
export interface HttpClient extends AsyncDisposable {
  send(request: HttpRequest): Promise<HttpAnswer>
}

export interface HttpClientOptions {
  limits: RemoteLimits
  userAgent: string
  /** Asked once, before the first https connection: reading the machine's authorities takes 50 ms. */
  tls: () => Promise<TlsSettings>
  proxy?: { http?: string; https?: string; noProxy?: string }
}

export function createHttpClient(options: HttpClientOptions): HttpClient {
  const agents = new Map<string, Promise<Dispatcher>>()
  const agentFor = ({ protocol }: URL): Promise<Dispatcher> => {
    const agent = agents.get(protocol) ?? createAgent(options, protocol === 'https:')
    agents.set(protocol, agent)
    return agent
  }
  const sendOnce = async (request: HttpRequest): Promise<HttpAnswer> => {
    const { url, method, signal } = request
    const body = watchedBody(request.body)
    try {
      signal?.throwIfAborted()
      const agent = await agentFor(url)
      const answer = await agent.request({
        origin: url.origin,
        path: url.pathname + url.search,
        method,
        headers: { 'user-agent': options.userAgent, ...request.headers },
        body: (await body.open()) as Dispatcher.DispatchOptions['body'],
        signal,
      })
      return new HttpAnswer(url, answer, options.limits, signal)
    } catch (error) {
      if (signal?.aborted) throw signal.reason
      if (body.failure) throw body.failure.error
      throw networkError(error, url)
    }
  }
  return {
    send: (request) => followRedirects(request, sendOnce, options.limits.redirects),
    async [Symbol.asyncDispose]() {
      for (const agent of agents.values()) await (await agent).destroy()
    },
  }
}

/** A body whose own failure (a disk, another registry) is told apart from the connection's. */
function watchedBody(open: HttpRequest['body']) {
  const watched = {
    failure: undefined as { error: unknown } | undefined,
    async open(): Promise<AsyncIterable<Uint8Array> | Uint8Array | string | null> {
      const body = (await open?.()) ?? null
      if (body === null || typeof body === 'string' || body instanceof Uint8Array) return body
      return (async function* () {
        try {
          yield* body
        } catch (error) {
          watched.failure = { error }
          throw error
        }
      })()
    },
  }
  return watched
}

/** One connection pool per origin. HTTP/1.1: blobs go through a connection of their own each, which is what is fast. */
async function createAgent({ limits, proxy, tls }: HttpClientOptions, secure: boolean): Promise<Agent> {
  const { Agent, EnvHttpProxyAgent } = await import('undici')
  const settings = {
    allowH2: false,
    connect: { ...(secure ? await tls() : {}), timeout: limits.connectTimeout },
    headersTimeout: limits.headersTimeout,
    // The answer's own watch is stricter.
    bodyTimeout: 2 * limits.stallWindow,
    connections: 16,
  }
  if (!proxy?.http && !proxy?.https) return new Agent(settings)
  const { http = '', https = '', noProxy = '' } = proxy
  return new EnvHttpProxyAgent({ ...settings, httpProxy: http, httpsProxy: https, noProxy }) as unknown as Agent
}

const REDIRECTS = new Set([301, 302, 303, 307, 308])

/** Source: RFC 9110 section 15.4, narrowed: never to a weaker scheme, no Authorization once the origin has changed. */
async function followRedirects(
  first: HttpRequest,
  sendOnce: (request: HttpRequest) => Promise<HttpAnswer>,
  limit: number,
): Promise<HttpAnswer> {
  let request = first
  for (let hops = 0; ; hops++) {
    const answer = await sendOnce(request)
    const location = answer.headers['location']
    if (!REDIRECTS.has(answer.status) || location === undefined) return answer
    const reading = request.method === 'GET' || request.method === 'HEAD'
    if (!reading && answer.status < 307) return answer
    await answer.discard()
    if (hops === limit) {
      throw new BaleError('REGISTRY_FAILED', `${first.url.host} redirects more than ${limit} times`)
    }
    const url = redirectTarget(request.url, location)
    if (request.confined && url.origin !== request.url.origin) {
      throw new BaleError('REGISTRY_FAILED', `${request.url.host} redirects a login to another host, ${url.host}`)
    }
    const headers = { ...request.headers }
    if (url.origin !== request.url.origin) for (const name of ['authorization', 'cookie']) delete headers[name]
    request = { ...request, url, headers }
  }
}

/** Where a Location leads; REGISTRY_FAILED for anything but http(s), and for https to http. */
export function redirectTarget(from: URL, location: string): URL {
  const url = URL.canParse(location, from.href) ? new URL(location, from) : undefined
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:') || url.username || url.password) {
    throw new BaleError('REGISTRY_FAILED', `${from.host} redirects to a place that is not a web address`)
  }
  if (from.protocol === 'https:' && url.protocol === 'http:') {
    throw new BaleError('REGISTRY_FAILED', `${from.host} redirects from https to plain http, to ${url.host}`, {
      hint: 'a registry behind a TLS proxy must be told so (X-Forwarded-Proto, or its own address in its configuration)',
    })
  }
  return url
}
