import { BaleError, printable } from '#base'
import { type HttpAnswer, isTransient, parseRetryAfter } from '#transport/http'

/** An answer of the server that is not the one that was hoped for. */
export class S3Failure extends Error {
  readonly status: number
  /** S3's code: `NoSuchKey`. A HEAD has none. */
  readonly reason: string | undefined
  /** What the server says besides. */
  readonly said: string | undefined
  /** Milliseconds. */
  readonly retryAfter: number | undefined

  constructor(answer: Pick<HttpAnswer, 'status' | 'headers'>, body: string, now: number) {
    const reason = /<Code>\s*([A-Za-z0-9._]{1,64})\s*<\/Code>/.exec(body)?.[1]
    super(reason ? `${answer.status} ${reason}` : `status ${answer.status}`)
    this.status = answer.status
    this.reason = reason
    this.said = /<Message>([^<]+)<\/Message>/.exec(body)?.[1]
    this.retryAfter = parseRetryAfter(answer.headers['retry-after'], now)
  }
}

/** The failure below what a client made of it. */
export function rootOf(thrown: unknown): unknown {
  let error = thrown
  while (error instanceof Error && !(error instanceof S3Failure || error instanceof BaleError) && error.cause) {
    error = error.cause
  }
  return error
}

/** S3's answer behind an error, also of one that `asBaleError` made. */
export function failureBehind(error: unknown): S3Failure | undefined {
  const found = error instanceof BaleError ? error.cause : rootOf(error)
  return found instanceof S3Failure ? found : undefined
}

/** S3's codes for "not now". A `CompleteMultipartUpload` may bring them with status 200. */
const PASSING = new Set([
  'InternalError',
  'OperationAborted',
  'RequestTimeout',
  'RequestTimeoutException',
  'ServiceUnavailable',
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'TooManyRequests',
])
const PASSING_STATUS = new Set([408, 425, 429, 500, 502, 503, 504])
/** While a server restarts, it and perhaps its name are unreachable for a moment. */
const NOT_THERE = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
])

/** Whether the same request may succeed a little later. */
export function isPassing(error: unknown): boolean {
  if (error instanceof S3Failure) {
    return PASSING_STATUS.has(error.status) || (error.reason !== undefined && PASSING.has(error.reason))
  }
  return isTransient(error) || (error instanceof BaleError && NOT_THERE.has(error.details['errno'] as string))
}

/** What a failure means to the registry. `place` names the bucket; nothing of the request is in the message. */
export function asBaleError(error: unknown, place: string): unknown {
  if (error instanceof S3Failure) return answered(error, place)
  // The HTTP client's messages and hints are about registries.
  if (!(error instanceof BaleError) || !error.code.startsWith('REGISTRY_')) return error
  return unavailable(place, error.message, { cause: error, details: error.details })
}

export function unavailable(
  place: string,
  why: string,
  options: { cause?: unknown; details?: Record<string, unknown> } = {},
): BaleError {
  const hint = 'check that the storage runs and that its address is right; what failed can be tried again'
  return new BaleError('UNAVAILABLE', `the ${place} is not available: ${why}`, { ...options, hint })
}

const FULL = new Set(['QuotaExceeded', 'XMinioStorageFull', 'XMinioAdminBucketQuotaExceeded', 'InsufficientCapacity'])
/** Refusals of whoever asks, which some servers give with status 400. */
const REFUSED = /^(?:AccessDenied|AllAccessDisabled|InvalidAccessKeyId|SignatureDoesNotMatch|RequestTimeTooSkewed)$/
/** Somebody else aborted or completed the upload, or overwrote its parts. */
const LOST_PARTS = /^(?:NoSuchUpload|InvalidPart|InvalidPartOrder|EntityTooSmall)$/

function answered(failure: S3Failure, place: string): BaleError {
  const { status, reason = '', retryAfter } = failure
  const details = { status, reason: failure.reason, retryAfter }
  if (isPassing(failure)) return unavailable(place, failure.message, { cause: failure, details })
  if (status === 507 || FULL.has(reason)) {
    return new BaleError('NO_SPACE', `the ${place} is full: ${failure.message}`, { cause: failure, details })
  }
  if (status === 401 || status === 403 || REFUSED.test(reason)) return denied(failure, place)
  if (reason === 'NoSuchBucket') {
    const hint = 'create it, or correct the name of the bucket, its endpoint or its region'
    return new BaleError('INVALID_ARGUMENT', `there is no ${place}`, { cause: failure, details, hint })
  }
  if (LOST_PARTS.test(reason)) {
    return new BaleError('STORE_DAMAGED', `parts of an object in the ${place} are lost: ${failure.message}`, {
      cause: failure,
      details,
    })
  }
  const said = failure.said ? `: ${printable(failure.said, 300)}` : ''
  const hint = status < 400 ? 'check its endpoint and its region' : undefined
  const message = `the ${place} refuses a request: ${failure.message}${said}`
  return new BaleError('INVALID_ARGUMENT', message, { cause: failure, details, hint })
}

function denied(failure: S3Failure, place: string): BaleError {
  const { status, reason } = failure
  const hint =
    reason === 'RequestTimeTooSkewed'
      ? 'the clock of this machine is wrong, or that of the storage'
      : 'check the access key and its secret, and that it may read, write, delete and list objects and uploads there'
  const message = `the ${place} denies access: ${failure.message}`
  return new BaleError('DENIED', message, { cause: failure, details: { status, reason }, hint })
}
