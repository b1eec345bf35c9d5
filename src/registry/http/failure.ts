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

/** What bale's own errors mean to a client; anything else is a bug in bale and reveals nothing. */
const STATUS: Partial<Record<ErrorCode, [number, string]>> = {
  INVALID_DIGEST: [400, 'DIGEST_INVALID'],
  INVALID_MANIFEST: [400, 'MANIFEST_INVALID'],
  LIMIT_EXCEEDED: [413, 'SIZE_INVALID'],
  NO_SPACE: [507, 'UNKNOWN'],
  LOCKED: [503, 'UNKNOWN'],
}

export function asRefusal(thrown: unknown): Refusal {
  const failure = firstError(thrown)
  if (failure instanceof Refusal) return failure
  const [status, code] = (failure instanceof BaleError && STATUS[failure.code]) || [500, 'UNKNOWN']
  const message = code === 'UNKNOWN' && status === 500 ? 'the registry failed' : asError(failure).message
  return new Refusal(status, code, message)
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
