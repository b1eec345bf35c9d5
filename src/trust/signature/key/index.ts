/**
 * trust/signature/key: keys that sign images, and keys that signatures are checked with. Promises: only ECDSA P-256 and
 * Ed25519; a file that is something else is told what it is; no message holds a part of a private key or a password. Does
 * not: read files, ask for passwords, know certificates.
 */
export { generateKeys } from './generate-keys.ts'
export { type KeyKind, type SigningKey, signatureMatches, type VerificationKey } from './key.ts'
export { pemBlocks } from './pem.ts'
export { readSigningKey } from './read-signing-key.ts'
export { readVerificationKey } from './read-verification-key.ts'
