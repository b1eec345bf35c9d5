import { BaleError } from '#base'
import { quoted } from './tar-error.ts'
import { type NewTarEntry, storedSize, tarHeader, tarPadding, tarTrailer } from './writer.ts'

/** An entry to be packed: its header, and its bytes where it has any. */
export interface PackedEntry {
  entry: NewTarEntry
  /**
   * Exactly `entry.size` bytes (of a sparse file those of its extents), for files only. Opened when its turn comes when it is
   * a function. What is disposable is disposed of once the entry is packed, also when nothing asked for its bytes.
   */
  data?: Uint8Array | TarData | (() => TarData | Promise<TarData>)
}
type TarData = (AsyncIterable<Uint8Array> | Iterable<Uint8Array>) & Partial<Disposable>

/** Small pieces are joined up to this size, so that a tree of small files is not a stream of 512-byte chunks. */
const BATCH = 64 * 1024

/**
 * A whole tar as a stream; its bytes depend on the entries only. Throws SIZE_MISMATCH if data is shorter or longer than
 * its entry says; the tar is then truncated.
 */
export async function* packTar(
  entries: AsyncIterable<PackedEntry> | Iterable<PackedEntry>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield* batched(pieces(entries))
}

async function* pieces(entries: AsyncIterable<PackedEntry> | Iterable<PackedEntry>): AsyncGenerator<Uint8Array> {
  for await (const packed of entries) {
    try {
      yield* piecesOf(packed)
    } finally {
      if (typeof packed.data === 'object' && Symbol.dispose in packed.data) packed.data[Symbol.dispose]?.()
    }
  }
  yield tarTrailer()
}

async function* piecesOf({ entry, data }: PackedEntry): AsyncGenerator<Uint8Array> {
  yield tarHeader(entry)
  const size = storedSize(entry)
  let seen = 0
  for await (const chunk of await opened(data)) {
    seen += chunk.length
    if (seen > size) break
    yield chunk
  }
  if (seen !== size)
    throw new BaleError(
      'SIZE_MISMATCH',
      `tar entry ${quoted(entry.name)} has ${seen > size ? 'more than ' : `${seen} of `}${size} bytes`,
    )
  yield tarPadding(size)
}

async function opened(data: PackedEntry['data']): Promise<TarData> {
  if (data === undefined) return []
  if (data instanceof Uint8Array) return [data]
  return typeof data === 'function' ? await data() : data
}

async function* batched(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let batch = Buffer.allocUnsafe(BATCH)
  let filled = 0
  for await (const piece of stream) {
    if (filled + piece.length > BATCH && filled > 0) {
      yield batch.subarray(0, filled)
      batch = Buffer.allocUnsafe(BATCH)
      filled = 0
    }
    if (piece.length >= BATCH) yield piece
    else {
      batch.set(piece, filled)
      filled += piece.length
    }
  }
  if (filled > 0) yield batch.subarray(0, filled)
}
