import * as v from 'valibot'
import { algorithmOf, type Descriptor, encodeDocument, hexOf, parseStrictJson } from '#spec'
import { untrusted } from '../claim/index.ts'

/** What is signed about an image. Source: in-toto attestation framework, Statement v1. */
export interface Statement {
  subjects: readonly {
    name?: string
    /** Hexadecimal, by algorithm. */
    digest: Readonly<Record<string, string>>
    annotations?: Readonly<Record<string, unknown>>
  }[]
  predicateType: string
  predicate: unknown
}

/** What a statement is made of. */
interface StatementParts {
  subject: Descriptor
  /** `registry.example/team/web`: becomes the name of the subject, so that the signature counts nowhere else. */
  repository?: string
  predicateType: string
  predicate: unknown
  annotations?: Readonly<Record<string, string>>
  /** Seconds since 1970: when it is signed, as the signer states. */
  created?: number
}

/** An annotation of the subject: when the statement was signed (RFC 3339). */
export const CREATED = 'org.opencontainers.image.created'

const TYPES = ['https://in-toto.io/Statement/v1', 'https://in-toto.io/Statement/v0.1'] as const

const MOST_SUBJECTS = 1000

const STATEMENT = v.object({
  _type: v.picklist(TYPES),
  subject: v.pipe(
    v.array(
      v.object({
        name: v.optional(v.string()),
        digest: v.record(v.string(), v.string()),
        annotations: v.optional(v.record(v.string(), v.unknown())),
      }),
    ),
    v.minLength(1),
    v.maxLength(MOST_SUBJECTS),
  ),
  predicateType: v.pipe(v.string(), v.minLength(1)),
  predicate: v.optional(v.unknown()),
})

/** The bytes of a statement about one image. The same parts give the same bytes. */
export function makeStatement(parts: StatementParts): Uint8Array {
  const { subject, repository, predicateType, predicate, created } = parts
  const annotations: Record<string, string> = {
    ...parts.annotations,
    ...(created !== undefined && { [CREATED]: new Date(created * 1000).toISOString() }),
  }
  return encodeDocument({
    _type: TYPES[0],
    subject: [
      {
        ...(repository !== undefined && { name: repository }),
        digest: { [algorithmOf(subject.digest)]: hexOf(subject.digest) },
        ...(Object.keys(annotations).length > 0 && { annotations }),
      },
    ],
    predicateType,
    predicate,
  })
}

/** Reads a statement of in-toto, version 1 or 0.1. Throws UNTRUSTED for anything else. */
export function readStatement(bytes: Uint8Array): Statement {
  const value = parseStrictJson(bytes, { limit: bytes.length, what: 'its statement', code: 'UNTRUSTED' })
  const { success, output, issues } = v.safeParse(STATEMENT, value)
  if (!success)
    throw untrusted(`holds something other than a statement of in-toto (${v.getDotPath(issues[0]) ?? 'type'})`)
  return { subjects: output.subject, predicateType: output.predicateType, predicate: output.predicate }
}
