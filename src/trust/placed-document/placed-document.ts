import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml'
import { BaleError, printable } from '#base'

/** A step into a document: the name of a member, or the number of an item. */
export type Key = string | number

/** What is wrong, and the keys that lead to it: `['ignore', 0, 'expires']`. */
export interface Fault {
  readonly keys: readonly Key[]
  /** Whether the key itself is wrong, and not its value. */
  readonly atKey?: boolean
  readonly message: string
}

/** A YAML document that can tell the place of each of its values. Aliases are refused: none of bale's files needs them. */
export class PlacedDocument {
  readonly value: unknown
  readonly #document: Document
  readonly #lines: LineCounter
  readonly #path: string

  /** Throws INVALID_ARGUMENT with all errors of syntax. */
  static read(text: string, path: string): PlacedDocument {
    const lines = new LineCounter()
    try {
      return new PlacedDocument(
        parseDocument(text, {
          version: '1.2',
          schema: 'core',
          stringKeys: true,
          prettyErrors: false,
          lineCounter: lines,
        }),
        lines,
        path,
      )
    } catch (error) {
      if (error instanceof BaleError) throw error
      throw new BaleError('INVALID_ARGUMENT', `${path}: an alias is used, or the file is nested too deeply`, {
        cause: error,
      })
    }
  }

  private constructor(document: Document, lines: LineCounter, path: string) {
    this.#document = document
    this.#lines = lines
    this.#path = path
    const mistakes = [...document.errors, ...document.warnings]
    if (mistakes.length > 0)
      throw refusal(mistakes.map(({ pos, message }) => `${this.#at(pos[0])}: ${printable(message, 200)}`))
    this.value = document.toJS({ maxAliasCount: 0 })
  }

  /** The error of mistakes in the values, in the order of the file. */
  refuse(faults: readonly Fault[]): BaleError {
    const placed = faults.map((fault) => ({ ...fault, offset: this.#startOf(fault.keys, fault.atKey) }))
    return refusal(
      placed
        .sort((one, other) => one.offset - other.offset)
        .map(({ keys, message, offset }) => {
          const name = keys.map((key) => (typeof key === 'number' ? `[${key}]` : `.${printable(key, 64)}`)).join('')
          return [this.#at(offset), ...(name === '' ? [] : [name.replace(/^\./, '')]), message].join(': ')
        }),
    )
  }

  /** `ignore.yaml:3`, for a value that is there. */
  lineOf(keys: readonly Key[]): string {
    return `${this.#path}:${this.#lines.linePos(this.#startOf(keys)).line}`
  }

  /** `policy.yaml:7:5`; for a missing value, the place of the group that should have it. */
  placeOf(keys: readonly Key[]): string {
    return this.#at(this.#startOf(keys))
  }

  /** For a missing value, the start of the group that should have it. */
  #startOf(keys: readonly Key[], atKey = false): number {
    const above = keys.length === 0 ? undefined : this.#nodeAt(keys.slice(0, -1))
    const pair = isMap(above) ? above.items.find(({ key }) => isScalar(key) && key.value === keys.at(-1)) : undefined
    const node = atKey ? pair?.key : this.#nodeAt(keys)
    if (isNode(node) && node.range) return node.range[0]
    return keys.length === 0 ? 0 : this.#startOf(keys.slice(0, -1))
  }

  #nodeAt(keys: readonly Key[]): unknown {
    return keys.length === 0 ? this.#document.contents : this.#document.getIn(keys, true)
  }

  #at(offset: number): string {
    const { line, col } = this.#lines.linePos(offset)
    return `${this.#path}:${line}:${col}`
  }
}

/** More are not listed: one error of syntax causes many others. */
const MOST = 100

function refusal(lines: readonly string[]): BaleError {
  const more = lines.length > MOST ? [`and ${lines.length - MOST} more`] : []
  return new BaleError('INVALID_ARGUMENT', [...lines.slice(0, MOST), ...more].join('\n'))
}
