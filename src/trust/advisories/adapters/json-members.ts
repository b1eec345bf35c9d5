import { BaleError } from '#base'
import { malformed } from './values.ts'

/** A member of the outermost object of a document. */
interface JsonMember {
  readonly key: string
  /** Its value as it stands in the document, not checked to be JSON. */
  readonly value: Uint8Array
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const KEY_LIMIT = 4096

/**
 * Cuts a document that is one large object into its members, in memory for one of them: Debian's has 70 MiB. A value longer
 * than `limit` bytes is passed over, and told to `onTooLarge`. Throws INVALID_ARCHIVE for what is no object and for one that ends early;
 * what is between the members is not judged.
 */
export async function* jsonMembers(
  document: AsyncIterable<Uint8Array>,
  options: { limit: number; onTooLarge(key: string): void },
): AsyncGenerator<JsonMember> {
  const cutter = new Cutter(options)
  for await (const chunk of document) yield* cutter.push(chunk)
  cutter.end()
}

type State = 'start' | 'key' | 'in key' | 'colon' | 'value' | 'ended'

class Cutter {
  readonly #limit: number
  readonly #onTooLarge: (key: string) => void
  #state: State = 'start'
  #key = ''
  /** Pieces of the key or value that began in earlier chunks, and their bytes. */
  #pieces: Uint8Array[] = []
  #size = 0
  #depth = 0
  #quoted = false
  #escaped = false

  constructor({ limit, onTooLarge }: { limit: number; onTooLarge(key: string): void }) {
    this.#limit = limit
    this.#onTooLarge = onTooLarge
  }

  *push(chunk: Uint8Array): Generator<JsonMember> {
    let from = 0
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at]!
      if (this.#state === 'value') {
        if (!this.#endsValue(byte)) continue
        this.#keep(chunk.subarray(from, at))
        const value = this.#take()
        if (value) yield { key: this.#key, value }
        this.#state = byte === COMMA ? 'key' : 'ended'
      } else if (this.#state === 'in key') {
        if (!this.#endsText(byte)) continue
        this.#keep(chunk.subarray(from, at + 1))
        this.#key = this.#readKey()
        this.#state = 'colon'
      } else from = this.#between(byte) === 'value' ? at + 1 : at
    }
    if (this.#state === 'value' || this.#state === 'in key') this.#keep(Uint8Array.from(chunk.subarray(from)))
  }

  end(): void {
    if (this.#state !== 'ended') throw malformed('the document', 'ends early')
  }

  /** A byte between keys and values; answers what comes after it. */
  #between(byte: number): State {
    if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) return this.#state
    if (this.#state === 'start' && byte === 0x7b) this.#state = 'key'
    else if (this.#state === 'key' && byte === QUOTE) this.#state = 'in key'
    else if (this.#state === 'key' && byte === 0x7d) this.#state = 'ended'
    else if (this.#state === 'colon' && byte === COLON) this.#state = 'value'
    else throw malformed('the document', 'is not a JSON object')
    return this.#state
  }

  /** At the comma or bracket after the value. */
  #endsValue(byte: number): boolean {
    if (this.#quoted) {
      if (this.#endsText(byte)) this.#quoted = false
    } else if (byte === QUOTE) this.#quoted = true
    else if (byte === 0x7b || byte === 0x5b) this.#depth++
    else if ((byte === 0x7d || byte === 0x5d) && this.#depth > 0) this.#depth--
    else return this.#depth === 0 && (byte === COMMA || byte === 0x7d)
    return false
  }

  #endsText(byte: number): boolean {
    if (this.#escaped) this.#escaped = false
    else if (byte === BACKSLASH) this.#escaped = true
    else return byte === QUOTE
    return false
  }

  #keep(piece: Uint8Array): void {
    this.#size += piece.length
    if (this.#state === 'in key' && this.#size > KEY_LIMIT)
      throw new BaleError('LIMIT_EXCEEDED', `a key of the document has more than ${KEY_LIMIT} bytes`)
    if (this.#size > this.#limit) this.#pieces = []
    else this.#pieces.push(piece)
  }

  #readKey(): string {
    const text = Buffer.from(this.#take() ?? []).toString()
    try {
      return JSON.parse(text) as string
    } catch {
      throw malformed('the document', 'has a key that is not text')
    }
  }

  /** Undefined for a value that was too large. */
  #take(): Uint8Array | undefined {
    const whole = this.#size > this.#limit ? undefined : Buffer.concat(this.#pieces)
    if (!whole) this.#onTooLarge(this.#key)
    this.#pieces = []
    this.#size = 0
    return whole
  }
}
