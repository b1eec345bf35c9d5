import { createHash } from 'node:crypto'

/** The namespace of bale's documents, in RFC 9562's sense: any fixed UUID. */
const NAMESPACE = Buffer.from('6f1c2a9047b54d0e9c3be35a7d41f286', 'hex')

/**
 * An id for a document about a subject, as `urn:uuid:…`: the same facts give the same id, and others another one. It is a UUID of
 * version 5. Source: RFC 9562 §5.5.
 */
export function documentId(kind: string, ...facts: readonly (string | number | undefined)[]): string {
  const bytes = createHash('sha1')
    .update(NAMESPACE)
    .update(JSON.stringify([kind, ...facts]))
    .digest()
    .subarray(0, 16)
  bytes[6] = (bytes[6]! & 0x0f) | 0x50
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return `urn:uuid:${hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')}`
}
