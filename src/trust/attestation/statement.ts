import { algorithmOf, type Digest, hexOf } from '#spec'
import { type JsonDocument, jsonDocument } from '#trust/sbom'

/** A document about something, and the URI that says of which kind it is. */
export interface Predicate {
  readonly predicateType: string
  readonly predicate: JsonDocument
}

/** One of the things that a document is about. */
export interface StatementSubject {
  /** `_` for one without a name. */
  readonly name: string
  readonly digest: Digest
}

/** Bills of materials in SPDX. Source: in-toto attestation framework, predicates/spdx.md. */
export const SPDX_PREDICATE = 'https://spdx.dev/Document'

/**
 * A document with what it is about. Version 1, as BuildKit has written it since 0.31 for each kind of document; the members of
 * version 0.1, which it wrote before, are the same. Source: in-toto attestation framework, Statement v1.
 */
export function inTotoStatement(
  { predicateType, predicate }: Predicate,
  subjects: readonly StatementSubject[],
): JsonDocument {
  return jsonDocument({
    _type: 'https://in-toto.io/Statement/v1',
    predicateType,
    subject: subjects.map(({ name, digest }) => ({ name, digest: digestSet(digest) })),
    predicate,
  })
}

/** `{ sha256: '…' }`. Source: in-toto attestation framework, DigestSet. */
export function digestSet(digest: Digest): Record<string, string> {
  return { [algorithmOf(digest)]: hexOf(digest) }
}
