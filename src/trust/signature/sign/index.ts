/**
 * trust/signature/sign: signing images. Promises: needs a key and nothing else, no service and no network; deterministic but
 * for the signature itself. Does not: put anything anywhere (attach does).
 */
export { createSigner, type Signer, type SignOptions } from './create-signer.ts'
