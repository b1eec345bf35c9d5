import { describe } from '#image'
import type { Descriptor } from '#spec'
import { ArtifactType } from '../attachment/index.ts'
import type { SigningKey } from '../key/index.ts'
import { makePayload } from './payload.ts'

/** The annotation of a layer that holds the signature of its bytes, in base64. */
export const SIMPLE_SIGNATURE = 'dev.cosignproject.cosign/signature'

/** A signature of cosign's old form: a payload, and a descriptor of it that carries the signature. */
export interface SimpleSignature {
  readonly subject: Descriptor
  readonly layer: Descriptor
  readonly payload: Uint8Array
}

/** Signs the digest of an image together with the repository that it is in. */
export function signSimple(
  key: SigningKey,
  subject: Descriptor,
  parts: { repository: string; annotations?: Readonly<Record<string, string>>; created?: number },
): SimpleSignature {
  const payload = makePayload(subject, parts)
  const annotations = { [SIMPLE_SIGNATURE]: Buffer.from(key.sign(payload)).toString('base64') }
  return { subject, payload, layer: { ...describe(payload, ArtifactType.simpleSigning), annotations } }
}
