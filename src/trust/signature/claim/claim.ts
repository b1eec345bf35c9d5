import type { Descriptor } from '#spec'
import type { TrustedSigner } from './trusted-signer.ts'

/**
 * Which repository a signature must name. `match`: the one the image is in, or none. `named`: the one the image is in. `any`:
 * any or none, so that a signature made in another repository counts where the image was copied.
 */
export type RepositoryRule = 'match' | 'named' | 'any'

/** What is asked of a signature. */
export interface Requirements {
  signers: readonly TrustedSigner[]
  /** An attestation of this type is wanted, and not a signature. */
  predicateType?: string
  /** `match` by default. */
  repository?: RepositoryRule
  /**
   * The signature must say that it was made at this time or later. Nothing else refuses a tag that somebody moved back to
   * an older image: that one was signed too, and its signature stays valid.
   */
  notOlderThan?: Date
}

/** What is known when signatures are checked. */
export interface VerificationContext {
  subject: Descriptor
  /** `registry.example/team/web`; undefined for an image without a name, which then is in no repository. */
  repository: string | undefined
  requirements: Requirements
  /** Milliseconds since 1970. */
  now: number
}

/** The content of a valid signature of a trusted signer over the digest in question. */
export interface Claim {
  /** All entries of the trusted signers that fit. */
  by: readonly TrustedSigner[]
  /** Who signed, as the signature proves it: a key, an identity, the subject of a certificate. */
  who: string
  /** The repositories that it names the digest in; undefined among them where it names the digest alone. */
  repositories: readonly (string | undefined)[]
  /**
   * Of a key, or a Notation certificate: the time that the signer states. Of an identity: when its certificate was given,
   * which is minutes before it signed at most.
   */
  signedAt?: Date
  predicateType?: string
  predicate?: unknown
  annotations: Readonly<Record<string, string>>
}
