import { crc32 } from 'node:zlib'
import { compressionError } from './compression-error.ts'
import type { DeflateLibrary, Inflater } from './deflate-library.ts'

/** Before each filling of the input lies the end of the one before: an inflater may give back bytes of it. */
const KEPT = 8
/** A member that ends within so much input costs less on this thread than a change of threads. */
const LITTLE = 32 * 1024
/** Output is given on when less room than this is left. */
const ROOM_LEFT = 32 * 1024

/**
 * Inflates gzip (RFC 1952) with a library: all members, then zeros as padding. Throws INVALID_COMPRESSION for anything else.
 * Chunks of the source are copied before the next one is asked for. With `lend`, what comes out is valid until the next but
 * one is asked for (so that the next one may be read ahead); else it belongs to the caller.
 */
export async function* gunzip(
  source: AsyncIterable<Uint8Array>,
  library: DeflateLibrary,
  { lend = false }: { lend?: boolean } = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const iterator = source[Symbol.asyncIterator]()
  try {
    const members = new Members(iterator, library.inflater(), lend)
    for (let first = true; await members.another(first); first = false) yield* members.inflate()
    const rest = members.takeRest()
    if (rest) yield rest
  } finally {
    await iterator.return?.()
  }
}

class Members {
  readonly #source: AsyncIterator<Uint8Array>
  readonly #inflater: Inflater
  readonly #input: Uint8Array
  readonly #lend: boolean
  /** What is lent, the oldest first. */
  readonly #lent: Uint8Array[] = []
  /** Of the source, not copied to the input yet. */
  #chunk: Uint8Array = new Uint8Array()
  #at = KEPT
  #end = KEPT
  /** Of the output. */
  #filled = 0
  /** The member before was little. */
  #little = true

  constructor(source: AsyncIterator<Uint8Array>, inflater: Inflater, lend: boolean) {
    this.#source = source
    this.#lend = lend
    this.#inflater = inflater
    this.#input = inflater.input
  }

  /** True at the beginning of a member, whose header is read; false at the end of a whole stream. */
  async another(first: boolean): Promise<boolean> {
    if (this.#at >= this.#end && !(await this.#fill())) {
      if (first) throw compressionError('gzip', 'ends early')
      return false
    }
    if (!first && this.#input[this.#at] === 0) {
      await this.#padding()
      return false
    }
    await this.#header(first)
    return true
  }

  /** What comes out of a member, in large pieces; the last one stays for the next member to add to. */
  async *inflate(): AsyncGenerator<Uint8Array> {
    const inflater = this.#inflater
    let length = 0
    let read = 0
    inflater.start()
    for (;;) {
      // A member that was not little before is none now.
      const here = this.#little && read < LITTLE
      const from = this.#at
      const to = here ? Math.min(this.#end, from + LITTLE) : this.#end
      const { at, made, ended } = await this.#guarded(inflater.inflate(from, to, this.#filled, here))
      this.#at = at
      this.#filled += made
      length += made
      read += at - from
      // A decoder that filled its output may have more without more input.
      const full = this.#filled === inflater.output.length
      if (inflater.output.length - this.#filled < ROOM_LEFT) yield this.takeRest()!
      if (ended) break
      if (full) continue
      if (made === 0 && at === from && at < to) throw compressionError('gzip', 'is damaged')
      if (at >= this.#end && !(await this.#fill())) throw compressionError('gzip', 'ends early')
    }
    this.#little = read < LITTLE
    const trailer = await this.#take(8)
    if (trailer.readUInt32LE(0) !== inflater.checksum)
      throw compressionError('gzip', 'is damaged: incorrect data check')
    if (trailer.readUInt32LE(4) !== length % 2 ** 32)
      throw compressionError('gzip', 'is damaged: incorrect length check')
  }

  takeRest(): Uint8Array | undefined {
    const filled = this.#filled
    if (filled === 0) return undefined
    this.#filled = 0
    const output = this.#inflater.takeOutput()
    if (this.#lend && this.#lent.push(output) > 2) this.#inflater.giveBack(this.#lent.shift()!)
    return output.subarray(0, filled)
  }

  async #guarded<T>(result: Promise<T>): Promise<T> {
    try {
      return await result
    } catch (error) {
      throw compressionError('gzip', `is damaged: ${(error as Error).message}`, error)
    }
  }

  async #padding(): Promise<void> {
    do {
      if (this.#input.subarray(this.#at, this.#end).some((byte) => byte !== 0))
        throw compressionError('gzip', 'has trailing data after its end')
      this.#at = this.#end
    } while (await this.#fill())
  }

  /** RFC 1952 §2.3. Name, comment and extra field are skipped, whatever their lengths. */
  async #header(first: boolean): Promise<void> {
    const magic = await this.#take(2)
    if (magic.readUInt16LE() !== 0x8b1f)
      throw compressionError('gzip', first ? 'does not begin as one' : 'has trailing data after its end')
    let checksum = crc32(magic)
    const fixed = await this.#take(8)
    const [method, flags] = [fixed[0]!, fixed[1]!]
    if (method !== 8) throw compressionError('gzip', 'is damaged: unknown compression method')
    if (flags & 0xe0) throw compressionError('gzip', 'is damaged: unknown header flags set')
    checksum = crc32(fixed, checksum)
    const next = async () => {
      const byte = await this.#take(1)
      checksum = crc32(byte, checksum)
      return byte[0]!
    }
    if (flags & FEXTRA) for (let left = (await next()) | ((await next()) << 8); left > 0; left--) await next()
    for (const text of [FNAME, FCOMMENT]) if (flags & text) while ((await next()) !== 0);
    if (flags & FHCRC && (await this.#take(2)).readUInt16LE() !== (checksum & 0xffff))
      throw compressionError('gzip', 'is damaged: header crc mismatch')
  }

  /** The next bytes of the stream, valid until more are asked for. */
  async #take(count: number): Promise<Buffer> {
    if (this.#at + count <= this.#end) {
      this.#at += count
      return Buffer.from(this.#input.buffer, this.#input.byteOffset + this.#at - count, count)
    }
    const bytes = Buffer.alloc(count)
    for (let index = 0; index < count; index++) {
      if (this.#at >= this.#end && !(await this.#fill())) throw compressionError('gzip', 'ends early')
      bytes[index] = this.#input[this.#at++]!
    }
    return bytes
  }

  /** Called when all input is used. False at the end of the source. */
  async #fill(): Promise<boolean> {
    while (this.#chunk.length === 0) {
      const { done, value } = await this.#source.next()
      if (done) return false
      this.#chunk = value
    }
    const input = this.#input
    input.copyWithin(0, this.#end - KEPT, this.#end)
    const piece = this.#chunk.subarray(0, input.length - KEPT)
    input.set(piece, KEPT)
    this.#chunk = this.#chunk.subarray(piece.length)
    this.#at = KEPT
    this.#end = KEPT + piece.length
    return true
  }
}

const FHCRC = 2
const FEXTRA = 4
const FNAME = 8
const FCOMMENT = 16
