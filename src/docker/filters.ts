import { BaleError, printable } from '#base'
import { compilePattern } from './pattern.ts'
import { millisecondsOf, parseTimestamp } from './timestamp.ts'

/** `name=value` of a list or a prune. */
export interface FilterPair {
  name: string
  value: string
}

/** What the prune verbs take. */
export const PRUNE_FILTERS = ['until', 'label', 'label!']

/**
 * Filters of a list. Values of one name are alternatives, but of `label` and `label!` all must hold; different names must all hold. A
 * name that was not given matches everything. All errors are INVALID_ARGUMENT with docker's messages.
 */
export class Filters {
  readonly #values = new Map<string, Set<string>>()

  /** `known`: the names that the list takes. */
  constructor(pairs: readonly FilterPair[], known: readonly string[]) {
    for (const { name, value } of pairs) {
      if (!known.includes(name)) {
        const names = known.filter((one) => !one.endsWith('!')).join(', ')
        throw invalid(`invalid filter '${printable(name)}'`, `known filters: ${names}`)
      }
      this.#values.set(name, (this.#values.get(name) ?? new Set()).add(value))
    }
  }

  has(name: string): boolean {
    return this.#values.has(name)
  }

  get(name: string): string[] {
    return [...(this.#values.get(name) ?? [])]
  }

  /** One of the values is the text. */
  isOneOf(name: string, text: string): boolean {
    return !this.has(name) || this.#values.get(name)!.has(text)
  }

  /** One of the values is the text, or a pattern that fits somewhere in it. A pattern that cannot be read fits nothing. */
  matches(name: string, ...texts: readonly string[]): boolean {
    if (!this.has(name)) return true
    const values = this.get(name)
    if (values.some((value) => texts.includes(value))) return true
    return values.some((value) => texts.some((text) => compilePattern(value)?.test(text)))
  }

  /** One of the values is the beginning of the text. */
  isPrefixOf(name: string, text: string): boolean {
    return !this.has(name) || this.get(name).some((value) => text.startsWith(value))
  }

  /** `label` and `label!`. */
  matchesLabels(labels: Readonly<Record<string, string>> | undefined | null): boolean {
    if (!labelsMatch(this.get('label'), labels)) return false
    return !this.has('label!') || !labelsMatch(this.get('label!'), labels)
  }

  /** The value of a yes-or-no filter; undefined when it was not given. */
  flag(name: string): boolean | undefined {
    if (!this.has(name)) return undefined
    const values = this.get(name)
    const yes = values.includes('1') || values.includes('true')
    const no = values.includes('0') || values.includes('false')
    if (yes === no) throw invalid(`invalid filter '${name}=[${printable(values.join(' '))}]'`, 'true or false')
    return yes
  }

  /** Milliseconds since 1970 of `until`; undefined when it was not given. */
  until(now: number): number | undefined {
    const values = this.get('until')
    if (values.length > 1) throw invalid('more than one until filter specified')
    if (values.length === 0) return undefined
    try {
      return millisecondsOf(parseTimestamp(values[0]!, now))
    } catch (cause) {
      throw invalid(
        `invalid value for 'until' filter: ${printable((cause as Error).message)}`,
        'a duration such as 24h, a time such as 2024-01-31T10:00:00, or seconds since 1970',
      )
    }
  }

  /** Refuses values that are not of a closed list. */
  closed(name: string, allowed: readonly string[]): void {
    const stranger = this.get(name).find((value) => !allowed.includes(value))
    if (stranger === undefined) return
    throw invalid(`invalid filter '${name}=${printable(stranger)}'`, `one of ${allowed.join(', ')}`)
  }
}

/** True when all of `key` and `key=value` are present. */
function labelsMatch(wanted: readonly string[], labels: Readonly<Record<string, string>> | undefined | null): boolean {
  return wanted.every((one) => {
    const at = one.indexOf('=')
    const key = at < 0 ? one : one.slice(0, at)
    return Object.hasOwn(labels ?? {}, key) && (at < 0 || labels![key] === one.slice(at + 1))
  })
}

function invalid(message: string, hint?: string): BaleError {
  return new BaleError('INVALID_ARGUMENT', message, { hint })
}
