import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Scalar,
} from 'yaml'
import { printable } from '#base'
import { keyBelow, type Problem } from './problems.ts'

interface Place {
  line: number
  column: number
}

/** A YAML text as a plain value that remembers where its parts stood. */
export interface PlacedValue {
  /** Groups of keys are objects without a prototype. */
  value: unknown
  /** Mistakes of notation; when there are any, the value is not to be used. */
  problems: Problem[]
  /** Where a key, or its value, stands; for one that is missing, where the group is that lacks it. */
  placeOf(key: string, part: 'key' | 'value'): Place
}

const LONGEST = 64

/** Reads one document of YAML 1.2, of which JSON is a part. */
export function readDocument(text: string): PlacedValue {
  const lines = new LineCounter()
  const at = (offset: number): Place => {
    const { line, col } = lines.linePos(offset)
    return { line, column: col }
  }
  const document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    stringKeys: true,
    prettyErrors: false,
    lineCounter: lines,
  })
  const notation = [...document.errors, ...document.warnings].map(({ code, message, pos }) => ({
    ...at(pos[0]),
    key: '',
    message: mistake(code, message, text.slice(pos[0])),
  }))
  const reading = new Reading(document, at)
  const value = notation.length > 0 ? undefined : reading.valueOf(document.contents, '')
  return {
    value,
    problems: [...notation, ...reading.problems],
    placeOf: (key, part) => reading.placeOf(key, part),
  }
}

function mistake(code: string, message: string, rest: string): string {
  if (code === 'DUPLICATE_KEY') return `the key ${printable(/^[^\s:]*/.exec(rest)![0], LONGEST)} is given twice`
  if (code === 'NON_STRING_KEY') return 'expects a text as key'
  if (code === 'MULTIPLE_DOCS') return 'a second document begins; expects one'
  if (/call stack/i.test(message)) return 'nested too deeply'
  return printable(message)
}

/** No configuration has so many values; aliases of aliases soon do. */
const MOST_VALUES = 10_000

/** Makes plain values of a document's nodes. Not `toJS` of the parser, since that forgets the places. */
class Reading {
  readonly problems: Problem[] = []
  readonly #document: Document
  readonly #at: (offset: number) => Place
  readonly #places = new Map<string, { key: Place; value: Place }>()
  /** What is being read: an alias of that would have no end. */
  readonly #open = new Set<unknown>()
  #values = 0

  constructor(document: Document, at: (offset: number) => Place) {
    this.#document = document
    this.#at = at
  }

  placeOf(key: string, part: 'key' | 'value'): Place {
    for (let near = key; near !== ''; near = groupOf(near)) {
      const found = this.#places.get(near)
      if (found) return near === key ? found[part] : found.key
    }
    return this.#at(0)
  }

  valueOf(node: unknown, key: string): unknown {
    if (isAlias(node)) return this.#valueOfAlias(node, key)
    if (++this.#values > MOST_VALUES)
      return this.#values === MOST_VALUES + 1 ? this.#wrong(key, 'too many values') : null
    this.#open.add(node)
    const value = this.#valueOfNode(node, key)
    this.#open.delete(node)
    return value
  }

  #valueOfNode(node: unknown, key: string): unknown {
    if (isScalar(node)) return this.#valueOfScalar(node, key)
    if (isSeq(node)) return node.items.map((item, index) => this.#valueBelow(item, item, keyBelow(key, index)))
    if (!isMap<Scalar<string>>(node)) return null
    const group: Record<string, unknown> = Object.create(null)
    for (const { key: name, value } of node.items)
      group[name.value] = this.#valueBelow(name, value, keyBelow(key, name.value))
    return group
  }

  /** Tags can make a binary value or a date. */
  #valueOfScalar({ value }: Scalar, key: string): unknown {
    if (typeof value !== 'object' || value === null) return value
    return this.#wrong(key, 'expects a text, a number, true or false')
  }

  #valueBelow(name: unknown, node: unknown, key: string): unknown {
    const start = startOf(name) ?? 0
    this.#places.set(key, { key: this.#at(start), value: this.#at(startOf(node) ?? start) })
    return this.valueOf(node, key)
  }

  #valueOfAlias(alias: Alias, key: string): unknown {
    const target = alias.resolve(this.#document)
    if (!target) return this.#wrong(key, `no anchor &${printable(alias.source, LONGEST)} before this alias`)
    if (this.#open.has(target))
      return this.#wrong(key, `the alias *${printable(alias.source, LONGEST)} is part of what it stands for`)
    return this.valueOf(target, key)
  }

  #wrong(key: string, message: string): null {
    this.problems.push({ ...this.placeOf(key, 'value'), key, message })
    return null
  }
}

/** `listen.tls` of `listen.tls.key`. */
function groupOf(key: string): string {
  return key.slice(0, Math.max(0, key.lastIndexOf('.'), key.lastIndexOf('[')))
}

function startOf(node: unknown): number | undefined {
  return (node as { range?: readonly number[] } | null | undefined)?.range?.[0]
}
