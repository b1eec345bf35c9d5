import { BaleError } from '#base'
import type { UnfinishedReader } from '../objects/index.ts'

interface GrowingParts {
  size: number
  /** Reads what has been written already and is not held any more, where the store can. */
  unfinished: UnfinishedReader['readUnfinished'] | undefined
  key: string
  /** The blob when it is stored, from a position on. */
  stored(start: number): Promise<AsyncIterable<Uint8Array>>
}

/** Bytes that came last are held for those who read along. */
const HELD = 4 << 20

/**
 * A blob that is being fetched and stored, for any number of readers from the beginning. Each gets bytes as they come; one that is
 * slower than the upstream goes on with what is written, or waits until all of it is. The last byte is given when all are verified
 * and stored: a blob that is not what it should be never comes to its end.
 */
export class GrowingBlob {
  readonly size: number
  /** Fulfilled when the blob is stored; rejects when it will not be. */
  readonly stored: Promise<void>
  readonly #parts: GrowingParts
  readonly #ended = Promise.withResolvers<void>()
  #held: Uint8Array[] = []
  /** Where what is held begins and ends. */
  #start = 0
  #end = 0
  #isStored = false
  #failure: { error: unknown } | undefined
  #change = Promise.withResolvers<void>()

  constructor(parts: GrowingParts) {
    this.#parts = parts
    this.size = parts.size
    this.stored = this.#ended.promise
    // Whoever reads sees the failure; there may be nobody.
    this.stored.catch(() => undefined)
  }

  /** The next bytes, which are about to be written. */
  add(chunk: Uint8Array): void {
    this.#held.push(chunk)
    this.#end += chunk.byteLength
    while (this.#held.length > 1 && this.#end - this.#start - this.#held[0]!.byteLength >= HELD) {
      this.#start += this.#held.shift()!.byteLength
    }
    this.#changed()
  }

  finish(): void {
    this.#isStored = true
    this.#ended.resolve()
    this.#changed()
  }

  fail(error: unknown): void {
    this.#failure = { error }
    this.#held = []
    this.#ended.reject(error)
    this.#changed()
  }

  /** A chunk is valid until the next one is asked for. */
  async *read(): AsyncGenerator<Uint8Array> {
    if (this.size === 0) await this.stored
    for (let position = 0; position < this.size; ) {
      if (this.#failure) throw this.#failure.error
      const held = this.#heldAt(position)
      if (held) {
        position += held.byteLength
        yield held
        continue
      }
      const { unfinished, key, stored } = this.#parts
      const isWritten = position < this.#start && unfinished
      if (!this.#isStored && !isWritten) {
        await this.#change.promise
        continue
      }
      const before = position
      const rest = this.#isStored ? await stored(position) : unfinished!(key, { start: position, end: this.#start })
      for await (const chunk of rest) {
        position += chunk.byteLength
        yield chunk
      }
      if (position === before) throw new BaleError('STORE_DAMAGED', `what was written of a blob ends at ${position}`)
    }
  }

  /** What is held from a position on, but for the last byte while the blob is not verified. */
  #heldAt(position: number): Uint8Array | undefined {
    if (position < this.#start) return undefined
    const most = this.#isStored ? this.size : this.size - 1
    let start = this.#start
    for (const chunk of this.#held) {
      const end = start + chunk.byteLength
      if (position < end) {
        const part = chunk.subarray(position - start, Math.min(end, most) - start)
        return part.byteLength > 0 ? part : undefined
      }
      start = end
    }
    return undefined
  }

  #changed(): void {
    const { resolve } = this.#change
    this.#change = Promise.withResolvers()
    resolve()
  }
}
