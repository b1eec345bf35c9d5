import { readNumber } from './number-field.ts'
import { tarError } from './tar-error.ts'

export interface SparseSegment {
  offset: number
  length: number
}

/**
 * Reads `count` descriptors (12 bytes offset, 12 bytes length) of an old GNU sparse header (4 at byte 386) or of a
 * continuation block (21 at byte 0). An unused descriptor ends the list.
 */
export function readOldSparse(
  block: Buffer,
  offset: number,
  count: number,
  into: SparseSegment[],
  where: string,
): void {
  for (let index = 0; index < count; index++) {
    const at = offset + index * 24
    if (block[at] === 0 || block[at + 12] === 0) return
    into.push({
      offset: readNumber(block, at, 12, 'sparse offset', where),
      length: readNumber(block, at + 12, 12, 'sparse length', where),
    })
  }
}

/** Pairs of a flat number list `offset, length, …` (GNU.sparse.map of 0.1, the map of 1.0). */
export function pairs(numbers: readonly number[], where: string): SparseSegment[] {
  if (numbers.length % 2 !== 0) throw tarError('the sparse map has an odd number of values', where)
  return Array.from({ length: numbers.length / 2 }, (_, index) => ({
    offset: numbers[2 * index]!,
    length: numbers[2 * index + 1]!,
  }))
}

/**
 * Segments must ascend without overlap and be within the file, and their lengths must add up to the data in the tar: the
 * data is stored there without gaps (as Go and docker read it; GNU tar writes only lengths for which it agrees).
 */
export function checkSparse(segments: readonly SparseSegment[], size: number, dataSize: number, where: string): void {
  let end = 0
  let sum = 0
  for (const { offset, length } of segments) {
    if (offset < end || offset < 0 || length < 0 || !(offset + length <= size))
      throw tarError('the sparse map is out of order or extends beyond the file', where)
    end = offset + length
    sum += length
  }
  if (sum !== dataSize) throw tarError('the sparse map does not fit the data in the archive', where)
}

/**
 * Reader of a GNU sparse 1.0 map, which precedes the data: decimal numbers, each followed by a newline (count,
 * then offset and length of each segment), NULs up to the next block border. Fed byte by byte, since it may be long.
 */
export class SparseMapReader {
  #numbers: number[] = []
  #current = -1
  #wanted = 1
  readonly #where: string
  readonly #limit: number
  /** Bytes taken, padding not counted. */
  taken = 0

  constructor(limit: number, where: string) {
    this.#limit = limit
    this.#where = where
  }

  /** Takes bytes from `start` on; answers where it stopped. */
  push(bytes: Uint8Array, start: number, end: number): number {
    let position = start
    while (position < end && !this.done) this.#take(bytes[position++]!)
    this.taken += position - start
    return position
  }

  get done(): boolean {
    return this.#numbers.length === this.#wanted
  }

  segments(): SparseSegment[] {
    return pairs(this.#numbers.slice(1), this.#where)
  }

  #take(byte: number): void {
    const digit = byte - 0x30
    if (digit >= 0 && digit <= 9) {
      this.#current = (this.#current < 0 ? 0 : this.#current) * 10 + digit
      if (this.#current <= Number.MAX_SAFE_INTEGER) return
    } else if (byte === 0x0a && this.#current >= 0) {
      this.#numbers.push(this.#current)
      if (this.#numbers.length === 1) this.#start(this.#current)
      this.#current = -1
      return
    }
    throw tarError('the sparse map is not a list of decimal numbers', this.#where)
  }

  #start(count: number): void {
    if (count > this.#limit) throw tarError(`the sparse map has more than ${this.#limit} segments`, this.#where)
    this.#wanted = 1 + 2 * count
  }
}
