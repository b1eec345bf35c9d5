import { table } from '#base'
import { goPrintf } from './printf.ts'
import {
  GoDuration,
  GoFloat,
  GoNil,
  GoTime,
  goText,
  hasMember,
  isRecord,
  isTrue,
  memberOf,
  NO_VALUE,
  typeName,
} from './values.ts'

/** A failure inside a function; the run adds where it was called. */
export class FunctionFailure extends Error {}

export interface TemplateFunction {
  /** Types of the parameters; the last one repeats when `variadic`. */
  parameters: readonly ParameterType[]
  variadic?: boolean
  call(...values: never[]): unknown
}
export type ParameterType = 'any' | 'string' | 'int' | 'strings'

/** The functions of Go's templates. `and` and `or` stop early, so run.ts has them. Source: text/template, "Functions". */
export const BUILT_IN = table<TemplateFunction>({
  and: {
    parameters: ['any'],
    variadic: true,
    call: (...values: unknown[]) => values.find((value) => !isTrue(value)) ?? values.at(-1),
  },
  or: { parameters: ['any'], variadic: true, call: (...values: unknown[]) => values.find(isTrue) ?? values.at(-1) },
  not: { parameters: ['any'], call: (value: unknown) => !isTrue(value) },
  len: { parameters: ['any'], call: lengthOf },
  index: {
    parameters: ['any'],
    variadic: true,
    call: (first: unknown, ...keys: unknown[]) => keys.reduce(indexInto, first),
  },
  slice: { parameters: ['any'], variadic: true, call: sliceOf },
  call: {
    parameters: ['any'],
    variadic: true,
    call: (value: unknown) => {
      throw new FunctionFailure(`non-function of type ${typeName(value)}`)
    },
  },
  print: { parameters: ['any'], variadic: true, call: print },
  println: { parameters: ['any'], variadic: true, call: (...values: unknown[]) => `${values.map(goText).join(' ')}\n` },
  printf: {
    parameters: ['string', 'any'],
    variadic: true,
    call: (format: string, ...values: unknown[]) => goPrintf(format, values),
  },
  html: { parameters: ['any'], variadic: true, call: (...values: unknown[]) => escapeHtml(print(...values)) },
  js: { parameters: ['any'], variadic: true, call: (...values: unknown[]) => escapeScript(print(...values)) },
  urlquery: {
    parameters: ['any'],
    variadic: true,
    call: (...values: unknown[]) =>
      encodeURIComponent(print(...values))
        .replace(/%20/g, '+')
        .replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`),
  },
  eq: {
    parameters: ['any', 'any'],
    variadic: true,
    call: (first: unknown, ...others: unknown[]) => equalsOne(first, others),
  },
  ne: { parameters: ['any', 'any'], call: (left: unknown, right: unknown) => !equalsOne(left, [right]) },
  lt: { parameters: ['any', 'any'], call: isLess },
  le: {
    parameters: ['any', 'any'],
    call: (left: unknown, right: unknown) => isLess(left, right) || equalsOne(left, [right]),
  },
  gt: {
    parameters: ['any', 'any'],
    call: (left: unknown, right: unknown) => !isLess(left, right) && !equalsOne(left, [right]),
  },
  ge: { parameters: ['any', 'any'], call: (left: unknown, right: unknown) => !isLess(left, right) },
})

/** Spaces only between two operands that are no strings, as fmt.Sprint. */
function print(...values: unknown[]): string {
  return values.reduce<string>((text, value, index) => {
    const apart = index > 0 && typeof value !== 'string' && typeof values[index - 1] !== 'string'
    return `${text}${apart ? ' ' : ''}${goText(value)}`
  }, '')
}

function lengthOf(value: unknown): number {
  if (typeof value === 'string') return new TextEncoder().encode(value).length
  if (Array.isArray(value)) return value.length
  if (value instanceof GoNil) return 0
  if (isRecord(value)) return Object.keys(value).length
  if (value === NO_VALUE || value === null || value === undefined) throw new FunctionFailure('len of nil pointer')
  throw new FunctionFailure(`len of type ${typeName(value)}`)
}

function indexInto(value: unknown, key: unknown): unknown {
  if (value instanceof GoNil) return value.of === 'map' ? '' : outOfRange(key)
  if (value === NO_VALUE || value === null || value === undefined) throw new FunctionFailure('index of untyped nil')
  if (isRecord(value)) {
    if (typeof key !== 'string') throw new FunctionFailure(`value has type ${typeName(key)}; should be string`)
    return hasMember(value, key) ? memberOf(value, key) : zeroLike(Object.values(value)[0])
  }
  if (!Array.isArray(value) && typeof value !== 'string') {
    throw new FunctionFailure(`can't index item of type ${typeName(value)}`)
  }
  if (typeof key !== 'number') throw new FunctionFailure(`cannot index slice/array with type ${typeName(key)}`)
  if (typeof value === 'string') return new TextEncoder().encode(value)[key] ?? outOfRange(key)
  return key >= 0 && key < value.length ? value[key] : outOfRange(key)
}

function outOfRange(key: unknown): never {
  throw new FunctionFailure(`index out of range: ${goText(key)}`)
}

/** A missing key of a Go map gives the zero value of the map's type, which its other values show. */
function zeroLike(example: unknown): unknown {
  if (Array.isArray(example)) return new GoNil('slice')
  if (isRecord(example)) return NO_VALUE
  if (typeof example === 'number') return 0
  if (typeof example === 'boolean') return false
  return ''
}

function sliceOf(value: unknown, ...bounds: unknown[]): unknown {
  if (typeof value !== 'string' && !Array.isArray(value))
    throw new FunctionFailure(`can't slice item of type ${typeName(value)}`)
  const length = lengthOf(value)
  const [from = 0, to = length] = bounds
  for (const bound of [from, to]) {
    if (typeof bound !== 'number') throw new FunctionFailure(`cannot index slice/array with type ${typeName(bound)}`)
    if (bound < 0 || bound > length) outOfRange(bound)
  }
  if ((from as number) > (to as number)) throw new FunctionFailure(`invalid slice index: ${from} > ${to}`)
  if (Array.isArray(value)) return value.slice(from as number, to as number)
  return Buffer.from(value)
    .subarray(from as number, to as number)
    .toString()
}

type Kind = 'boolean' | 'integer' | 'float' | 'string'

function kindOf(value: unknown): Kind | undefined {
  if (typeof value === 'boolean' || typeof value === 'string') return typeof value as Kind
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'float'
  if (value instanceof GoFloat) return 'float'
  return value instanceof GoDuration ? 'integer' : undefined
}

function plain(value: unknown): string | number | boolean {
  if (value instanceof GoFloat) return value.value
  if (value instanceof GoDuration) return value.nanoseconds
  return value as string | number | boolean
}

function equalsOne(first: unknown, others: unknown[]): boolean {
  if (others.length === 0) throw new FunctionFailure('missing argument for comparison')
  return others.some((other) => isEqual(first, other))
}

function isEqual(left: unknown, right: unknown): boolean {
  const isNil = (value: unknown) => value === null || value === undefined || value === NO_VALUE
  if (isNil(left) || isNil(right)) return isNil(left) && isNil(right)
  if (left instanceof GoTime && right instanceof GoTime) return left.text === right.text
  for (const value of [left, right]) {
    if (kindOf(value) === undefined)
      throw new FunctionFailure(`non-comparable type ${goText(value)}: ${typeName(value)}`)
  }
  if (kindOf(left) !== kindOf(right)) throw new FunctionFailure('incompatible types for comparison')
  return plain(left) === plain(right)
}

function isLess(left: unknown, right: unknown): boolean {
  const kind = kindOf(left)
  if (kind === undefined || kindOf(right) === undefined || kind === 'boolean')
    throw new FunctionFailure('invalid type for comparison')
  if (kind !== kindOf(right)) throw new FunctionFailure('incompatible types for comparison')
  return plain(left) < plain(right)
}

const HTML = table<string>({
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '\0': '\ufffd',
})

function escapeHtml(text: string): string {
  return text.replace(/["'&<>\0]/g, (character) => HTML[character]!)
}

function escapeScript(text: string): string {
  return text.replace(/[\\'"<>&=\u0000-\u001f]/g, (character) => {
    if (character === '\\' || character === "'" || character === '"') return `\\${character}`
    return `\\u${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`
  })
}
