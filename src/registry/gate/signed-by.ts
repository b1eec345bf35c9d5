import type { Clock } from '#base'
import type { AttachmentSource } from '#trust/signature'
import type { GateParts } from './gate.ts'

interface SignedByParts {
  /** A repository of this registry. */
  open(repository: string): AttachmentSource
  clock: Clock
}

/**
 * Whether one of the keys signed a manifest: a signature that is attached to it, in any form. What it says of the name of the repository is not
 * asked for: the same registry has several names.
 */
export function signedBy({ open, clock }: SignedByParts): GateParts['isSigned'] {
  return async ({ repository, digest }, keys) => {
    const { readVerificationKey, verifyImage } = await import('#trust/signature')
    const source = open(repository)
    const { descriptor } = await source.resolve(digest)
    const signers = keys.map((pem) => ({
      kind: 'key' as const,
      name: 'a key of the policy',
      key: readVerificationKey(pem),
    }))
    const { verified } = await verifyImage(
      descriptor,
      source,
      { signers, repository: 'any' },
      { repository: undefined, clock },
    )
    return verified.length > 0
  }
}
