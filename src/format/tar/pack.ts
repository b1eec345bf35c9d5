import { BaleError } from '#base'
import { quoted } from './tar-error.ts'
import { type NewTarEntry, storedSize, tarHeader, tarPadding, tarTrailer } from './writer.ts'

/** An entry to be packed: its header, and its bytes where it has any. */
export interface PackedEntry {
  entry: NewTarEntry
  /**
   * Exactly `entry.size` bytes (of a sparse file those of its extents), for files only. Opened when its turn comes when it is
   * a function; of what is iterable at once, pieces of less than 64 KiB are copied before anything else happens. What is disposable is disposed of once the entry is packed, also when nothing asked for its bytes.
   */
  data?: Uint8Array | TarData | (() => TarData | Promise<TarData>)
}
type TarData = (AsyncIterable<Uint8Array> | Iterable<Uint8Array>) & Partial<Disposable>

/** A tree of small files is not a stream of 512-byte chunks. */
const BATCH = 64 * 1024

/**
 * A whole tar as a stream; its bytes depend on the entries only. Throws SIZE_MISMATCH if data is shorter or longer than
 * its entry says; the tar is then truncated.
 */
export async function* packTar(
  entries: AsyncIterable<PackedEntry> | Iterable<PackedEntry>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const batch = new Batch()
  // Without a promise for each entry and piece where that can be.
  let full: readonly Uint8Array[]
  for await (const packed of entries) {
    try {
      const { entry } = packed
      full = batch.add(tarHeader(entry))
      if (full !== NOTHING) yield* full
      const opening = opened(packed.data)
      const data = opening instanceof Promise ? await opening : opening
      const size = storedSize(entry)
      let seen = 0
      if (Symbol.asyncIterator in data) {
        for await (const chunk of data) {
          seen += chunk.length
          if (seen > size) break
          yield* batch.add(chunk)
        }
      } else {
        for (const chunk of data) {
          seen += chunk.length
          if (seen > size) break
          full = batch.add(chunk)
          if (full !== NOTHING) yield* full
        }
      }
      if (seen !== size) throw wrongSize(entry, seen, size)
      full = batch.add(tarPadding(size))
      if (full !== NOTHING) yield* full
    } finally {
      if (typeof packed.data === 'object' && Symbol.dispose in packed.data) packed.data[Symbol.dispose]?.()
    }
  }
  yield* batch.add(tarTrailer())
  yield* batch.rest()
}

function opened(data: PackedEntry['data']): TarData | Promise<TarData> {
  if (data === undefined) return NOTHING
  if (data instanceof Uint8Array) return [data]
  return typeof data === 'function' ? data() : data
}

const NOTHING: readonly Uint8Array[] = []

export function wrongSize({ name }: NewTarEntry, seen: number, size: number): BaleError {
  const found = seen > size ? 'more than ' : `${seen} of `
  return new BaleError('SIZE_MISMATCH', `tar entry ${quoted(name)} has ${found}${size} bytes`)
}

/** Joins pieces into larger ones; what each call answers are those that became full. */
class Batch {
  #buffer = Buffer.allocUnsafeSlow(BATCH)
  #used = 0

  /** A small piece is copied at once, a large one is passed on as it is. */
  add(piece: Uint8Array): readonly Uint8Array[] {
    if (piece.length >= BATCH) return [...this.rest(), piece]
    const full = this.#used + piece.length > BATCH ? this.rest() : NOTHING
    this.#buffer.set(piece, this.#used)
    this.#used += piece.length
    return full
  }

  rest(): Uint8Array[] {
    if (this.#used === 0) return []
    const full = this.#buffer.subarray(0, this.#used)
    this.#buffer = Buffer.allocUnsafeSlow(BATCH)
    this.#used = 0
    return [full]
  }
}
