import { asDisposable, type FileBytes, PIECE_SIZE, type Piece, TarPieces } from './tar-pieces.ts'
import type { NewTarEntry } from './writer.ts'

/** An entry to be packed: its header and, of a file that is not empty, exactly `entry.size` bytes. */
export interface ReadyEntry {
  entry: NewTarEntry
  data?: Uint8Array | FileBytes
}

/** `reuse`: a piece is valid until the next but one is asked for. Else it is the receiver's to keep. */
export interface PackAtOnceOptions {
  reuse?: boolean
}

/**
 * A whole tar, the same as `packTar` makes of the same entries, in pieces of 1 MiB. The bytes of a file are read straight into
 * them.
 */
export function* packTarAtOnce(
  entries: Iterable<ReadyEntry>,
  { reuse = false }: PackAtOnceOptions = {},
): Generator<Piece, void, undefined> {
  const pieces = new TarPieces(reuse ? twoInTurn() : undefined)
  for (const { entry, data } of entries) {
    using _ = asDisposable(data)
    yield* pieces.entry(entry, data)
  }
  yield* pieces.end()
}

function twoInTurn(): () => ArrayBuffer {
  const memory = [new ArrayBuffer(PIECE_SIZE), new ArrayBuffer(PIECE_SIZE)] as const
  let turn: 0 | 1 = 0
  return () => {
    turn = turn === 0 ? 1 : 0
    return memory[turn]
  }
}
