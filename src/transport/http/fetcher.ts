import { BaleError, type OperationOptions, printable } from '#base'
import { streamOf } from '#blob'
import { decodedStream, isEncoded } from './content-encoding.ts'
import { type EarlierCopy, type FetchOutcome, headersForCopy, outcomeOf } from './earlier-copy.ts'
import type { HttpAnswer } from './http-answer.ts'
import { createHttpClient, type HttpClient } from './http-client.ts'
import { defaultHttpLimits } from './http-limits.ts'
import type { ProxySettings } from './proxy-rules.ts'
import { type TlsFiles, tlsSettings } from './tls-settings.ts'
import { fileNameOf, parseWebAddress } from './web-address.ts'

/** What a URL gave: its bytes as they arrive, and what the server said of them. */
export interface FetchedUrl {
  /** As they arrive; a connection that ends early is an error. */
  body: AsyncIterable<Uint8Array>
  /** Last part of the URL's path, undefined when it has none. */
  fileName: string | undefined
  /** Seconds since 1970, from Last-Modified. */
  modified: number | undefined
  /** `whole` unless an earlier copy was given. */
  outcome: FetchOutcome
  /** What the server calls this state of the file, for the next time. */
  etag: string | undefined
  lastModified: string | undefined
}

/** What is asked of a URL. */
interface FetchOptions extends OperationOptions {
  /** Only what is newer than this copy is sent, or the rest of it. */
  earlier?: EarlierCopy
}

/** Fetches files by URL: build contexts, ADD, archives. Connections live until it is disposed. */
export interface Fetcher extends AsyncDisposable {
  /** Throws INVALID_ARGUMENT for what is no web address, DOWNLOAD_FAILED for all else that goes wrong. */
  get(address: string, options?: FetchOptions): Promise<FetchedUrl>
}

export interface FetcherOptions extends TlsFiles {
  proxy?: ProxySettings
}

/** A server may make what it sends while one waits; these bounds only end what will never end. */
const limits = {
  ...defaultHttpLimits,
  connectTimeout: 30_000,
  headersTimeout: 300_000,
  stallWindow: 300_000,
  minimumRate: 1,
}

/**
 * Opens a client for files by URL, with the same proxies and authorities as registries. Dispose it to close its
 * connections.
 */
export function createFetcher(options: FetcherOptions): Fetcher {
  const client = createHttpClient({
    limits,
    proxy: options.proxy,
    tls: (url) => tlsSettings([url.host], options),
  })
  return {
    async get(address, { signal, earlier } = {}) {
      const asked = parseWebAddress(address)
      const url = new URL(asked)
      url.username = url.password = url.hash = ''
      const { answer, outcome } = await ask(client, { asked, url, signal }, earlier)
      // Its Content-Length is that of the file (RFC 9110 section 8.6).
      if (outcome === 'unchanged') await answer.discard()
      const { 'last-modified': lastModified, etag } = answer.headers
      const modified = Date.parse(lastModified ?? '')
      return {
        body: outcome === 'unchanged' ? streamOf(new Uint8Array()) : bodyOf(answer, url),
        fileName: fileNameOf(asked),
        modified: Number.isNaN(modified) ? undefined : Math.floor(modified / 1000),
        outcome,
        etag,
        lastModified,
      }
    },
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  }
}

interface Asked {
  /** As it was written, perhaps with a login. */
  asked: URL
  url: URL
  signal: AbortSignal | undefined
}

async function ask(
  client: HttpClient,
  { asked, url, signal }: Asked,
  earlier: EarlierCopy | undefined,
): Promise<{ answer: HttpAnswer; outcome: FetchOutcome }> {
  // Go's client asks for gzip and undoes it, so this is what docker gets.
  const headers: Record<string, string> = earlier ? headersForCopy(earlier) : { 'accept-encoding': 'gzip' }
  if (asked.username || asked.password) headers['authorization'] = basic(asked)
  const answer = await named(url, () => client.send({ method: 'GET', url, headers, signal }))
  const { status } = answer
  const outcome = outcomeOf(answer, earlier)
  if (outcome && (outcome === 'unchanged' || (status >= 200 && status <= 299))) return { answer, outcome }
  await answer.discard()
  // The server does not continue the copy: all of it is asked for, once.
  if (earlier && !outcome) return ask(client, { asked, url, signal }, { bytes: 0, complete: false })
  throw new BaleError('DOWNLOAD_FAILED', `invalid response status ${status} of ${printable(url.href)}`, {
    details: { status },
  })
}

function basic({ username, password }: URL): string {
  return `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')}`
}

async function* bodyOf(answer: HttpAnswer, url: URL): AsyncGenerator<Uint8Array> {
  const encoding = answer.headers['content-encoding']
  const expected = Number(answer.headers['content-length'] ?? Number.NaN)
  let size = 0
  try {
    for await (const chunk of decodedStream(answer.body(), encoding)) {
      size += chunk.length
      yield chunk
    }
  } catch (error) {
    throw asDownload(error, url)
  }
  if (!isEncoded(encoding) && Number.isFinite(expected) && size < expected) {
    throw new BaleError('SIZE_MISMATCH', `${printable(url.href)} ended after ${size} of ${expected} bytes`)
  }
}

async function named<T>(url: URL, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    throw asDownload(error, url)
  }
}

/** The client's messages mention registries. */
function asDownload(error: unknown, url: URL): unknown {
  if (!(error instanceof BaleError) || !error.code.startsWith('REGISTRY_')) return error
  const { message, details } = error
  return new BaleError('DOWNLOAD_FAILED', `cannot fetch ${printable(url.href)}: ${message}`, { cause: error, details })
}
