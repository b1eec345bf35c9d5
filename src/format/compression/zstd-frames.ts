import { compressionError } from './compression-error.ts'

const MAGIC = 0xfd2fb528
const MAGIC_BYTES = Buffer.from([0x28, 0xb5, 0x2f, 0xfd])
const SKIPPABLE = 0x184d2a50
/** zstd's own default limit, 128 MiB: what a decoder must be ready to hold in memory (T23). */
export const WINDOW_LOG_MAX = 27

type State = 'magic' | 'skip size' | 'header' | 'block' | 'content' | 'skip'

/**
 * Walks over the frames of a zstd stream without decompressing (RFC 8878 §3.1) and cuts it at the ends of frames, since
 * Node's decoder takes a frame's end inside a chunk for the end of the stream and drops the rest (nodejs/node#64741; this
 * class can go when Node decodes concatenated frames). Skippable frames are
 * left out. Throws for windows beyond 2^27 bytes, dictionaries, garbage and, in `end()`, a stream that stops in a frame (T23).
 */
export class ZstdFrames {
  #state: State = 'magic'
  /** Bytes of the header, block header or size that is being read. */
  #head = Buffer.alloc(18)
  #filled = 0
  #remaining = 0
  #lastBlock = false
  #hasChecksum = false
  #frames = 0;

  /** The parts of this chunk to feed, each of at most one frame. */
  *cut(chunk: Uint8Array): Generator<Uint8Array, void, undefined> {
    // First byte of the current frame that was not given yet; -1 outside of frames.
    let from = this.#inFrame() ? 0 : -1
    let at = 0
    while (at < chunk.length) {
      at += this.#take(chunk.subarray(at))
      if (from < 0 && this.#inFrame()) {
        // The magic number is complete. When it began in an earlier chunk it is given again from here.
        from = at - 4
        if (from < 0) {
          yield MAGIC_BYTES
          from = at
        }
      } else if (from >= 0 && !this.#inFrame()) {
        yield chunk.subarray(from, at)
        from = -1
      }
    }
    if (from >= 0 && at > from) yield chunk.subarray(from, at)
  }

  end(): void {
    if (this.#state !== 'magic' || this.#filled > 0)
      throw compressionError('zstd', 'ends early, in the middle of a frame')
    if (this.#frames === 0) throw compressionError('zstd', 'is empty')
  }

  #inFrame(): boolean {
    return this.#state === 'header' || this.#state === 'block' || this.#state === 'content'
  }

  /** Takes one part of the stream, or as much of it as there is; answers how many bytes that was. */
  #take(bytes: Uint8Array): number {
    let count: number
    if (this.#state === 'content' || this.#state === 'skip') {
      count = Math.min(this.#remaining, bytes.length)
      this.#remaining -= count
    } else {
      count = Math.min(this.#wanted() - this.#filled, bytes.length)
      this.#head.set(bytes.subarray(0, count), this.#filled)
      this.#filled += count
      // The first byte of a frame header determines its length.
      if (this.#filled < this.#wanted()) return count
      this.#use()
    }
    if (this.#remaining === 0 && this.#state === 'skip') this.#state = 'magic'
    if (this.#remaining === 0 && this.#state === 'content') this.#state = this.#lastBlock ? 'magic' : 'block'
    return count
  }

  #wanted(): number {
    if (this.#state === 'block') return 3
    if (this.#state !== 'header') return 4
    return this.#filled < 1 ? 1 : headerLength(this.#head[0]!)
  }

  #use(): void {
    const head = this.#head
    this.#filled = 0
    if (this.#state === 'magic') this.#useMagic(head.readUInt32LE(0))
    else if (this.#state === 'skip size') {
      this.#remaining = head.readUInt32LE(0)
      this.#state = 'skip'
    } else if (this.#state === 'header') this.#useHeader(head)
    else this.#useBlock(head.readUIntLE(0, 3))
  }

  #useMagic(magic: number): void {
    if (magic === MAGIC) {
      this.#state = 'header'
      this.#frames++
    } else if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE) this.#state = 'skip size'
    else
      throw compressionError('zstd', this.#frames === 0 ? 'does not begin as one' : 'has trailing data after its end')
  }

  #useHeader(head: Buffer): void {
    const descriptor = head[0]!
    if (descriptor & 0x08) throw compressionError('zstd', 'uses a reserved bit')
    const single = (descriptor & 0x20) !== 0
    const idLength = [0, 1, 2, 4][descriptor & 3]!
    const idAt = single ? 1 : 2
    if (idLength > 0 && head.readUIntLE(idAt, idLength) !== 0) throw compressionError('zstd', 'needs a dictionary')
    if (windowOf(head, single, idAt + idLength) > 2 ** WINDOW_LOG_MAX)
      throw compressionError('zstd', `asks for a window of more than ${2 ** (WINDOW_LOG_MAX - 20)} MiB`)
    this.#hasChecksum = (descriptor & 0x04) !== 0
    this.#state = 'block'
  }

  #useBlock(header: number): void {
    this.#lastBlock = (header & 1) === 1
    const type = (header >> 1) & 3
    if (type === 3) throw compressionError('zstd', 'has a block of a reserved type')
    this.#remaining = (type === 1 ? 1 : header >> 3) + (this.#lastBlock && this.#hasChecksum ? 4 : 0)
    this.#state = 'content'
  }
}

/** Bytes from the descriptor on. */
function headerLength(descriptor: number): number {
  const single = (descriptor & 0x20) !== 0
  return 1 + (single ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]! + sizeLength(descriptor)
}

function sizeLength(descriptor: number): number {
  const flag = descriptor >> 6
  return flag === 0 ? (descriptor & 0x20 ? 1 : 0) : 2 ** flag
}

function windowOf(head: Buffer, single: boolean, sizeAt: number): number {
  if (!single) {
    const base = 2 ** (10 + (head[1]! >> 3))
    return base + (base / 8) * (head[1]! & 7)
  }
  const length = sizeLength(head[0]!)
  if (length === 8) return head.readUInt32LE(sizeAt) + head.readUInt32LE(sizeAt + 4) * 2 ** 32
  return head.readUIntLE(sizeAt, length) + (length === 2 ? 256 : 0)
}
