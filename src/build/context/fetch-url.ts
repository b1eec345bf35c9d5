import { BaleError, type OperationOptions, printable } from '#base'

export interface FetchedUrl {
  /** As they arrive; a connection that ends early is an error. */
  body: AsyncIterable<Uint8Array>
  /** Last part of the URL's path, undefined when it has none. */
  fileName: string | undefined
  /** Seconds since 1970, from Last-Modified. */
  modified: number | undefined
}

const REDIRECT_LIMIT = 10
const CONNECT_TIMEOUT = 60_000

/**
 * Fetches an http or https URL. Redirects are followed by hand, so that each target is checked: only http and https, and
 * from https never back to http (B10).
 */
export async function fetchUrl(address: string, { signal }: OperationOptions): Promise<FetchedUrl> {
  let url = checked(address, undefined)
  for (let redirects = 0; redirects <= REDIRECT_LIMIT; redirects++) {
    const answer = await get(url, signal)
    const location = answer.headers.get('location')
    if (answer.status >= 300 && answer.status < 400 && location) {
      await answer.body?.cancel()
      url = checked(location, url)
      continue
    }
    if (!answer.ok || !answer.body) {
      await answer.body?.cancel()
      throw new BaleError('BUILD_FAILED', `invalid response status ${answer.status} of ${printable(url.href)}`)
    }
    const modified = Date.parse(answer.headers.get('last-modified') ?? '')
    return {
      body: complete(answer, url),
      fileName: fileNameOf(address),
      modified: Number.isNaN(modified) ? undefined : Math.floor(modified / 1000),
    }
  }
  throw new BaleError('BUILD_FAILED', `${printable(address)} redirects more than ${REDIRECT_LIMIT} times`)
}

/** The name of the file that ADD makes: the last part of the path. */
export function fileNameOf(address: string): string | undefined {
  const last = decodeURIComponent(new URL(address).pathname.split('/').at(-1) ?? '')
  return last === '' || last === '.' || last === '..' || /[/\0]/.test(last) ? undefined : last
}

function checked(address: string, from: URL | undefined): URL {
  const url = URL.canParse(address, from?.href) ? new URL(address, from?.href) : undefined
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new BaleError(
      'BUILD_FAILED',
      `${printable(from ? `${from.href} redirects to ${address}` : address)}: only http and https are fetched`,
    )
  }
  if (from?.protocol === 'https:' && url.protocol === 'http:') {
    throw new BaleError('BUILD_FAILED', `${printable(from.href)} redirects to the unprotected ${printable(url.href)}`)
  }
  return url
}

async function get(url: URL, signal: AbortSignal | undefined): Promise<Response> {
  const late = new AbortController()
  const timer = setTimeout(
    () => late.abort(new Error(`no answer for ${CONNECT_TIMEOUT / 1000} seconds`)),
    CONNECT_TIMEOUT,
  )
  // URLs with a password are not understood by fetch; the header says the same.
  const plain = new URL(url)
  const headers = url.username ? { authorization: basic(url) } : undefined
  plain.username = ''
  plain.password = ''
  try {
    const either = signal ? AbortSignal.any([signal, late.signal]) : late.signal
    return await fetch(plain, { redirect: 'manual', signal: either, headers })
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    const cause = (error as { cause?: { code?: string; message?: string } }).cause
    const reason = cause?.code ?? cause?.message ?? (error as Error).message
    throw new BaleError('BUILD_FAILED', `cannot fetch ${printable(url.href)}: ${reason}`, { cause: error })
  } finally {
    clearTimeout(timer)
  }
}

function basic(url: URL): string {
  const text = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
  return `Basic ${Buffer.from(text).toString('base64')}`
}

async function* complete(answer: Response, url: URL): AsyncGenerator<Uint8Array> {
  const encoded = answer.headers.get('content-encoding') !== null
  const expected = Number(answer.headers.get('content-length') ?? Number.NaN)
  let size = 0
  try {
    for await (const chunk of answer.body!) {
      size += chunk.length
      yield chunk
    }
  } catch (error) {
    throw new BaleError('BUILD_FAILED', `the connection broke while ${printable(url.href)} was read`, { cause: error })
  }
  if (!encoded && Number.isFinite(expected) && size < expected) {
    throw new BaleError('SIZE_MISMATCH', `${printable(url.href)} ended after ${size} of ${expected} bytes`)
  }
}
