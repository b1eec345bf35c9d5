import { type NewTarEntry, storedSize, tarHeader, tarPadding, tarTrailer } from './writer.ts'

/** A file's bytes by calls that wait for nothing but the disk. Disposed of once the entry is packed. */
export interface FileBytes extends Partial<Disposable> {
  /**
   * Fills `length` bytes of `target` from `at` on with those of the file at `offset`. Called from front to back, once for each
   * byte; of an empty file once with a length of 0. May spoil what is behind them in `target`.
   */
  readInto(target: Uint8Array, at: number, length: number, offset: number): void
}

/** The size of the pieces. The calls around a piece (a message, a write) cost as much as some hundred KiB of data. */
export const PIECE_SIZE = 1024 * 1024

export type Piece = Uint8Array<ArrayBuffer>

/** Builds a tar in pieces of 1 MiB. Each generator yields the pieces that it has filled. */
export class TarPieces {
  readonly #take: () => ArrayBuffer
  #piece: Buffer<ArrayBuffer>
  #filled = 0

  /** `take` supplies the memory of a piece, with any content; new memory by default. Only then may the receiver keep pieces. */
  constructor(take: () => ArrayBuffer = () => Buffer.allocUnsafeSlow(PIECE_SIZE).buffer) {
    this.#take = take
    this.#piece = Buffer.from(take())
  }

  /** All of an entry that is at hand. */
  *entry(entry: NewTarEntry, data?: Uint8Array | FileBytes): Generator<Piece> {
    yield* this.header(entry)
    if (data instanceof Uint8Array) yield* this.bytes(data)
    else if (data) yield* this.file(entry, data)
    yield* this.padding(entry)
  }

  *header(entry: NewTarEntry): Generator<Piece> {
    const header = tarHeader(entry)
    if (!this.#fits(header)) yield* this.bytes(header)
  }

  *padding(entry: NewTarEntry): Generator<Piece> {
    const padding = tarPadding(storedSize(entry))
    if (!this.#fits(padding)) yield* this.bytes(padding)
  }

  *bytes(bytes: Uint8Array): Generator<Piece> {
    yield* this.#put(bytes.length, (target, at, length, done) => target.set(bytes.subarray(done, done + length), at))
  }

  /** A file's bytes are read straight into the pieces. */
  *file({ size = 0, sparse }: NewTarEntry, file: FileBytes): Generator<Piece> {
    // Most files fit into the piece: then nothing is made for them.
    if (!sparse && size < PIECE_SIZE - this.#filled) {
      file.readInto(this.#piece, this.#filled, size, 0)
      this.#filled += size
      return
    }
    for (const { offset, length } of sparse ?? [{ offset: 0, length: size }])
      yield* this.#put(length, (target, at, part, done) => file.readInto(target, at, part, offset + done))
  }

  /** The end of the tar. */
  *end(): Generator<Piece> {
    yield* this.bytes(tarTrailer())
    if (this.#filled > 0) yield this.#piece.subarray(0, this.#filled)
  }

  /** Calls `fill` for as much as fits, and gives what is full away. */
  *#put(length: number, fill: (target: Buffer, at: number, length: number, done: number) => void): Generator<Piece> {
    for (let done = 0; done < length; ) {
      const part = Math.min(length - done, PIECE_SIZE - this.#filled)
      fill(this.#piece, this.#filled, part, done)
      done += part
      this.#filled += part
      if (this.#filled < PIECE_SIZE) continue
      yield this.#piece
      this.#piece = Buffer.from(this.#take())
      this.#filled = 0
    }
  }

  #fits(bytes: Uint8Array): boolean {
    if (bytes.length >= PIECE_SIZE - this.#filled) return false
    this.#piece.set(bytes, this.#filled)
    this.#filled += bytes.length
    return true
  }
}

/** For `using`: data need not have anything to dispose of. */
export function asDisposable(data: object | undefined): Disposable | undefined {
  return data && Symbol.dispose in data && data[Symbol.dispose] ? (data as Disposable) : undefined
}
