import type { X509Certificate } from 'node:crypto'
import type { TrustMaterial } from '@sigstore/verify'
import type { VerificationKey } from '../key/index.ts'

/** Somebody whose signatures count. */
export type TrustedSigner = TrustedKey | TrustedIdentity | TrustedCertificate

/** Whoever holds the private key. */
export interface TrustedKey {
  kind: 'key'
  /** For people: the file that the key came from. */
  name: string
  key: VerificationKey
}

/** Whoever logged in as somebody when they signed (Sigstore, "keyless"): an authority of the root vouches for that. */
export interface TrustedIdentity {
  kind: 'identity'
  name: string
  root: TrustRoot
  /** Mail address or URI of the certificate; `*` stands for any text. */
  subject: string
  /** The login service, exactly: `https://token.actions.githubusercontent.com`. */
  issuer: string
}

/** Whoever has a certificate of one of these authorities (Notation). */
export interface TrustedCertificate {
  kind: 'certificate'
  name: string
  authorities: readonly X509Certificate[]
  /** What the subject of the certificate must have: `{ O: 'Example', CN: 'Releases' }`. Anything when it is not given. */
  subject?: Readonly<Record<string, string>>
  /** The authorities are signing authorities (`notary.x509.signingAuthority`): the time that they state is believed. */
  signingAuthority?: boolean
}

/** The authorities and logs of a Sigstore instance, of its trusted_root.json. */
export interface TrustRoot {
  readonly material: TrustMaterial
}
