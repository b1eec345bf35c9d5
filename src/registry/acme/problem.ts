import { BaleError, isBaleError, printable } from '#base'
import { type HttpAnswer, parseRetryAfter } from '#transport/http'

const LONGEST_DOCUMENT = 256 * 1024

/** What an authority says of a failure (RFC 7807, RFC 8555 section 6.7). */
export interface Problem {
  /** `rateLimited`, without what all types begin with. */
  type?: string
  text: string
  /** Milliseconds that the authority wants us to wait. */
  wait?: number
}

/** A failure that is reported to the operator; the next try comes after `wait` milliseconds at the earliest. */
export function authorityFailed(message: string, { wait, cause }: { wait?: number; cause?: unknown } = {}): BaleError {
  return new BaleError('CERTIFICATE_FAILED', message, { cause, details: { wait } })
}

/** The client's messages are about registries. */
export function asAuthorityFailure(error: unknown, authority: string): unknown {
  if (!isBaleError(error) || error.code === 'CERTIFICATE_FAILED' || error.code === 'ABORTED') return error
  return authorityFailed(`the authority ${authority} failed: ${error.message}`, { cause: error })
}

/** A document of an authority. */
export async function documentOf(answer: HttpAnswer): Promise<Record<string, unknown>> {
  const text = (await answer.document(LONGEST_DOCUMENT, 'an answer')).toString()
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw authorityFailed(`what answers at ${answer.url.host} is no ACME authority (status ${answer.status})`)
}

/** The problem that an answer of 400 and above is about. */
export async function problemIn(answer: HttpAnswer, now: number): Promise<Problem> {
  const wait = parseRetryAfter(answer.headers['retry-after'], now)
  const text = (await answer.beginning(LONGEST_DOCUMENT)).toString()
  try {
    return { ...problemOf(JSON.parse(text)), wait }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return { text: `status ${answer.status}`, wait }
  }
}

const TYPES = 'urn:ietf:params:acme:error:'

/** Texts of others are shown without what a terminal obeys. */
export function problemOf(value: unknown): Problem {
  const { type, detail, subproblems } = (typeof value === 'object' && value !== null ? value : {}) as Document
  const name = typeof type === 'string' ? printable(type.replace(TYPES, ''), 64) : undefined
  const details = [detail, ...(Array.isArray(subproblems) ? subproblems.map((one: Document) => one?.detail) : [])]
  const said = details.filter((one) => typeof one === 'string').map((one) => printable(one, 300))
  return { type: name, text: [name, ...said].filter((one) => one !== undefined).join(': ') || 'it does not say why' }
}

interface Document {
  type?: unknown
  detail?: unknown
  subproblems?: unknown
}
