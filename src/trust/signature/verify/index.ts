/**
 * trust/signature/verify: all that is attached to an image, in whatever form, judged against what is required. Promises: bounded
 * reading whatever is attached; a reason for each signature that does not count; a failure that is not the signature's
 * fault (no network) is thrown, never taken for an unsigned image. Does not: know policies.
 */
export { type Verification, verifyImage } from './verify-image.ts'
