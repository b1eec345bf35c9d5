import { BaleError, type ErrorCode } from '#base'

/** Bounds for a JSON document from outside. */
export interface StrictJsonOptions {
  /** Most bytes of the document. LIMIT_EXCEEDED beyond. */
  limit: number
  /** Deepest nesting; 64 by default. */
  depth?: number
  /** What the document is, for messages: `manifest`, `image config`. */
  what?: string
  /** Code of a malformed document; INVALID_MANIFEST by default. */
  code?: ErrorCode
}

/**
 * JSON.parse for documents from outside: valid UTF-8 without byte-order mark, no lone surrogates, nothing after the
 * value, bounded size and depth, and no key twice in one object (JSON.parse silently keeps the last, other parsers the
 * first, so two tools could see two documents under one digest). A key `__proto__` is an ordinary own property.
 */
export function parseStrictJson(bytes: Uint8Array, options: StrictJsonOptions): unknown {
  const what = options.what ?? 'document'
  const code = options.code ?? 'INVALID_MANIFEST'
  const refuse = (reason: string, cause?: unknown) => new BaleError(code, `${what} is not valid: ${reason}`, { cause })
  if (bytes.length > options.limit) {
    throw new BaleError('LIMIT_EXCEEDED', `${what} is larger than ${options.limit} bytes (${bytes.length})`)
  }
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) throw refuse('it begins with a byte-order mark')
  let text: string
  try {
    text = decoder.decode(bytes)
  } catch (error) {
    throw refuse('it is not UTF-8', error)
  }
  const objection = scan(text, options.depth ?? 64)
  if (objection !== undefined) throw refuse(objection)
  try {
    return JSON.parse(text)
  } catch (error) {
    throw refuse(`it is not JSON (${firstLine(error)})`, error)
  }
}

/** JSON with members in the order of the value, no white space: the same value gives the same bytes. */
export function encodeDocument(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value))
}

/** What JSON from outside says where anything else is no error; undefined when it is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const QUOTE = 0x22
const BACKSLASH = 0x5c

/**
 * Looks at structure only, over text that may not be JSON at all: what it does not understand, JSON.parse refuses.
 * Returns the first objection.
 */
function scan(text: string, depthLimit: number): string | undefined {
  // One entry per open bracket: the keys of an object, or undefined for an array.
  const open: (Set<string> | undefined)[] = []
  let keyIsNext = false
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE: {
        const end = endOfString(text, at + 1)
        if (end < 0) return 'a string is not terminated'
        const plain = decodeString(text, at, end)
        if (plain === LONE_SURROGATE) return 'a string contains half a surrogate pair'
        const keys = open.at(-1)
        if (keyIsNext && keys !== undefined) {
          const key = plain ?? text.slice(at + 1, end)
          if (keys.has(key)) return `the key ${JSON.stringify(key.slice(0, 80))} appears twice`
          keys.add(key)
          keyIsNext = false
        }
        at = end
        break
      }
      case 0x7b: // {
        open.push(new Set())
        keyIsNext = true
        break
      case 0x5b: // [
        open.push(undefined)
        keyIsNext = false
        break
      case 0x7d: // }
      case 0x5d: // ]
        open.pop()
        keyIsNext = false
        break
      case 0x2c: // ,
        keyIsNext = open.at(-1) !== undefined
        break
    }
    if (open.length > depthLimit) return `it is nested deeper than ${depthLimit} levels`
  }
  return undefined
}

/** Index of the closing quote, or -1. */
function endOfString(text: string, from: number): number {
  for (let at = text.indexOf('"', from); at >= 0; at = text.indexOf('"', at + 1)) {
    let slashes = 0
    while (at - slashes - 1 >= from && text.charCodeAt(at - slashes - 1) === BACKSLASH) slashes++
    if (slashes % 2 === 0) return at
  }
  return -1
}

const LONE_SURROGATE = Symbol('lone surrogate')

/** The value of a string with escapes; undefined for one without (or one that JSON.parse will refuse anyway). */
function decodeString(text: string, start: number, end: number): string | typeof LONE_SURROGATE | undefined {
  const raw = text.slice(start, end + 1)
  if (!raw.includes('\\')) return undefined
  try {
    const value = JSON.parse(raw) as string
    return value.isWellFormed() ? value : LONE_SURROGATE
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function firstLine(error: unknown): string {
  return String((error as Error).message)
    .split('\n')[0]!
    .replace(/[\u0000-\u001f\u007f-\u009f]/g, '?')
    .slice(0, 120)
}
