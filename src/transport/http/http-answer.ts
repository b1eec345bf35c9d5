import type { Dispatcher } from 'undici'
import { BaleError } from '#base'
import { decodedBytes } from './content-encoding.ts'
import type { HttpLimits } from './http-limits.ts'
import { networkError } from './network-error.ts'

/** An answer whose body has not been read yet: exactly one of `body`, `document`, `discard` must be used, to its end. */
export class HttpAnswer {
  /** After redirects. */
  readonly url: URL
  readonly status: number
  /** Lower-case names; the values of a repeated header joined with commas. */
  readonly headers: Readonly<Record<string, string>>
  readonly #answer: Dispatcher.ResponseData
  readonly #limits: HttpLimits
  readonly #signal: AbortSignal | undefined

  constructor(url: URL, answer: Dispatcher.ResponseData, limits: HttpLimits, signal: AbortSignal | undefined) {
    this.url = url
    this.status = answer.statusCode
    this.headers = joined(answer.headers)
    this.#answer = answer
    this.#limits = limits
    this.#signal = signal
  }

  get mediaType(): string | undefined {
    return this.headers['content-type']?.replace(/;.*/s, '').trim().toLowerCase()
  }

  /**
   * The bytes as they come. Throws REGISTRY_FAILED (temporary, see `isTransient`) when the connection breaks or brings
   * less than the minimum rate while the consumer waits for it; a slow consumer does not count.
   */
  async *body(): AsyncIterable<Uint8Array> {
    const stream = this.#answer.body
    const { stallWindow, minimumRate } = this.#limits
    let bytes = 0
    let waited = 0
    let waitingSince: number | undefined = performance.now()
    const watch = setInterval(() => {
      const now = performance.now()
      if (waitingSince !== undefined) {
        waited += now - waitingSince
        waitingSince = now
      }
      if (waited > 0.9 * stallWindow && bytes < (minimumRate * stallWindow) / 1000) stream.destroy(stalled(this.url))
      bytes = waited = 0
    }, stallWindow)
    try {
      for await (const chunk of stream as AsyncIterable<Uint8Array>) {
        if (waitingSince !== undefined) waited += performance.now() - waitingSince
        waitingSince = undefined
        bytes += chunk.length
        yield chunk
        waitingSince = performance.now()
      }
    } catch (error) {
      if (this.#signal?.aborted) throw this.#signal.reason
      throw networkError(error, this.url)
    } finally {
      clearInterval(watch)
    }
  }

  /** The whole body, with a Content-Encoding undone; LIMIT_EXCEEDED as soon as it is known to be larger than `limit` bytes. */
  async document(limit: number, what: string): Promise<Buffer> {
    const chunks: Uint8Array[] = []
    let size = 0
    const announced = Number(this.headers['content-length'] ?? 0)
    const tooLarge = () =>
      new BaleError('LIMIT_EXCEEDED', `${what} from ${this.url.host} is larger than ${limit} bytes`)
    for await (const chunk of this.body()) {
      chunks.push(chunk)
      size += chunk.length
      if (size > limit || announced > limit) throw tooLarge()
    }
    return decodedBytes(Buffer.concat(chunks), this.headers['content-encoding'], limit, tooLarge)
  }

  /** At most `limit` bytes of the body; the rest, and any failure on the way, is of no interest. */
  async beginning(limit: number): Promise<Buffer> {
    const chunks: Uint8Array[] = []
    let size = 0
    try {
      for await (const chunk of this.body()) {
        chunks.push(chunk)
        size += chunk.length
        if (size >= limit) break
      }
    } catch (error) {
      if (!(error instanceof BaleError)) throw error
    }
    return Buffer.concat(chunks).subarray(0, limit)
  }

  /** Lets go of the body; a short rest is read so that the connection can be used again. */
  async discard(): Promise<void> {
    await this.beginning(this.#limits.errorBytes)
  }
}

function stalled(url: URL): BaleError {
  return new BaleError('REGISTRY_FAILED', `${url.host} stopped sending`, { details: { errno: 'STALLED' } })
}

function joined(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const result: Record<string, string> = Object.create(null)
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) result[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : value
  }
  return result
}
