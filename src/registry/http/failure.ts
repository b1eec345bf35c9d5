import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { asError, BaleError, type ErrorCode, firstError } from '#base'
import { encodeRegistryErrors } from '#spec'

/** An answer that refuses. `code` is the distribution specification's (section "Error Codes"). */
export class Refusal extends Error {
  readonly status: number
  readonly code: string
  readonly detail: unknown
  readonly headers: OutgoingHttpHeaders

  constructor(
    status: number,
    code: string,
    message: string,
    { detail, headers = {} }: { detail?: unknown; headers?: OutgoingHttpHeaders } = {},
  ) {
    super(message)
    this.status = status
    this.code = code
    this.detail = detail
    this.headers = headers
  }
}

/**
 * What bale's own errors mean to a client; anything else is a bug in bale and reveals nothing. Where there is a text, it
 * stands for the error's own, which is for the operator: it names buckets, addresses and files that are no client's business.
 */
const STATUS: Partial<Record<ErrorCode, [number, string, string?]>> = {
  INVALID_DIGEST: [400, 'DIGEST_INVALID'],
  INVALID_MANIFEST: [400, 'MANIFEST_INVALID'],
  LIMIT_EXCEEDED: [413, 'SIZE_INVALID'],
  // docker, podman and skopeo print code and message of any status from 400 on, and do not try again. Harbor's users know
  // 412 for this; with 403, clients would advise another login.
  TAG_IMMUTABLE: [412, 'DENIED'],
  POLICY_VIOLATED: [412, 'DENIED'],
  // As Harbor answers: docker, podman and skopeo print `denied:` with the message.
  QUOTA_EXCEEDED: [403, 'DENIED'],
  REPOSITORY_MOVED: [403, 'DENIED'],
  NO_SPACE: [507, 'UNKNOWN', 'the registry has no space left'],
  LOCKED: [503, 'UNKNOWN', 'another request is at work on the same; try again'],
  UNAVAILABLE: [503, 'UNAVAILABLE', 'the registry is not available at the moment; try again'],
}

export function asRefusal(thrown: unknown): Refusal {
  const failure = firstError(thrown)
  if (failure instanceof Refusal) return failure
  const known = failure instanceof BaleError ? STATUS[failure.code] : undefined
  const [status, code, message = asError(failure).message] = known ?? [500, 'UNKNOWN', 'the registry failed']
  // The client tries again; by then another replica, or the new primary of the database, answers.
  return new Refusal(status, code, message, status === 503 ? { headers: { 'Retry-After': '2' } } : {})
}

/** Sends a refusal; HEAD gets headers only. */
export function sendRefusal(response: ServerResponse, refusal: Refusal): void {
  const { status, code, message, detail, headers } = refusal
  const body = encodeRegistryErrors([{ code, message, ...(detail === undefined ? {} : { detail }) }])
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    ...headers,
  })
  response.end(body)
}
