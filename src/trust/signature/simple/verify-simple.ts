import type { Descriptor } from '#spec'
import {
  type Claim,
  checkDigest,
  repositoryOf,
  type TrustedKey,
  untrusted,
  type VerificationContext,
} from '../claim/index.ts'
import { signatureMatches } from '../key/index.ts'
import { type Payload, readPayload } from './payload.ts'
import { SIMPLE_SIGNATURE } from './sign-simple.ts'

/**
 * Checks a signature of cosign's old form: the layer's annotation, made with a trusted key over the payload, which names the
 * digest of the image. Throws UNTRUSTED.
 */
export function verifySimple(layer: Descriptor, payload: Uint8Array, context: VerificationContext): Claim {
  const by = madeBy(
    layer,
    payload,
    context.requirements.signers.filter((one) => one.kind === 'key'),
  )
  const read = readPayload(payload)
  checkDigest([read.digest], context.subject)
  return {
    by,
    who: `key SHA256:${by[0]!.key.hint}`,
    repositories: [boundTo(read)],
    ...(read.created !== undefined && { signedAt: timeOf(read.created) }),
    annotations: read.annotations,
  }
}

function madeBy({ annotations = {} }: Descriptor, payload: Uint8Array, keys: readonly TrustedKey[]): TrustedKey[] {
  const text = annotations[SIMPLE_SIGNATURE] ?? ''
  if (!/^[A-Za-z0-9+/]{1,1024}={0,2}$/.test(text)) throw untrusted('is missing, or not base64')
  const signature = Buffer.from(text, 'base64')
  const by = keys.filter(({ key }) => signatureMatches(key, payload, signature))
  if (by.length > 0) return by
  if ('dev.sigstore.cosign/certificate' in annotations)
    throw untrusted('was made with a certificate in the old form of cosign, which is not read')
  if (keys.length === 0) throw untrusted('was made with a key, and no key is trusted')
  throw untrusted('was not made with a trusted key over this content')
}

/** Here all texts are meant as names: one that cannot be read is no repository that an image is in. */
function boundTo({ reference }: Payload): string | undefined {
  return reference === '' ? undefined : (repositoryOf(reference) ?? reference)
}

function timeOf(seconds: number): Date {
  const time = new Date(seconds * 1000)
  if (Number.isNaN(time.getTime())) throw untrusted('states a time that is none')
  return time
}
