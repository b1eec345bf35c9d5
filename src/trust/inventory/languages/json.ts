import { BaleError } from '#base'
import { parseStrictJson } from '#spec'
import { checkJsonShape } from '#trust/json-shape'

/** Nesting of arrays and objects; npm's first lockfiles nest two for each level of node_modules. */
const DEEPEST = 256

/** An object of a document, whose members can be of any type. */
export type JsonObject = Readonly<Record<string, unknown>>

/**
 * A document that is one JSON object. Throws INVALID_ARGUMENT for what is no such document (also for a key twice in an
 * object, which programs read differently) and LIMIT_EXCEEDED for one of too many parts; `what` is for the message.
 */
export function parseDocument(bytes: Uint8Array, what: string): JsonObject {
  return documentObject(parseDocumentValue(bytes, what), what)
}

/** As `parseDocument`, for a document that may be of any type. */
export function parseDocumentValue(bytes: Uint8Array, what: string): unknown {
  const content = withoutMark(bytes)
  checkJsonShape(content, { what, depth: DEEPEST, code: 'INVALID_ARGUMENT' })
  return parseStrictJson(content, { limit: content.length, depth: DEEPEST, what, code: 'INVALID_ARGUMENT' })
}

/**
 * As `parseDocument`, but as npm reads its manifests: of a key that appears twice the last counts, and UTF-8 may be
 * broken.
 */
export function parseLenientDocument(bytes: Uint8Array, what: string): JsonObject {
  const content = withoutMark(bytes)
  checkJsonShape(content, { what, depth: DEEPEST, code: 'INVALID_ARGUMENT' })
  try {
    return documentObject(JSON.parse(Buffer.from(content.buffer, content.byteOffset, content.length).toString()), what)
  } catch (error) {
    if (error instanceof SyntaxError) throw new BaleError('INVALID_ARGUMENT', `${what} is not JSON`, { cause: error })
    throw error
  }
}

/** Windows' tools begin UTF-8 with a byte-order mark, and the readers of these files pass over it. */
function withoutMark(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes
}

function documentObject(value: unknown, what: string): JsonObject {
  if (isObject(value)) return value
  throw new BaleError('INVALID_ARGUMENT', `${what} is not a JSON object`)
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value as an object; one without members for anything else. */
export function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {}
}

/** The value as an array; an empty one for anything else. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** The value as text without white space around it; empty for anything else. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value.trim() : ''
}

/** A member by a name that the document chose: never one that every object inherits. */
export function memberOf(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined
}
