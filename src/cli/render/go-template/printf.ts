import { table } from '#base'
import { GoDuration, GoFloat, goText, isRecord, sortedKeys, typeName } from './values.ts'

interface Verb {
  letter: string
  minus: boolean
  plus: boolean
  sharp: boolean
  space: boolean
  zero: boolean
  width?: number
  precision?: number
}

/** Most characters that a width or precision may ask for. */
const WIDTH_LIMIT = 10_000

/** fmt.Sprintf for the values of templates: all verbs that make sense for text, numbers and lists, with Go's complaints. */
export function goPrintf(format: string, operands: unknown[]): string {
  let next = 0
  const take = (): { value: unknown } | undefined => (next < operands.length ? { value: operands[next++] } : undefined)
  const pattern = /%([-+# 0]*)(\*|\d+)?(?:\.(\*|\d*))?(.?)/gsu
  const text = format.replace(
    pattern,
    (whole, flags: string, width = '', precision: string | undefined, letter: string) => {
      if (letter === '') return '%!(NOVERB)'
      const number = (given: string) => (given === '*' ? Number(take()?.value ?? 0) : Number(given || 0))
      const verb: Verb = {
        letter,
        minus: flags.includes('-'),
        plus: flags.includes('+'),
        sharp: flags.includes('#'),
        space: flags.includes(' '),
        zero: flags.includes('0'),
        ...(width === '' ? {} : { width: Math.min(Math.abs(number(width)), WIDTH_LIMIT) }),
        ...(precision === undefined ? {} : { precision: Math.min(Math.abs(number(precision)), WIDTH_LIMIT) }),
      }
      if (letter === '%') return '%'
      const operand = take()
      return operand === undefined ? `%!${letter}(MISSING)` : formatOperand(verb, operand.value, whole)
    },
  )
  const extra = operands.slice(next).map((value) => `${typeName(value)}=${goText(value)}`)
  return extra.length === 0 ? text : `${text}%!(EXTRA ${extra.join(', ')})`
}

function formatOperand(verb: Verb, value: unknown, whole: string): string {
  if (verb.letter === 'T') return pad(verb, typeName(value))
  if (verb.letter === 'v') return pad(verb, verb.sharp ? syntaxText(value) : goText(value))
  if (Array.isArray(value)) return `[${value.map((item) => formatOperand(verb, item, whole)).join(' ')}]`
  if (isRecord(value)) {
    const members = sortedKeys(value).map(
      (key) => `${formatOperand(verb, key, whole)}:${formatOperand(verb, value[key], whole)}`,
    )
    return `map[${members.join(' ')}]`
  }
  return formatPlain(verb, value) ?? `%!${verb.letter}(${typeName(value)}=${goText(value)})`
}

function formatPlain(verb: Verb, value: unknown): string | undefined {
  if (typeof value === 'string') return formatString(verb, value)
  if (typeof value === 'boolean') return verb.letter === 't' ? pad(verb, String(value)) : undefined
  if (value instanceof GoFloat) return formatFloat(verb, value.value)
  if (value instanceof GoDuration && verb.letter !== 's') return formatInteger(verb, value.nanoseconds)
  if (typeof value === 'number') return Number.isInteger(value) ? formatInteger(verb, value) : formatFloat(verb, value)
  if (typeof value === 'object' && value !== null && verb.letter === 's') return pad(verb, String(value))
  return undefined
}

function formatString(verb: Verb, value: string): string | undefined {
  const cut = verb.precision === undefined ? value : [...value].slice(0, verb.precision).join('')
  switch (verb.letter) {
    case 's':
      return pad(verb, cut)
    case 'q':
      return pad(verb, verb.sharp && !cut.includes('`') ? `\`${cut}\`` : quoteGo(cut))
    case 'x':
      return pad(verb, hex(cut))
    case 'X':
      return pad(verb, hex(cut).toUpperCase())
    default:
      return undefined
  }
}

const BASES = table<{ base: number; prefix: string }>({
  d: { base: 10, prefix: '' },
  b: { base: 2, prefix: '0b' },
  o: { base: 8, prefix: '0' },
  x: { base: 16, prefix: '0x' },
  X: { base: 16, prefix: '0X' },
})

function formatInteger(verb: Verb, value: number): string | undefined {
  if (verb.letter === 'c') return pad(verb, String.fromCodePoint(Math.max(0, Math.min(value, 0x10ffff))))
  if (verb.letter === 'q') return pad(verb, `'${String.fromCodePoint(Math.max(0, Math.min(value, 0x10ffff)))}'`)
  if (verb.letter === 'U') return pad(verb, `U+${value.toString(16).toUpperCase().padStart(4, '0')}`)
  const base = BASES[verb.letter]
  if (base === undefined) return undefined
  const digits = Math.abs(value)
    .toString(base.base)
    .padStart(verb.precision ?? 0, '0')
  const shown = (verb.sharp ? base.prefix : '') + (verb.letter === 'X' ? digits.toUpperCase() : digits)
  return padNumber(verb, value < 0, shown, verb.precision === undefined)
}

function formatFloat(verb: Verb, value: number): string | undefined {
  const digits = floatDigits(verb, Math.abs(value))
  return digits === undefined ? undefined : padNumber(verb, value < 0, digits, true)
}

function floatDigits({ letter, precision }: Verb, size: number): string | undefined {
  const exponent = (text: string) => text.replace(/e([+-])(\d)$/, 'e$10$2')
  switch (letter) {
    case 'f':
    case 'F':
      return size.toFixed(Math.min(precision ?? 6, 100))
    case 'e':
      return exponent(size.toExponential(Math.min(precision ?? 6, 100)))
    case 'g':
      return precision === undefined
        ? goText(new GoFloat(size))
        : exponent(String(Number(size.toPrecision(Math.max(1, Math.min(precision, 100))))))
    default:
      return undefined
  }
}

function padNumber(verb: Verb, negative: boolean, digits: string, zeros: boolean): string {
  const sign = negative ? '-' : verb.plus ? '+' : verb.space ? ' ' : ''
  const width = (verb.width ?? 0) - sign.length
  if (verb.zero && zeros && !verb.minus) return sign + digits.padStart(width, '0')
  return pad(verb, sign + digits)
}

function pad(verb: Verb, text: string): string {
  const missing = (verb.width ?? 0) - [...text].length
  if (missing <= 0) return text
  return verb.minus ? text + ' '.repeat(missing) : (verb.zero ? '0' : ' ').repeat(missing) + text
}

function hex(text: string): string {
  return [...new TextEncoder().encode(text)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** A string as a Go literal. */
function quoteGo(text: string): string {
  const escapes: Record<string, string> = {
    '"': '\\"',
    '\\': '\\\\',
    '\n': '\\n',
    '\t': '\\t',
    '\r': '\\r',
    '\x07': '\\a',
    '\b': '\\b',
    '\f': '\\f',
    '\v': '\\v',
  }
  const body = text.replace(/["\\\p{Cc}\u200b-\u200f\u2028-\u202e\ufeff]/gu, (character) => {
    const code = character.codePointAt(0)!
    return (
      escapes[character] ??
      (code < 0x80 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`)
    )
  })
  return `"${body}"`
}

function syntaxText(value: unknown): string {
  if (typeof value === 'string') return quoteGo(value)
  if (Array.isArray(value)) return `${typeName(value)}{${value.map(syntaxText).join(', ')}}`
  if (!isRecord(value)) return goText(value)
  return `${typeName(value)}{${sortedKeys(value)
    .map((key) => `${quoteGo(key)}:${syntaxText(value[key])}`)
    .join(', ')}}`
}
