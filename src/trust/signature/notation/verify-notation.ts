import type { KeyObject, X509Certificate } from 'node:crypto'
import * as v from 'valibot'
import { printable, table } from '#base'
import {
  type Claim,
  checkDigest,
  type TrustedCertificate,
  untrusted,
  type VerificationContext,
} from '../claim/index.ts'
import { checkChain, checkValidity, subjectOf } from './check-chain.ts'
import { type Envelope, Header, parsed, readEnvelope, Scheme } from './envelope.ts'

const PAYLOAD_TYPE = 'application/vnd.cncf.notary.payload.v1+json'

const PAYLOAD = v.object({
  targetArtifact: v.object({
    mediaType: v.string(),
    digest: v.string(),
    size: v.number(),
    annotations: v.optional(v.record(v.string(), v.string())),
  }),
})

/** Clocks differ. */
const TOLERANCE = 10 * 60_000

/**
 * Checks a signature of the Notary Project: a JWS over the descriptor of the image, made with the key of a certificate that
 * comes from a trusted authority. Throws UNTRUSTED, INVALID_MANIFEST, LIMIT_EXCEEDED.
 *
 * Time (scheme `notary.x509`): the time of signing is the signer's word, so every certificate must still be valid now; a
 * time stamp that would prove it is not read. In the scheme of signing authorities the stated time is believed. Such a
 * signature names no repository: it counts wherever the image is copied, unless a named one is required.
 */
export async function verifyNotation(bytes: Uint8Array, limit: number, context: VerificationContext): Promise<Claim> {
  const envelope = readEnvelope(bytes, limit)
  checkHeaders(envelope)
  const payload = parsed(PAYLOAD, await signedPayload(envelope), { limit, what: 'its payload' })
  const by = trustedBy(envelope, context)
  const signedAt = checkTimes(envelope, context.now)
  const { digest, mediaType, size, annotations = {} } = payload.targetArtifact
  checkDigest([digest], context.subject)
  if (mediaType !== context.subject.mediaType || size !== context.subject.size)
    throw untrusted('is about an image of another type or size')
  return { by, who: subjectOf(envelope.chain[0]!), repositories: [undefined], signedAt, annotations }
}

const UNDERSTOOD: readonly string[] = [Header.scheme, Header.authenticSigningTime, Header.expiry]

/** No critical header is unknown, and the headers that decide are marked as critical. */
function checkHeaders({ signed }: Envelope): void {
  const plugin = signed[Header.plugin]
  if (plugin !== undefined) throw untrusted(`needs a plugin to be checked: ${printable(plugin, 80)}`)
  const unknown = signed.crit.find((name) => !UNDERSTOOD.includes(name))
  if (unknown !== undefined) throw untrusted(`has a critical part that is not understood: ${printable(unknown, 80)}`)
  const needed = UNDERSTOOD.filter((name) => name === Header.scheme || Object.hasOwn(signed, name))
  const missing = needed.find((name) => !signed.crit.includes(name))
  if (missing !== undefined) throw untrusted(`does not name ${missing} as critical`)
  if (signed.cty !== PAYLOAD_TYPE) throw untrusted(`is over ${printable(signed.cty, 100)}, not over ${PAYLOAD_TYPE}`)
}

async function signedPayload({ jws, chain, signed }: Envelope): Promise<Uint8Array> {
  const algorithm = algorithmOf(chain[0]!.publicKey)
  if (algorithm === undefined || signed.alg !== algorithm) {
    const fitting = algorithm === undefined ? 'cannot be used' : `goes with ${algorithm}`
    throw untrusted(`has the algorithm ${printable(signed.alg, 40)}, while the key of its certificate ${fitting}`)
  }
  const { flattenedVerify } = await import('jose')
  const crit = Object.fromEntries(UNDERSTOOD.map((name) => [name, true]))
  try {
    return (await flattenedVerify(jws, chain[0]!.publicKey, { algorithms: [algorithm], crit })).payload
  } catch (error) {
    throw untrusted('was not made with the key of its certificate over this content', error)
  }
}

/** Source: Notary Project, signature-specification.md, "Algorithm Selection". */
const ALGORITHMS = table<string>({
  'rsa 2048': 'PS256',
  'rsa 3072': 'PS384',
  'rsa 4096': 'PS512',
  'ec prime256v1': 'ES256',
  'ec secp384r1': 'ES384',
  'ec secp521r1': 'ES512',
})

function algorithmOf({ asymmetricKeyType, asymmetricKeyDetails: details }: KeyObject): string | undefined {
  return ALGORITHMS[`${asymmetricKeyType} ${details?.modulusLength ?? details?.namedCurve}`]
}

function trustedBy({ chain, signed }: Envelope, { requirements }: VerificationContext): TrustedCertificate[] {
  const all = requirements.signers.filter((one) => one.kind === 'certificate')
  if (all.length === 0) throw untrusted('was made with a certificate, and no authority of certificates is trusted')
  checkChain(chain)
  const isOfAuthority = signed[Header.scheme] === Scheme.signingAuthority
  const rooted = all.filter(
    ({ authorities, signingAuthority = false }) =>
      signingAuthority === isOfAuthority && authorities.some(({ raw }) => chain.some((one) => one.raw.equals(raw))),
  )
  const shown = `${subjectOf(chain[0]!)}, from ${subjectOf(chain.at(-1)!)}`
  if (rooted.length === 0) throw untrusted(`was made with a certificate of an authority that is not trusted: ${shown}`)
  const by = rooted.filter(({ subject = {} }) => hasSubject(chain[0]!, subject))
  if (by.length === 0) throw untrusted(`was made by somebody who is not trusted: ${shown}`)
  return by
}

/** Each named part is there, and with no other value beside it. */
function hasSubject(leaf: X509Certificate, wanted: Readonly<Record<string, string>>): boolean {
  const subject = leaf.toLegacyObject().subject as unknown as Record<string, string | string[] | undefined>
  return Object.entries(wanted).every(([name, value]) => Object.hasOwn(subject, name) && subject[name] === value)
}

function checkTimes({ chain, signed }: Envelope, now: number): Date {
  const isOfAuthority = signed[Header.scheme] === Scheme.signingAuthority
  const signedAt = signed[isOfAuthority ? Header.authenticSigningTime : Header.signingTime]
  if (signedAt === undefined) throw untrusted('does not say when it was made')
  if (signedAt.getTime() > now + TOLERANCE) throw untrusted('was made at a time in the future')
  checkValidity(chain, signedAt, 'when it was made')
  if (!isOfAuthority) checkValidity(chain, new Date(now), 'now')
  const expiry = signed[Header.expiry]
  if (expiry && now >= expiry.getTime())
    throw untrusted(`has expired: it was made to count until ${expiry.toISOString()}`)
  return signedAt
}
