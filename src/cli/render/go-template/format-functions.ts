import { table } from '#base'
import { FunctionFailure, type TemplateFunction } from './functions.ts'
import { GoNil, isMapName, isRecord, sortedKeys } from './values.ts'

/** The functions that docker adds to Go's templates for `--format`. Source: docker/cli's documentation, "Format command output". */
export const DOCKER_FUNCTIONS = table<TemplateFunction>({
  json: { parameters: ['any'], call: (value: unknown) => goJson(value) },
  split: { parameters: ['string', 'string'], call: (text: string, separator: string) => text.split(separator) },
  join: { parameters: ['strings', 'string'], call: (items: string[], separator: string) => items.join(separator) },
  lower: { parameters: ['string'], call: (text: string) => text.toLowerCase() },
  upper: { parameters: ['string'], call: (text: string) => text.toUpperCase() },
  title: {
    parameters: ['string'],
    call: (text: string) => text.replace(/(?<![\p{L}\p{N}_'])\p{L}/gu, (letter) => letter.toUpperCase()),
  },
  pad: { parameters: ['string', 'int', 'int'], call: padText },
  truncate: {
    parameters: ['string', 'int'],
    call: (text: string, length: number) => [...text].slice(0, Math.max(0, length)).join(''),
  },
})

/** The same names over the titles of a table's columns: there they change nothing. */
export const HEADER_FUNCTIONS = table<TemplateFunction>({
  ...DOCKER_FUNCTIONS,
  json: { parameters: ['any'], call: (value: unknown) => value },
  split: { parameters: ['string', 'any'], call: (text: string) => text },
  join: { parameters: ['string', 'any'], call: (text: string) => text },
  lower: { parameters: ['string'], call: (text: string) => text },
  upper: { parameters: ['string'], call: (text: string) => text },
  title: { parameters: ['string'], call: (text: string) => text },
  truncate: { parameters: ['string', 'any'], call: (text: string) => text },
})

const PAD_LIMIT = 10_000

function padText(text: string, before: number, after: number): string {
  if (before < 0 || after < 0 || before > PAD_LIMIT || after > PAD_LIMIT)
    throw new FunctionFailure('strings: negative Repeat count')
  return text === '' ? text : ' '.repeat(before) + text + ' '.repeat(after)
}

/** JSON as Go writes it: maps sorted by key, structs in the order of their members. */
export function goJson(value: unknown, name?: string): string {
  if (value === undefined || value === null || value instanceof GoNil || typeof value === 'symbol') return 'null'
  if (Array.isArray(value)) return `[${value.map((item) => goJson(item)).join(',')}]`
  if (!isRecord(value)) return escapeLines(JSON.stringify(value))
  const keys = name !== undefined && isMapName(name) ? sortedKeys(value) : Object.keys(value)
  const members = keys.filter((key) => value[key] !== undefined)
  return `{${members.map((key) => `${escapeLines(JSON.stringify(key))}:${goJson(value[key], key)}`).join(',')}}`
}

/** Go escapes the two line separators that JavaScript once could not have in strings. */
function escapeLines(json: string): string {
  return json.replace(/[\u2028\u2029]/g, (one) => `\\u${one.charCodeAt(0).toString(16)}`)
}

/** A row of a list is written by a marshaller that also escapes what HTML would take as markup, sorted by key. */
export function rowJson(row: Record<string, unknown>): string {
  const sorted = Object.fromEntries(sortedKeys(row).map((key) => [key, row[key]]))
  return goJson(sorted).replace(/[<>&]/g, (one) => `\\u00${one.charCodeAt(0).toString(16)}`)
}
