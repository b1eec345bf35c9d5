import { asDisposable, type FileBytes, type Piece, TarPieces } from './tar-pieces.ts'
import type { NewTarEntry } from './writer.ts'

/** An entry to be packed: its header and, of a file that is not empty, exactly `entry.size` bytes. */
export interface ReadyEntry {
  entry: NewTarEntry
  data?: Uint8Array | FileBytes
}

/**
 * A whole tar, the same as `packTar` makes of the same entries, in pieces of 1 MiB that are the receiver's to keep. The bytes of a
 * file are read straight into them.
 */
export function* packTarAtOnce(entries: Iterable<ReadyEntry>): Generator<Piece, void, undefined> {
  const pieces = new TarPieces()
  for (const { entry, data } of entries) {
    using _ = asDisposable(data)
    yield* pieces.entry(entry, data)
  }
  yield* pieces.end()
}
