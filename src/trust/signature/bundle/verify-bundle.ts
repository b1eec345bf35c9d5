import type { Bundle } from '@sigstore/bundle'
import { printable } from '#base'
import { parseStrictJson } from '#spec'
import { ArtifactType, SIGNATURE_PREDICATE } from '../attachment/index.ts'
import { boundRepository, type Claim, checkDigest, untrusted, type VerificationContext } from '../claim/index.ts'
import { signedByIdentity } from './signed-by-identity.ts'
import { type Signed, signedByKey } from './signed-by-key.ts'
import { CREATED, readStatement, type Statement } from './statement.ts'

/** Most bytes of what holds a signature alone. */
export const SIGNATURE_LIMIT = 1 << 20
/** Most bytes of an attestation, such as an SBOM in a bundle. */
export const ATTESTATION_LIMIT = 16 << 20
/** Most bytes of a statement: a bundle holds it in base64. */
export const STATEMENT_LIMIT = 11 << 20
/** Of certificate, log entries and times: a few KiB each, while checking many would take time. */
const MATERIAL_LIMIT = 128 << 10
const MOST_ENTRIES = 8

/**
 * Checks a Sigstore bundle: one signature of a trusted key or identity over a statement about the image, of the wanted type.
 * Throws UNTRUSTED, INVALID_MANIFEST, LIMIT_EXCEEDED.
 *
 * A bundle itself says nothing of a repository: copied to another one with the image it stays valid there. The name
 * of the statement's subject binds it, where the signer gave one (bale does, cosign does not). `checkClaim` judges that.
 */
export async function verifyBundle(bytes: Uint8Array, context: VerificationContext): Promise<Claim> {
  return verifyJson(parseStrictJson(bytes, { limit: ATTESTATION_LIMIT, what: 'the bundle' }), context)
}

/** Checks an attestation of cosign's old form: a DSSE envelope without anything around it, signed with a key. */
export async function verifyEnvelope(bytes: Uint8Array, context: VerificationContext): Promise<Claim> {
  const dsseEnvelope = parseStrictJson(bytes, { limit: ATTESTATION_LIMIT, what: 'the envelope' })
  return verifyJson({ mediaType: ArtifactType.bundle, verificationMaterial: { publicKey: {} }, dsseEnvelope }, context)
}

async function verifyJson(json: unknown, context: VerificationContext): Promise<Claim> {
  checkShape(json as BundleJson | null)
  const bundle = await read(json)
  const envelope = bundle.content.$case === 'dsseEnvelope' ? bundle.content.dsseEnvelope : undefined
  if (envelope === undefined) throw untrusted('is over bare bytes, not over a statement about an image')
  const material = bundle.verificationMaterial.content.$case
  const signed = await (material === 'publicKey' ? signedByKey(bundle, context) : signedByIdentity(bundle, context))
  if (envelope.payloadType !== ArtifactType.inToto) {
    throw untrusted(`is over ${printable(envelope.payloadType, 100)}, not over a statement of in-toto`)
  }
  return claimOf(readStatement(envelope.payload), signed, context)
}

/** The members that are checked before the library reads the bundle, since the library does not check them. */
interface BundleJson {
  verificationMaterial?: {
    tlogEntries?: unknown
    timestampVerificationData?: { rfc3161Timestamps?: unknown } | null
  } | null
  dsseEnvelope?: { signatures?: unknown } | null
}

function checkShape(json: BundleJson | null): void {
  const material = json?.verificationMaterial
  if (JSON.stringify(material ?? null).length > MATERIAL_LIMIT)
    throw untrusted('has too large certificates or log entries')
  for (const list of [material?.tlogEntries, material?.timestampVerificationData?.rfc3161Timestamps]) {
    if (Array.isArray(list) && list.length > MOST_ENTRIES) throw untrusted('has too many log entries or times')
  }
  const signatures = json?.dsseEnvelope?.signatures
  if (Array.isArray(signatures) && signatures.length !== 1) {
    throw untrusted(`has ${signatures.length} signatures; a bundle has one`)
  }
}

async function read(json: unknown): Promise<Bundle> {
  const { bundleFromJSON } = await import('@sigstore/bundle')
  try {
    return bundleFromJSON(json)
  } catch (error) {
    throw untrusted(`is not a well-formed bundle: ${printable(String((error as Error).message), 200)}`, error)
  }
}

function claimOf(
  { subjects, predicateType, predicate }: Statement,
  signed: Signed,
  context: VerificationContext,
): Claim {
  const digests = subjects.map(({ digest }) => Object.entries(digest).map(([algorithm, hex]) => `${algorithm}:${hex}`))
  checkDigest(digests.flat(), context.subject)
  const wanted = context.requirements.predicateType ?? SIGNATURE_PREDICATE
  if (predicateType !== wanted) {
    throw untrusted(`is a statement of the type ${printable(predicateType, 200)}, not of ${printable(wanted, 200)}`)
  }
  const about = subjects.filter((_, at) => digests[at]!.includes(context.subject.digest))
  const annotations = textsOf(about[0]!.annotations)
  return {
    ...signed,
    signedAt: signed.signedAt ?? timeOf(annotations[CREATED]),
    repositories: about.map(({ name }) => boundRepository(name)),
    predicateType,
    predicate,
    annotations,
  }
}

function textsOf(annotations: Readonly<Record<string, unknown>> = {}): Record<string, string> {
  return Object.fromEntries(
    Object.entries(annotations).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
  )
}

function timeOf(text: string | undefined): Date | undefined {
  const time = new Date(text ?? '')
  return Number.isNaN(time.getTime()) ? undefined : time
}
