/** A JSON object with members in a fixed order. `encodeDocument` of #spec makes bytes of it. */
export type JsonDocument = Readonly<Record<string, unknown>>

/**
 * The same value as JSON has it: without undefined members, and with well-formed text. (A package may name itself with half a
 * surrogate pair, which many parsers refuse.)
 */
export function jsonDocument(value: object): JsonDocument {
  const text = JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'string' ? member.toWellFormed() : member,
  )
  return JSON.parse(text) as JsonDocument
}
