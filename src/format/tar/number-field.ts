import { tarError } from './tar-error.ts'

/**
 * A numeric header field: octal digits with spaces or NULs around them, or GNU's base-256 when the top bit of the first
 * byte is set (two's complement, big endian). Throws for anything else, and for values a double cannot hold exactly (T17).
 */
export function readNumber(block: Uint8Array, offset: number, length: number, field: string, entry?: string): number {
  const first = block[offset]!
  if (first & 0x80) return readBase256(block, offset, length, field, entry)
  const end = offset + length
  let position = offset
  while (position < end && (block[position] === 0x20 || block[position] === 0)) position++
  let value = 0
  for (; position < end; position++) {
    const digit = block[position]! - 0x30
    if (digit < 0 || digit > 7) break
    value = value * 8 + digit
  }
  for (; position < end; position++) {
    const rest = block[position]!
    if (rest === 0) break
    if (rest !== 0x20) throw tarError(`the ${field} field is not an octal number`, entry)
  }
  return value
}

function readBase256(block: Uint8Array, offset: number, length: number, field: string, entry?: string): number {
  const first = block[offset]!
  const negative = (first & 0x40) !== 0
  // Bits below the marker bit; for a negative number the complement is summed and turned round at the end.
  let value = negative ? ~first & 0x3f : first & 0x3f
  for (let index = 1; index < length; index++) {
    const byte = block[offset + index]!
    value = value * 256 + (negative ? ~byte & 0xff : byte)
    if (value > Number.MAX_SAFE_INTEGER) throw tarError(`the ${field} field contains a number beyond 2^53`, entry)
  }
  return negative ? -value - 1 : value
}
