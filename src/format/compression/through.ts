import type { Duplex } from 'node:stream'
import { asError } from '#base'

/** Input that a transform did not want after it had declared its end. */
interface Leftover {
  /** Bytes the transform has read. */
  consumed: () => number
  /** Throws if the bytes are not allowed there. */
  check: (bytes: Uint8Array) => void
}

interface ThroughOptions {
  translate: (error: Error) => Error
  leftover?: Leftover
  /** Told of each chunk that the transform is done with. */
  taken?: (chunk: Uint8Array) => void
}

/**
 * Sends a stream through a Node transform and yields what comes out. An error of the source is thrown as it is; an error
 * of the transform goes through `translate`. Ending early destroys the transform and returns the source.
 */
export async function* through(
  source: AsyncIterable<Uint8Array>,
  transform: Duplex,
  options: ThroughOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const feeder = new Feeder(transform, options)
  const feeding = feeder.feed(source)
  try {
    // The transform is destroyed below: the feeder still checks what is left.
    for await (const bytes of transform.iterator({ destroyOnReturn: false })) yield bytes as Uint8Array
    await feeding
    feeder.checkUnread()
  } catch (error) {
    await feeder.stop()
    throw feeder.failure ?? options.translate(asError(error))
  } finally {
    transform.destroy()
    await feeder.stop()
  }
}

class Feeder {
  readonly #transform: Duplex
  readonly #leftover: Leftover | undefined
  readonly #taken: ((chunk: Uint8Array) => void) | undefined
  #stopped = false
  #wake: () => void = () => undefined
  #feeding: Promise<void> = Promise.resolve()
  /** Chunks that the transform may not have read yet, with the offset of their end. */
  #unread: { end: number; chunk: Uint8Array }[] = []
  #fed = 0
  /** What the source threw, or a leftover check. */
  failure: Error | undefined

  constructor(transform: Duplex, { leftover, taken }: Pick<ThroughOptions, 'leftover' | 'taken'>) {
    this.#transform = transform
    this.#leftover = leftover
    this.#taken = taken
    for (const event of ['drain', 'end', 'close', 'error']) transform.on(event, () => this.#wake())
  }

  feed(source: AsyncIterable<Uint8Array>): Promise<void> {
    this.#feeding = this.#feed(source).catch((error) => {
      this.failure = asError(error)
      this.#transform.destroy(this.failure)
    })
    return this.#feeding
  }

  async #feed(source: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const chunk of source) {
      if (this.#stopped) return
      if (this.#transform.readableEnded) {
        this.#leftover?.check(chunk)
        continue
      }
      if (chunk.length === 0) continue
      this.#remember(chunk)
      const more = this.#transform.write(chunk, (error) => {
        if (!error) this.#taken?.(chunk)
      })
      if (!more) await this.#drained()
    }
    if (!this.#stopped) this.#transform.end()
  }

  #remember(chunk: Uint8Array): void {
    if (!this.#leftover) return
    this.#fed += chunk.length
    this.#unread.push({ end: this.#fed, chunk })
    const consumed = this.#leftover.consumed()
    while (this.#unread.length > 0 && this.#unread[0]!.end <= consumed) this.#unread.shift()
  }

  /** Zlib streams that have ended take no more input and never drain: the end wakes as well. */
  #drained(): Promise<void> {
    const transform = this.#transform
    if (this.#stopped || transform.destroyed || transform.readableEnded || !transform.writableNeedDrain)
      return Promise.resolve()
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  checkUnread(): void {
    if (this.failure) throw this.failure
    if (!this.#leftover) return
    const consumed = this.#leftover.consumed()
    for (const { end, chunk } of this.#unread)
      if (end > consumed) this.#leftover.check(chunk.subarray(Math.max(0, chunk.length - (end - consumed))))
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#wake()
    await this.#feeding
  }
}
