import { tarError } from './tar-error.ts'

/** One `length key=value\n` record, in the order of the archive: GNU sparse 0.0 repeats keys. */
export interface PaxRecord {
  /** Latin1. */
  key: string
  value: Buffer
}

/** Source: POSIX pax, "pax Extended Header". `where` names the archive member in errors. */
export function parsePax(body: Buffer, where: string): PaxRecord[] {
  const records: PaxRecord[] = []
  let start = 0
  while (start < body.length) {
    let position = start
    let length = 0
    while (position < body.length && position < start + 8 && body[position] !== 0x20) {
      const digit = body[position++]! - 0x30
      if (digit < 0 || digit > 9) throw tarError('a PAX record does not begin with its length', where)
      length = length * 10 + digit
    }
    const end = start + length
    if (
      body[position] !== 0x20 ||
      position === start ||
      end > body.length ||
      end <= position + 1 ||
      body[end - 1] !== 0x0a
    )
      throw tarError('a PAX record has a wrong length', where)
    const equals = body.indexOf(0x3d, position + 1)
    if (equals < 0 || equals >= end - 1 || equals === position + 1) throw tarError('a PAX record has no key', where)
    const key = body.toString('latin1', position + 1, equals)
    if (key.includes('\0')) throw tarError('a PAX key contains a NUL byte', where)
    records.push({ key, value: body.subarray(equals + 1, end - 1) })
    start = end
  }
  return records
}

/** A whole number of a PAX value: decimal digits, at most 2^53. */
export function paxInteger(value: Buffer, key: string, where: string): number {
  const text = value.toString('latin1', 0, Math.min(value.length, 32))
  const number = Number(text)
  if (!/^[0-9]{1,20}$/.test(text) || !Number.isSafeInteger(number))
    throw tarError(`PAX ${key} is not a number between 0 and 2^53`, where)
  return number
}

/** Seconds with any number of decimals, possibly negative; nanoseconds count upward from the seconds. */
export function paxTime(value: Buffer, key: string, where: string): { seconds: number; nanoseconds: number } {
  const match = /^(-?)([0-9]{1,20})(?:\.([0-9]*))?$/.exec(value.toString('latin1', 0, Math.min(value.length, 64)))
  const whole = Number(match?.[2])
  if (!match || !Number.isSafeInteger(whole)) throw tarError(`PAX ${key} is not a time`, where)
  const fraction = Number((match[3] ?? '').slice(0, 9).padEnd(9, '0'))
  if (match[1] === '') return { seconds: whole, nanoseconds: fraction }
  return fraction === 0
    ? { seconds: -whole || 0, nanoseconds: 0 }
    : { seconds: -whole - 1, nanoseconds: 1e9 - fraction }
}

/** A text of a PAX value, latin1. NUL bytes are refused: other readers cut the text there (T18). */
export function paxText(value: Buffer, key: string, where: string): string {
  if (value.includes(0)) throw tarError(`PAX ${key} contains a NUL byte`, where)
  return value.toString('latin1', 0, value.length)
}

/** A record as written; as text, latin1, where its value is. */
export type PaxText = string | Buffer

/** The length that a record begins with counts itself. */
export function paxRecord(key: string, value: string | Uint8Array): PaxText {
  const length = key.length + value.length + 3
  let digits = 1
  while (String(length + digits).length > digits) digits++
  const head = `${length + digits} ${key}=`
  if (typeof value === 'string') return `${head}${value}\n`
  return Buffer.concat([Buffer.from(head, 'latin1'), value, Buffer.from('\n')])
}
