import { damaged } from './damaged.ts'

/** Bytes of a text or a blob, an integer, or undefined for NULL and for numbers with a fraction. */
export type SqliteValue = Buffer | number | undefined

/** Columns that are looked at; the tables of interest have at most 5. */
const MOST_COLUMNS = 8

/** Bytes of integers by serial type. */
const INTEGER_SIZES = [0, 1, 2, 3, 4, 6, 8]
const FLOAT = 7
const ZERO = 8
const ONE = 9

/** The first columns of a record. Throws when it is damaged. Source: sqlite.org, "Database File Format", 2.1. */
export function readRecord(record: Buffer): readonly SqliteValue[] {
  const [headSize, first] = readVarint(record, 0)
  if (headSize > record.length) throw damaged(DAMAGED)
  const values: SqliteValue[] = []
  let position = headSize
  for (let at = first; at < headSize && values.length < MOST_COLUMNS; ) {
    const [type, next] = readVarint(record, at)
    const size = sizeOf(type)
    if (position + size > record.length) throw damaged(DAMAGED)
    values.push(valueFor(type, record.subarray(position, position + size)))
    position += size
    at = next
  }
  return values
}

const DAMAGED = 'a row of the rpm database is damaged'

function sizeOf(type: number): number {
  if (type >= 12) return Math.floor((type - 12) / 2)
  if (type === FLOAT) return 8
  return INTEGER_SIZES[type] ?? 0
}

function valueFor(type: number, bytes: Buffer): SqliteValue {
  if (type >= 12) return bytes
  if (type === ZERO || type === ONE) return type - ZERO
  // Page numbers have 32 bits.
  if (type === 0 || type === FLOAT || bytes.length > 6) return undefined
  return bytes.length === 0 ? undefined : bytes.readIntBE(0, bytes.length)
}

/** An integer of one to nine bytes, and the position after it. Larger ones than JavaScript has are damage here. */
export function readVarint(bytes: Buffer, position: number): [value: number, next: number] {
  let value = 0
  for (let at = position; at < position + 8; at++) {
    const byte = bytes[at]
    if (byte === undefined) throw damaged(DAMAGED)
    value = value * 128 + (byte & 0x7f)
    if (byte < 0x80) return [value, at + 1]
  }
  const last = bytes[position + 8]
  if (last === undefined) throw damaged(DAMAGED)
  return [value * 256 + last, position + 9]
}
