import type { Dispatcher } from 'undici'
import { BaleError } from '#base'
import { type AddressRules, admittedLookup, checkOwnAddress } from './admitted-addresses.ts'
import { HttpAnswer } from './http-answer.ts'
import type { HttpLimits } from './http-limits.ts'
import { networkError } from './network-error.ts'
import { type ProxySettings, proxyFor } from './proxy-rules.ts'
import type { TlsSettings } from './tls-settings.ts'

export interface HttpRequest {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  url: URL
  headers?: Record<string, string>
  /** Called again for each redirect, so it must give the whole body every time. */
  body?: () => Promise<AsyncIterable<Uint8Array> | Uint8Array | string>
  /** The body holds a secret: redirects to another origin are refused. */
  confined?: boolean
  /** False: a redirect is an answer like others. */
  follow?: boolean
  signal?: AbortSignal
}

/** HTTP with bounds, redirects by our rules and our errors; knows nothing of registries. */
export interface HttpClient extends AsyncDisposable {
  send(request: HttpRequest): Promise<HttpAnswer>
}

interface HttpClientOptions {
  limits: HttpLimits
  /** Asked before the first https connection to an origin: reading the machine's authorities takes 50 ms. */
  tls: (url: URL) => Promise<TlsSettings>
  proxy?: ProxySettings
  /** Not behind a proxy, which connects to what it likes. All addresses by default. */
  addresses?: AddressRules
}

export function createHttpClient(options: HttpClientOptions): HttpClient {
  const agents = new Map<string, Promise<Dispatcher>>()
  const agentFor = (url: URL, proxy: URL | undefined): Promise<Dispatcher> => {
    const key = `${url.origin} ${proxy?.href ?? ''}`
    const agent = agents.get(key) ?? createAgent(options, url, proxy)
    agents.set(key, agent)
    return agent
  }
  const sendOnce = async (request: HttpRequest): Promise<HttpAnswer> => {
    const { url, method, signal } = request
    const body = watchedBody(request.body)
    const proxy = proxyFor(url, options.proxy ?? {})
    try {
      signal?.throwIfAborted()
      if (options.addresses) checkOwnAddress(url, options.addresses)
      const agent = await agentFor(url, proxy)
      const answer = await agent.request({
        origin: url.origin,
        path: url.pathname + url.search,
        method,
        headers: { 'user-agent': 'bale', ...request.headers },
        body: (await body.open()) as Dispatcher.DispatchOptions['body'],
        signal,
      })
      return new HttpAnswer(url, answer, options.limits, signal)
    } catch (error) {
      if (signal?.aborted) throw signal.reason
      if (body.failure) throw body.failure.error
      throw networkError(error, url, proxy)
    }
  }
  return {
    send: (request) => followRedirects(request, sendOnce, options.limits.redirects),
    async [Symbol.asyncDispose]() {
      for (const agent of agents.values()) await (await agent).destroy()
    },
  }
}

/** A body whose own failure (a disk, another registry) is distinguished from the connection's. */
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

/**
 * One connection pool for an origin. HTTP/1.1: blobs go through a connection of their own each, which is what is fast.
 * Behind a proxy the TLS settings are those of the origin; the proxy itself, when it speaks TLS, is judged by them too.
 */
async function createAgent(
  { limits, tls, addresses }: HttpClientOptions,
  url: URL,
  proxy: URL | undefined,
): Promise<Dispatcher> {
  const { Pool, ProxyAgent, Socks5ProxyAgent } = await import('undici')
  const secure = url.protocol === 'https:' ? await tls(url) : undefined
  const settings = {
    allowH2: false,
    headersTimeout: limits.headersTimeout,
    // The answer's own watch is stricter.
    bodyTimeout: 2 * limits.stallWindow,
    maxHeaderSize: limits.headerBytes,
    connections: limits.connections,
  }
  const lookup = addresses && { lookup: admittedLookup(addresses) }
  const connect = { ...secure, ...lookup, timeout: limits.connectTimeout }
  if (!proxy) return new Pool(url.origin, { ...settings, connect })
  if (proxy.protocol.startsWith('socks5')) {
    const { connectTimeout } = limits
    // undici knows socks5h, where the proxy looks names up, as socks5. It makes the pools by itself, so that the limits
    // go with each request.
    const agent = new Socks5ProxyAgent(proxy.href.replace(/^socks5h:/, 'socks5:'), {
      connectTimeout,
      requestTls: secure,
    })
    const { headersTimeout, bodyTimeout } = settings
    return agent.compose(
      (dispatch) => (options, handler) => dispatch({ ...options, headersTimeout, bodyTimeout }, handler),
    )
  }
  const pool = (origin: string | URL, more: object) => new Pool(origin, { ...settings, ...more })
  return new ProxyAgent({
    ...settings,
    uri: proxy.href,
    connectTimeout: limits.connectTimeout,
    requestTls: { ...secure },
    proxyTls: proxy.protocol === 'https:' ? { ...(secure ?? (await tls(proxy))) } : {},
    factory: pool,
    clientFactory: pool,
  })
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
    if (!REDIRECTS.has(answer.status) || location === undefined || request.follow === false) return answer
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
    if (!mayKeepCredentials(request.url, url)) for (const name of ['authorization', 'cookie']) delete headers[name]
    request = { ...request, url, headers }
  }
}

/** The same origin, or the same host by a stronger scheme. */
function mayKeepCredentials(from: URL, to: URL): boolean {
  const stronger = from.protocol === 'http:' && to.protocol === 'https:' && from.port === '' && to.port === ''
  return from.origin === to.origin || (stronger && from.hostname === to.hostname)
}

/** Where a Location leads; REGISTRY_FAILED for anything but http(s), and for https to http. */
export function redirectTarget(from: URL, location: string): URL {
  const url = URL.canParse(location, from.href) ? new URL(location, from) : undefined
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:') || url.username || url.password) {
    throw new BaleError('REGISTRY_FAILED', `${from.host} redirects to something that is not a web address`)
  }
  if (from.protocol === 'https:' && url.protocol === 'http:') {
    throw new BaleError('REGISTRY_FAILED', `${from.host} redirects from https to plain http, to ${url.host}`, {
      hint: 'a registry behind a TLS proxy must be told so (X-Forwarded-Proto, or its own address in its configuration)',
    })
  }
  return url
}
