import type { Bundle } from '@sigstore/bundle'
import type { TrustMaterial } from '@sigstore/verify'
import { printable } from '#base'
import { type Claim, type TrustedKey, untrusted, type VerificationContext } from '../claim/index.ts'

/** Who made a signature, and when, as far as the bundle proves it. */
export type Signed = Pick<Claim, 'by' | 'who' | 'signedAt'>

/**
 * The trusted keys that made the signature. All are tried: the hint of a bundle is not signed, and may be anything. Entries of
 * logs are not looked at, since the key alone decides. Throws UNTRUSTED.
 */
export async function signedByKey(bundle: Bundle, { requirements }: VerificationContext): Promise<Signed> {
  const keys = requirements.signers.filter((one) => one.kind === 'key')
  const { toSignedEntity, Verifier } = await import('@sigstore/verify')
  const entity = { ...toSignedEntity(withoutTimes(bundle)), tlogEntries: [], timestamps: [] }
  const by = keys.filter(({ key }) => {
    const verifier = new Verifier(materialOf(key.object), NOTHING_ELSE)
    try {
      verifier.verify(entity)
      return true
    } catch {
      return false
    }
  })
  if (by.length > 0) return { by, who: `key SHA256:${by[0]!.key.hint}` }
  throw untrusted(reason(bundle, keys))
}

const NOTHING_ELSE = { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 }

function materialOf(publicKey: TrustedKey['key']['object']): TrustMaterial {
  return {
    certificateAuthorities: [],
    timestampAuthorities: [],
    tlogs: [],
    ctlogs: [],
    publicKey: () => ({ publicKey, validFor: () => true }),
  }
}

/** Times are parsed when a bundle is looked at, and a broken one would spoil a signature that does not need it. */
function withoutTimes(bundle: Bundle): Bundle {
  const verificationMaterial = {
    ...bundle.verificationMaterial,
    tlogEntries: [],
    timestampVerificationData: undefined,
  }
  return { ...bundle, verificationMaterial } as Bundle
}

function reason({ verificationMaterial: { content } }: Bundle, keys: readonly TrustedKey[]): string {
  if (keys.length === 0) return 'was made with a key, and no key is trusted'
  const hint = content.$case === 'publicKey' ? content.publicKey.hint : ''
  const named = keys.find(({ key }) => key.hint === hint)
  if (named) return `does not fit: it names ${named.name}, but was not made with it over this content`
  const shown = hint === '' ? '' : ` (it names SHA256:${printable(hint, 60)})`
  return `was not made with a trusted key over this content${shown}`
}
