import { type BaleError, isBaleError } from '#base'

const WRONG_CONTENT = [
  'DIGEST_MISMATCH',
  'SIZE_MISMATCH',
  'INVALID_COMPRESSION',
  'INVALID_TAR',
  'LIMIT_EXCEEDED',
] as const

/** True for errors of the bytes themselves, not of their transfer. */
export function isWrongContent(error: unknown): error is BaleError {
  return isBaleError(error) && (WRONG_CONTENT as readonly string[]).includes(error.code)
}
