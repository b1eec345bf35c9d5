import { encodeDocument } from '#spec'
import { ArtifactType } from '../attachment/index.ts'
import type { SigningKey } from '../key/index.ts'
import { preAuthenticationEncoding } from './envelope.ts'

/**
 * A Sigstore bundle (version 0.3) around a statement, signed with a key. It names the key by its hint, and has neither a
 * certificate nor an entry of a log, so nothing but the key is needed to make or check it.
 */
export function makeBundle(statement: Uint8Array, key: SigningKey): Uint8Array {
  const payloadType = ArtifactType.inToto
  const signature = key.sign(preAuthenticationEncoding(payloadType, statement))
  return encodeDocument({
    mediaType: ArtifactType.bundle,
    verificationMaterial: { publicKey: { hint: key.public.hint } },
    dsseEnvelope: {
      payload: Buffer.from(statement).toString('base64'),
      payloadType,
      signatures: [{ sig: Buffer.from(signature).toString('base64') }],
    },
  })
}
