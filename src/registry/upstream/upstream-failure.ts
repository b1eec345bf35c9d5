import { asError, BaleError, isBaleError } from '#base'
import type { UpstreamName } from './upstream-names.ts'

/** What an upstream's failure means here. */
type FailureKind =
  /** It has no such thing. */
  | 'absent'
  /** It does not give it to this registry. */
  | 'refused'
  /** It cannot be asked now, or gives what is not right. */
  | 'down'
  /** The failure is not the upstream's. */
  | 'own'

const REFUSED = ['UNAUTHORIZED', 'DENIED', 'REGISTRY_REFUSED', 'CREDENTIALS_FAILED'] as const
const DOWN = ['RATE_LIMITED', 'REGISTRY_UNREACHABLE', 'REGISTRY_FAILED'] as const
const WRONG = ['DIGEST_MISMATCH', 'SIZE_MISMATCH', 'INVALID_MANIFEST', 'INVALID_DIGEST', 'LIMIT_EXCEEDED'] as const

const isOneOf = (error: unknown, codes: readonly (typeof REFUSED | typeof DOWN | typeof WRONG)[number][]) =>
  codes.some((code) => isBaleError(error, code))

/** What kind of failure the registry client, or the check of what it brought, threw. */
export function failureKind(error: unknown): FailureKind {
  if (isBaleError(error, 'MANIFEST_NOT_FOUND') || isBaleError(error, 'BLOB_NOT_FOUND')) return 'absent'
  if (isOneOf(error, REFUSED)) return 'refused'
  return isOneOf(error, DOWN) || isOneOf(error, WRONG) ? 'down' : 'own'
}

/** Whether an error of `upstreamError` says that the upstream cannot be asked now, or gives what is not right. */
export function isDown(error: unknown): error is BaleError {
  return isOneOf(error, DOWN) && 'upstream' in (error as BaleError).details
}

/** Of those, whether it cannot be asked: what is wrong with one thing says nothing about others. */
export function isAway(error: BaleError): boolean {
  return isOneOf(error.cause, DOWN)
}

/**
 * The error for a client: it names the upstream, and `details.upstream` has its prefix. What the cause says of hosts is for the
 * operator. DENIED, RATE_LIMITED, REGISTRY_UNREACHABLE or REGISTRY_FAILED; a failure of our own stays what it is.
 */
export function upstreamError(thrown: unknown, { upstream, there }: UpstreamName): unknown {
  const kind = failureKind(thrown)
  if (kind === 'own' || kind === 'absent') return thrown
  const error = asError(thrown)
  const { prefix } = upstream
  const details = { ...(error instanceof BaleError ? error.details : {}), upstream: prefix }
  const options = { cause: error, details }
  if (kind === 'refused') {
    return new BaleError('DENIED', `${prefix} does not give ${there} to this registry: ${error.message}`, options)
  }
  const code = DOWN.find((one) => isBaleError(error, one)) ?? 'REGISTRY_FAILED'
  return new BaleError(code, `${prefix} does not give ${there} at the moment: ${error.message}`, options)
}
