import { type PackedEntry, wrongSize } from './pack.ts'
import { asDisposable, type FileBytes, type Piece, TarPieces } from './tar-pieces.ts'
import { type NewTarEntry, storedSize } from './writer.ts'

/** An entry to be packed as `PackedEntry` says, or with a file that is opened when its turn comes. */
export interface PieceEntry {
  entry: NewTarEntry
  data?: PackedEntry['data'] | (() => FileBytes | Streamed | Promise<Streamed>)
}

type Streamed = (AsyncIterable<Uint8Array> | Iterable<Uint8Array>) & Partial<Disposable>
type EntryGroup = Iterable<PieceEntry> | AsyncIterable<PieceEntry>

/**
 * A whole tar, the same as `packTar` makes of the same entries, in pieces of 1 MiB. Entries come in groups, so that no promise
 * is made for those whose bytes are at hand. `take` supplies the memory of a piece, which may be that of an earlier one; by
 * default it is new, and the receiver may keep each piece. Throws SIZE_MISMATCH if data is shorter or longer than its entry says.
 */
export async function* packTarInPieces(
  groups: AsyncIterable<EntryGroup> | Iterable<EntryGroup>,
  { take }: { take?: () => ArrayBuffer } = {},
): AsyncGenerator<Piece, void, undefined> {
  const pieces = new TarPieces(take)
  for await (const group of groups) {
    if (Symbol.asyncIterator in group) for await (const packed of group) yield* packOne(pieces, packed)
    else
      for (const { entry, data } of group) {
        const opened = typeof data === 'function' ? data() : data
        if (!isAtHand(opened)) yield* packStream(pieces, entry, await opened)
        // Not `yield*`, which waits for a promise even when nothing became full.
        else for (const piece of packNow(pieces, entry, opened)) yield piece
      }
  }
  yield* pieces.end()
}

async function* packOne(pieces: TarPieces, { entry, data }: PieceEntry): AsyncGenerator<Piece> {
  const opened = typeof data === 'function' ? data() : data
  if (isAtHand(opened)) yield* packNow(pieces, entry, opened)
  else yield* packStream(pieces, entry, await opened)
}

type AtHand = Uint8Array | FileBytes | undefined

function isAtHand(data: AtHand | Streamed | Promise<Streamed>): data is AtHand {
  return data === undefined || data instanceof Uint8Array || 'readInto' in data
}

function* packNow(pieces: TarPieces, entry: NewTarEntry, data: AtHand): Generator<Piece> {
  using _ = asDisposable(data)
  const size = storedSize(entry)
  if (data === undefined && size > 0) throw wrongSize(entry, 0, size)
  if (data instanceof Uint8Array && data.length !== size) throw wrongSize(entry, data.length, size)
  yield* pieces.entry(entry, data)
}

async function* packStream(pieces: TarPieces, entry: NewTarEntry, data: Streamed): AsyncGenerator<Piece> {
  using _ = asDisposable(data)
  yield* pieces.header(entry)
  const size = storedSize(entry)
  let seen = 0
  for await (const chunk of data) {
    seen += chunk.length
    if (seen > size) break
    yield* pieces.bytes(chunk)
  }
  if (seen !== size) throw wrongSize(entry, seen, size)
  yield* pieces.padding(entry)
}
