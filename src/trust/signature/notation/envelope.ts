import { X509Certificate } from 'node:crypto'
import type { FlattenedJWSInput } from 'jose'
import * as v from 'valibot'
import { parseStrictJson } from '#spec'
import { untrusted } from '../claim/index.ts'

/** Headers that are signed. Source: Notary Project, signature-envelope-jws.md. */
export const Header = {
  scheme: 'io.cncf.notary.signingScheme',
  signingTime: 'io.cncf.notary.signingTime',
  authenticSigningTime: 'io.cncf.notary.authenticSigningTime',
  expiry: 'io.cncf.notary.expiry',
  plugin: 'io.cncf.notary.verificationPlugin',
} as const

export const Scheme = { x509: 'notary.x509', signingAuthority: 'notary.x509.signingAuthority' } as const

/** An envelope whose signature has not been checked. */
export interface Envelope {
  jws: FlattenedJWSInput
  /** Signer first. */
  chain: readonly X509Certificate[]
  signed: SignedHeaders
}

const time = v.pipe(
  v.string(),
  v.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/),
  v.transform((text) => new Date(text)),
  v.check((date) => !Number.isNaN(date.getTime())),
)

const SIGNED = v.object({
  alg: v.string(),
  cty: v.string(),
  crit: v.pipe(v.array(v.string()), v.minLength(1)),
  [Header.scheme]: v.picklist([Scheme.x509, Scheme.signingAuthority]),
  [Header.signingTime]: v.optional(time),
  [Header.authenticSigningTime]: v.optional(time),
  [Header.expiry]: v.optional(time),
  [Header.plugin]: v.optional(v.string()),
})

type SignedHeaders = v.InferOutput<typeof SIGNED>

const MOST_CERTIFICATES = 10
const base64url = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]+$/))

/** Only the flattened form, without other members: it has one signature. */
const ENVELOPE = v.strictObject({
  payload: base64url,
  protected: base64url,
  signature: base64url,
  header: v.object({
    x5c: v.pipe(v.array(v.pipe(v.string(), v.base64())), v.minLength(1), v.maxLength(MOST_CERTIFICATES)),
  }),
})

/** Reads an envelope. Throws UNTRUSTED, INVALID_MANIFEST, LIMIT_EXCEEDED. */
export function readEnvelope(bytes: Uint8Array, limit: number): Envelope {
  const envelope = parsed(ENVELOPE, bytes, { limit, what: 'the JWS' })
  const headers = Buffer.from(envelope.protected, 'base64url')
  return {
    jws: { payload: envelope.payload, protected: envelope.protected, signature: envelope.signature },
    chain: envelope.header.x5c.map(certificateOf),
    signed: parsed(SIGNED, headers, { limit, what: 'its signed header' }),
  }
}

/** Reads a part as a schema has it; `what` names it. Throws UNTRUSTED. */
export function parsed<S extends v.GenericSchema>(
  schema: S,
  bytes: Uint8Array,
  { limit, what }: { limit: number; what: string },
): v.InferOutput<S> {
  const result = v.safeParse(schema, parseStrictJson(bytes, { limit, what, depth: 16, code: 'UNTRUSTED' }))
  if (result.success) return result.output
  const { issues } = result
  throw untrusted(`is not well formed: ${what} (${v.getDotPath(issues[0]) ?? 'type'})`)
}

function certificateOf(base64: string): X509Certificate {
  try {
    return new X509Certificate(Buffer.from(base64, 'base64'))
  } catch (error) {
    throw untrusted('has a certificate that cannot be read', error)
  }
}
