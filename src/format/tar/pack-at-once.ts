import { type NewTarEntry, storedSize, tarHeader, tarPadding, tarTrailer } from './writer.ts'

/** A file's bytes by calls that wait for nothing but the disk. Disposed of once the entry is packed. */
export interface FileBytes extends Partial<Disposable> {
  /** Fills `length` bytes of `target` from `at` on with those of the file at `offset`. */
  readInto(target: Uint8Array, at: number, length: number, offset: number): void
}

/** An entry to be packed: its header and, of a file that is not empty, exactly `entry.size` bytes. */
export interface ReadyEntry {
  entry: NewTarEntry
  data?: Uint8Array | FileBytes
}

/** The size of the pieces. The calls around a piece (a message, a write) cost as much as some hundred KiB of data. */
const PIECE = 1024 * 1024

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
): Generator<Uint8Array<ArrayBuffer>, void, undefined> {
  let piece = Buffer.allocUnsafeSlow(PIECE)
  let other: typeof piece | undefined
  let filled = 0

  /** To be filled after the piece that was given away last. */
  function next(): typeof piece {
    if (!reuse) return Buffer.allocUnsafeSlow(PIECE)
    const free = other ?? Buffer.allocUnsafeSlow(PIECE)
    other = piece
    return free
  }

  /** Calls `fill` for as much as fits, and gives what is full away. */
  function* put(
    length: number,
    fill: (target: Buffer, at: number, length: number, done: number) => void,
  ): Generator<Uint8Array<ArrayBuffer>> {
    for (let done = 0; done < length; ) {
      const part = Math.min(length - done, PIECE - filled)
      fill(piece, filled, part, done)
      done += part
      filled += part
      if (filled < PIECE) continue
      yield piece
      piece = next()
      filled = 0
    }
  }

  /** Most entries fit into the piece: then nothing is made for them but their header. */
  function* putBytes(bytes: Uint8Array): Generator<Uint8Array<ArrayBuffer>> {
    yield* put(bytes.length, (target, at, length, done) => target.set(bytes.subarray(done, done + length), at))
  }

  function fits(bytes: Uint8Array): boolean {
    if (bytes.length >= PIECE - filled) return false
    piece.set(bytes, filled)
    filled += bytes.length
    return true
  }

  function* putFile(entry: NewTarEntry, file: FileBytes): Generator<Uint8Array<ArrayBuffer>> {
    const whole = [{ offset: 0, length: entry.size ?? 0 }]
    for (const { offset, length } of entry.sparse ?? whole)
      yield* put(length, (target, at, part, done) => file.readInto(target, at, part, offset + done))
  }

  for (const { entry, data } of entries) {
    using _ = data && !(data instanceof Uint8Array) && data[Symbol.dispose] ? (data as Disposable) : undefined
    const header = tarHeader(entry)
    if (!fits(header)) yield* putBytes(header)
    if (data instanceof Uint8Array) yield* putBytes(data)
    else if (data) yield* putFile(entry, data)
    const padding = tarPadding(storedSize(entry))
    if (!fits(padding)) yield* putBytes(padding)
  }
  yield* putBytes(tarTrailer())
  if (filled > 0) yield piece.subarray(0, filled)
}
