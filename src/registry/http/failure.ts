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
  IMAGE_BLOCKED: [403, 'DENIED'],
  REPOSITORY_MOVED: [403, 'DENIED'],
  NO_SPACE: [507, 'UNKNOWN', 'the registry has no space left'],
  LOCKED: [503, 'UNKNOWN', 'another request is at work on the same; try again'],
  UNAVAILABLE: [503, 'UNAVAILABLE', 'the registry is not available at the moment; try again'],
}

/** Failures of upstreams. The texts follow the upstream's prefix, which is part of repositories' names here; its address is not told. */
const OF_UPSTREAM: Partial<Record<ErrorCode, [number, string, string]>> = {
  MANIFEST_NOT_FOUND: [404, 'NAME_UNKNOWN', 'may have it, but this registry does not take it from there'],
  DENIED: [403, 'DENIED', 'does not let this registry have it'],
  RATE_LIMITED: [429, 'TOOMANYREQUESTS', 'asks to retry later'],
  REGISTRY_UNREACHABLE: [503, 'UNAVAILABLE', 'cannot be reached at the moment'],
  REGISTRY_FAILED: [502, 'UNAVAILABLE', 'does not answer as a registry should'],
}

export function asRefusal(thrown: unknown): Refusal {
  const failure = firstError(thrown)
  if (failure instanceof Refusal) return failure
  const known = failure instanceof BaleError ? (ofUpstream(failure) ?? STATUS[failure.code]) : undefined
  const [status, code, message = asError(failure).message] = known ?? [500, 'UNKNOWN', 'the registry failed']
  return new Refusal(status, code, message, { headers: retryAfter(status, failure) })
}

function ofUpstream({ code, details }: BaleError): [number, string, string] | undefined {
  const known = 'upstream' in details ? OF_UPSTREAM[code] : undefined
  return known && [known[0], known[1], `${details['upstream']} ${known[2]}`]
}

/** What an upstream asks for is passed on. Else the client tries again soon; by then another replica, or the new primary of the database, answers. */
function retryAfter(status: number, failure: unknown): OutgoingHttpHeaders {
  const asked = failure instanceof BaleError && ofUpstream(failure) ? failure.details['retryAfter'] : undefined
  if (typeof asked === 'number') return { 'Retry-After': Math.max(1, Math.ceil(asked / 1000)) }
  return status === 503 ? { 'Retry-After': '2' } : {}
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
