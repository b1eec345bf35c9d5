import { type ErrorCode, isBaleError } from '#base'

/** What is wrong with a document or blob itself, wherever it is kept. */
const CODES: readonly ErrorCode[] = [
  'BLOB_NOT_FOUND',
  'DIGEST_MISMATCH',
  'INVALID_ARGUMENT',
  'INVALID_DIGEST',
  'INVALID_MANIFEST',
  'LIMIT_EXCEEDED',
  'MANIFEST_NOT_FOUND',
  'SIZE_MISMATCH',
  'UNTRUSTED',
]

/**
 * The reason, when one attachment alone is at fault: others may still be read. Undefined when the failure says nothing of
 * the attachment (no network, no login, cancelled): then nothing is known, and the failure must be passed on.
 */
export function objectionTo(error: unknown): string | undefined {
  return isBaleError(error) && CODES.includes(error.code) ? error.message : undefined
}
