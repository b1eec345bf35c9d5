import { BaleError, type ErrorCode } from '#base'

/** Members of all arrays and objects together: bounds the memory to some hundred megabytes, whatever the text is. */
const MOST_MEMBERS = 4_000_000

interface ShapeOptions {
  /** What the document is, for messages. */
  readonly what: string
  /** Nesting of arrays and objects. */
  readonly depth: number
  /** Of a document that is nested deeper. */
  readonly code: ErrorCode
}

/**
 * To be called before JSON.parse, which takes seconds, and some hundred bytes for each, for megabytes of brackets. Throws
 * LIMIT_EXCEEDED for a document of more than four million members. Text that is no JSON passes, or is refused.
 */
export function checkJsonShape(bytes: Uint8Array, { what, depth, code }: ShapeOptions): void {
  let open = 0
  let members = 0
  let quoted = false
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]
    if (quoted) {
      if (byte === 0x5c) at++
      else if (byte === 0x22) quoted = false
    } else if (byte === 0x22) quoted = true
    else if (byte === 0x2c) members++
    else if (byte === 0x7b || byte === 0x5b) {
      members++
      if (++open > depth) throw new BaleError(code, `${what} is nested deeper than ${depth} levels`)
    } else if (byte === 0x7d || byte === 0x5d) open--
  }
  if (members > MOST_MEMBERS) throw new BaleError('LIMIT_EXCEEDED', `${what} has more than ${MOST_MEMBERS} members`)
}
