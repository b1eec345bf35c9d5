import { STATUS_CODES } from 'node:http'
import { BaleError, type ErrorCode, type NextStep } from '#base'

/** What is wrong with one value of a request. */
export interface Fault {
  /** JSON Pointer (RFC 6901) into the body. */
  pointer?: string
  /** A parameter of the path or the query. */
  parameter?: string
  detail: string
}

/** An answer that refuses (RFC 9457), and what bale's own clients make the same error of. */
export interface Problem {
  /** What it means is in `code`. */
  type: 'about:blank'
  /** The status in words. */
  title: string
  status: number
  detail: string
  /** ID of the request, as X-Request-Id and the registry's log have it. */
  instance: string
  code: ErrorCode
  hint?: string
  next?: NextStep
  errors?: readonly Fault[]
}

/**
 * Status of each error, and the text for those whose own names buckets, addresses and files, which are no client's business.
 * Any other is a bug in bale and reveals nothing.
 */
const STATUS: Partial<Record<ErrorCode, [number, string?]>> = {
  INVALID_ARGUMENT: [400],
  INVALID_REFERENCE: [400],
  INVALID_DIGEST: [400],
  UNAUTHORIZED: [401],
  DENIED: [403],
  NOT_FOUND: [404],
  MANIFEST_NOT_FOUND: [404],
  CONFLICT: [409],
  LOCKED: [409],
  TAG_IMMUTABLE: [412],
  POLICY_VIOLATED: [412],
  // As a push is answered.
  QUOTA_EXCEEDED: [403],
  IMAGE_BLOCKED: [403],
  REPOSITORY_MOVED: [403],
  LIMIT_EXCEEDED: [413],
  RATE_LIMITED: [429],
  UNAVAILABLE: [503, 'the registry is not available at the moment; try again'],
  NO_SPACE: [507, 'the registry has no space left'],
}

export function problemOf(failure: unknown, instance: string): Problem {
  const known = failure instanceof BaleError ? STATUS[failure.code] : undefined
  if (!known || !(failure instanceof BaleError)) {
    return { ...plain(500, 'the registry failed', instance), code: 'INTERNAL' }
  }
  const [status, instead] = known
  const { code, message, hint, next, details } = failure
  if (instead !== undefined) return { ...plain(status, instead, instance), code }
  const errors = details['faults'] as Fault[] | undefined
  return { ...plain(status, message, instance), code, ...omitUndefined({ hint, next, errors }) }
}

/** For what HTTP itself or the login refuses, by its status. */
export function problemOfStatus(status: number, detail: string, instance: string): Problem {
  return { ...plain(status, detail, instance), code: CODES.get(status) ?? 'UNSUPPORTED' }
}

/** What is refused before an operation is known to be asked for has no error of bale's own. */
const CODES: ReadonlyMap<number, ErrorCode> = new Map([
  [400, 'INVALID_ARGUMENT'],
  [401, 'UNAUTHORIZED'],
  [403, 'DENIED'],
  [413, 'LIMIT_EXCEEDED'],
  [429, 'RATE_LIMITED'],
  [503, 'UNAVAILABLE'],
])

function plain(status: number, detail: string, instance: string): Omit<Problem, 'code'> {
  return { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, detail, instance }
}

function omitUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as T
}

/** INVALID_ARGUMENT that names all that is wrong. */
export function invalidInput(faults: readonly Fault[]): BaleError {
  const lines = faults.map(({ pointer, parameter, detail }) => {
    const place = parameter ?? pointer
    return place ? `${place}: ${detail}` : detail
  })
  return new BaleError('INVALID_ARGUMENT', lines.join('; '), { details: { faults } })
}
