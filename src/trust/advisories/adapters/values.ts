import { BaleError, printable } from '#base'
import { parseStrictJson } from '#spec'
import { checkJsonShape } from '#trust/json-shape'

/** Nesting of arrays and objects in a document of a source. */
const DEEPEST = 64

/** A JSON document of a source. Throws INVALID_ARCHIVE, LIMIT_EXCEEDED. */
export function parseSource(bytes: Uint8Array, what: string): unknown {
  const options = { depth: DEEPEST, what, code: 'INVALID_ARCHIVE' } as const
  checkJsonShape(bytes, options)
  return parseStrictJson(bytes, { ...options, limit: bytes.length })
}

/** An object of a document, whose members can be of any type. */
export type Members = Readonly<Record<string, unknown>>

/** The error for a record that is not as its format says. */
export function malformed(what: string, reason: string): BaleError {
  return new BaleError('INVALID_ARCHIVE', `${printable(what, 120)} ${reason}`)
}

export function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A member by any name: never one that every object inherits. */
export function memberOf(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
}

/** Text of at most so many characters and without control characters; undefined for anything else. */
export function textOf(value: unknown, limit = TEXT_LIMIT): string | undefined {
  if (typeof value !== 'string' || value === '' || value.length > limit) return undefined
  return CONTROL.test(value) ? undefined : value
}

/** Names, versions and ids: the longest real ones have a third of it. */
const TEXT_LIMIT = 500
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/

/** As `textOf`, and thrown when it is not there: `what` is the record, `name` the member. */
export function requiredText(value: unknown, what: string, name: string): string {
  const text = textOf(value)
  if (text === undefined) throw malformed(what, `has no ${name}, or one that cannot be used`)
  return text
}

/** The array; an empty one when there is none. Thrown for anything else, and for one that is too long. */
export function listOf(value: unknown, what: string, limit: number): readonly unknown[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw malformed(what, 'is not a list')
  if (value.length > limit) throw new BaleError('LIMIT_EXCEEDED', `${what} has more than ${limit} entries`)
  return value
}

/** Texts of a list; others in it are left out. */
export function textsOf(value: unknown, what: string, limit: number): string[] {
  return listOf(value, what, limit).flatMap((item) => textOf(item) ?? [])
}

/** The first sentence or line that says what it is about, of at most 240 characters. */
export function summaryOf(...texts: readonly unknown[]): string | undefined {
  const text = texts.find((one): one is string => typeof one === 'string' && one.trim() !== '') ?? ''
  const [line = ''] = text.trimStart().slice(0, LINE_LIMIT).split('\n', 1)
  const short = line.length > SUMMARY_LIMIT ? `${line.slice(0, SUMMARY_LIMIT - 1).trimEnd()}…` : line.trimEnd()
  return short === '' ? undefined : printable(short.toWellFormed())
}

const LINE_LIMIT = 4096
const SUMMARY_LIMIT = 240

/** A time as RFC 3339 in UTC with seconds; undefined for what is no time, and for the year 1, which some tools write for none. */
export function timeOf(value: unknown): string | undefined {
  const text = textOf(value, 40)
  const time = text === undefined || !/^(?:19|2\d)\d\d-\d\d-\d\d/.test(text) ? Number.NaN : Date.parse(text)
  return Number.isNaN(time) ? undefined : new Date(time).toISOString().replace(/\.\d+Z$/, 'Z')
}
