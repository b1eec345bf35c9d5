import * as v from 'valibot'
import { printable } from '#base'
import { parseDuration, parseSize } from '#docker'
import { createAddressList } from '../addresses/index.ts'
import { parseListenAddress } from './listen-address.ts'

/** How a value is written. */
interface Grammar<T> {
  /** `a duration` */
  what: string
  pattern: RegExp
  examples: readonly string[]
  /** What a text that the pattern matches means. Undefined, or an error, when it means nothing. */
  parse(text: string): T | undefined
  /** The text may hold a secret that was put into the wrong place: it is not shown. */
  hidden?: boolean
}

/** A text in a grammar of its own, and what it means. */
function written<T>(description: string, grammar: Grammar<T>) {
  const { what, pattern, examples, hidden } = grammar
  const message = expects(suchAs(what, examples), { hidden })
  return v.pipe(
    v.string(message),
    v.metadata({ ...titled(what), description, examples, pattern: pattern.source }),
    v.rawTransform<string, T>(({ dataset, addIssue, NEVER }) => {
      const value = parsed(grammar, dataset.value)
      if (value !== undefined) return value
      addIssue({ message })
      return NEVER
    }),
  )
}

function parsed<T>({ pattern, parse }: Grammar<T>, text: string): T | undefined {
  if (!pattern.test(text)) return undefined
  try {
    return parse(text)
  } catch {
    // What is expected is said by the grammar, in one form for all values.
    return undefined
  }
}

const suchAs = (what: string, examples: readonly string[]) =>
  examples.length > 0 ? `${what}, such as ${examples.join(' or ')}` : what

const titled = (what: string) => ({ title: what.replace(/^(?:an?|the) /, '') })

/** The message for a value that is something else. */
export function expects(what: string, { hidden = false }: { hidden?: boolean } = {}) {
  return ({ input }: { input: unknown }): string => {
    if (input === null) return `has no value; expects ${what}`
    return hidden && typeof input === 'string' ? `expects ${what}` : `expects ${what}, not ${shown(input)}`
  }
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(printable(value, 80))
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'a group of keys' : `the ${typeof value} ${value}`
}

/** Keys below a key. */
export function group<Entries extends v.ObjectEntries>(description: string, entries: Entries) {
  return v.pipe(v.strictObject(entries, expects('a group of keys')), v.description(description))
}

/** A list of `what`, each as `item` makes it. */
export function list<Item extends v.GenericSchema<unknown, unknown>>(
  description: string,
  what: string,
  item: (description: string) => Item,
) {
  return v.pipe(
    v.array(item(description), expects(`a list of ${what}`)),
    v.title(`list of ${what}`),
    v.description(description),
  )
}

export const flag = (description: string) =>
  v.pipe(v.boolean(expects('true or false')), v.title('true or false'), v.description(description))

export function choice<const Options extends readonly string[]>(description: string, options: Options) {
  const what = `one of ${options.join(', ')}`
  return v.pipe(v.picklist(options, expects(what)), v.title(what), v.description(description))
}

export function wholeNumber(description: string, least: number, most: number) {
  const what = `a whole number from ${least} to ${most}`
  return v.pipe(numberWithin(least, most, expects(what)), v.metadata({ ...titled(what), description }))
}

function numberWithin(least: number, most: number, message: ReturnType<typeof expects>) {
  return v.pipe(v.number(message), v.integer(message), v.minValue(least, message), v.maxValue(most, message))
}

export function ratio(description: string) {
  const what = 'a number from 0 to 1'
  const message = expects(what)
  const number = v.pipe(v.number(message), v.minValue(0, message), v.maxValue(1, message))
  return v.pipe(number, v.metadata({ ...titled(what), description }))
}

/** A text that a pattern matches as a whole. */
export function text(description: string, what: string, pattern: RegExp, ...examples: string[]) {
  return written(description, { what, pattern, examples, parse: (given) => given })
}

/** Without control characters, which no path that people mean has. */
const PATH = /^[^\u0000-\u001f\u007f]+$/

export const path = (description: string, ...examples: string[]) => text(description, 'a path', PATH, ...examples)

export const variable = (description: string) =>
  text(description, 'the name of an environment variable', /^[A-Za-z_][A-Za-z0-9_]*$/)

interface Bounds {
  least: string
  most?: string
}

const DURATION = /^(?:(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|s|m|h))+|0)$/

/** Milliseconds, written as docker's durations. */
export function duration(description: string, example: string, { least, most }: Bounds) {
  const [lowest, highest] = [parseDuration(least)!, most === undefined ? Infinity : parseDuration(most)!]
  return written(description, {
    what: most === undefined ? `a duration of at least ${least}` : `a duration from ${least} to ${most}`,
    pattern: DURATION,
    examples: [example],
    parse(given) {
      const nanoseconds = parseDuration(given) ?? -1
      return nanoseconds >= lowest && nanoseconds <= highest ? Math.round(nanoseconds / 1e6) : undefined
    },
  })
}

const SIZE = /^(?:\d+(?:\.\d*)?|\.\d+) ?(?:[Bb]|[KkMmGgTtPp](?:[Ii]?[Bb])?)?$/

/** Bytes, written as docker's sizes (in units of 1024), or as a number. */
export function size(description: string, example: string, { least, most }: Required<Bounds>) {
  const what = `a size from ${least} to ${most}`
  const [lowest, highest] = [parseSize(least), parseSize(most)]
  const words = written(description, {
    what,
    pattern: SIZE,
    examples: [example],
    parse(given) {
      const bytes = parseSize(given)
      return bytes >= lowest && bytes <= highest ? bytes : undefined
    },
  })
  const message = expects(suchAs(what, [example]))
  const either = v.union([words, numberWithin(lowest, highest, message)], message)
  return v.pipe(either, v.metadata({ ...titled(what), description, examples: [example] }))
}

export function percentage(description: string, most: number) {
  return written(description, {
    what: `a percentage from 0% to ${most}%`,
    pattern: /^\d{1,2}%$/,
    examples: ['1%'],
    parse: (given) => (Number.parseInt(given, 10) <= most ? Number.parseInt(given, 10) : undefined),
  })
}

/** As `parseListenAddress` takes it. */
export const listenAddress = (description: string, ...examples: string[]) =>
  written(description, {
    what: 'an address and port',
    pattern: /^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):\d{1,5}$/,
    examples: examples.length > 0 ? examples : ['0.0.0.0:443', '[::1]:5000'],
    parse: parseListenAddress,
  })

/** `https://s3.example:9000`. A login in it would be a secret. */
export const origin = (description: string, example: string) =>
  written(description, {
    what: 'a URL of scheme and host only',
    pattern: /^https?:\/\/[^/?#@\s]+\/?$/,
    examples: [example],
    hidden: true,
    parse: (given) => URL.parse(given)?.origin,
  })

/** Of the kind that goes into certificates: no address, no pattern. */
export const hostName = (description: string) =>
  written(description, {
    what: 'a host name',
    pattern:
      /^(?=.{4,253}$)(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/,
    examples: ['registry.example'],
    parse: (given) => given.toLowerCase(),
  })

/** A login in it would be a secret. */
export const secureUrl = (description: string, example: string) =>
  written(description, {
    what: 'a URL that begins with https, without a login',
    pattern: /^https:\/\/[^/?#@\s]+(?:\/[^#@\s]*)?$/,
    examples: [example],
    hidden: true,
    parse: (given) => URL.parse(given)?.href,
  })

/** With a path or without. A login in it would be a secret. */
export const webUrl = (description: string, example: string) =>
  written(description, {
    what: 'a URL that begins with http or https, without a login and a query',
    pattern: /^https?:\/\/[^/?#@\s]+(?:\/[^?#@\s]*)?$/,
    examples: [example],
    hidden: true,
    parse: (given) => URL.parse(given)?.href,
  })

export const addressRange = (description: string) =>
  written(description, {
    what: 'an address or a range of addresses',
    pattern: /^[0-9A-Fa-f:.]+(?:\/\d{1,3})?$/,
    examples: ['10.0.0.0/8', '2001:db8::1'],
    parse(given) {
      createAddressList([given])
      return given
    },
  })

const POSTGRES = /^postgres(?:ql)?:\/\/[^:@/?#\s]+@[^@/?#\s]+\/[^/?#\s]+(?:\?[^#\s]*)?$/
const PASSWORD = /^[a-z]+:\/\/[^/?#\s]*:[^/?#\s]*@|[?&][a-z]*password=/i

/** Of several hosts, too, as libpq takes them. It is never shown: there may be a password in it, which is refused. */
export function postgresUrl(description: string) {
  const what = 'the URL of a database with user, host and name'
  const message = expects(what, { hidden: true })
  const examples = ['postgres://bale@db.example:5432/bale']
  return v.pipe(
    v.string(message),
    v.metadata({ ...titled(what), description, examples, pattern: POSTGRES.source }),
    v.check(
      (given) => !PASSWORD.test(given),
      'holds a password; expects it in the file of password-file, or the variable of password-env',
    ),
    v.check((given) => POSTGRES.test(given), message),
  )
}
