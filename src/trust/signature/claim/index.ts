/**
 * trust/signature/claim: who is trusted, what a signature says, and whether that is what is asked for. Promises: pure; every
 * form of signature is judged by the same rules of repository and age. Does not: check a signature.
 */
export { checkClaim, checkDigest, untrusted } from './check-claim.ts'
export type { Claim, RepositoryRule, Requirements, VerificationContext } from './claim.ts'
export { boundRepository, repositoryOf } from './repository-of.ts'
export type { TrustedCertificate, TrustedIdentity, TrustedKey, TrustedSigner, TrustRoot } from './trusted-signer.ts'
