import { BaleError, type ErrorCode, printable } from '#base'
import { parseJson, parseRegistryErrors } from '#spec'
import { type HttpAnswer, parseRetryAfter } from '#transport/http'
import type { RemoteLimits } from './limits.ts'
import type { RegistryHost } from './registry-host.ts'

interface AnswerContext {
  /** The failed request as the user knows it: `manifest localhost:5000/x:1`. */
  what: string
  /** Name of the registry as the user writes it. */
  registry: string
  limits: RemoteLimits
  now: number
  /** Code of a 404. */
  notFound?: ErrorCode
}

/**
 * 403 is also what registries answer when a quota is full (bale's, Harbor's, Quay's in these words), when a name has moved, or when a
 * policy keeps an image back: another login changes nothing then.
 */
const NO_MATTER_OF_RIGHTS =
  /\bquota\b|\bexceed(?:ed|s)?\b|\bwas renamed\b|\bpolicy \d+ of\b|\bconfigured policy\b|\bquarantine\b/i

/** What an answer that was not hoped for means. Reads (a bounded part of) its body. */
export async function answerError(answer: HttpAnswer, context: AnswerContext): Promise<BaleError> {
  const { what, registry, limits } = context
  const body = (await answer.beginning(limits.errorBytes)).toString('utf8')
  const { code, message } = parseErrors(body)
  const details = {
    status: answer.status,
    registryCode: code,
    retryAfter: parseRetryAfter(answer.headers['retry-after'], context.now),
  }
  const said = message ?? code?.toLowerCase().replaceAll('_', ' ')
  const because = said ? `: ${said}` : ''
  if (isHtml(answer, body) && answer.status !== 401 && answer.status !== 429)
    return htmlError(answer, registry, details)
  switch (answer.status) {
    case 401:
      return new BaleError('UNAUTHORIZED', `access to ${what} denied${because}`, {
        details,
        next: { act: 'login', registry, because: 'unknown' },
      })
    case 403:
      return new BaleError('DENIED', `access to ${what} denied${because}`, {
        details,
        next: NO_MATTER_OF_RIGHTS.test(message ?? '') ? undefined : { act: 'login', registry, because: 'denied' },
      })
    case 404:
      return new BaleError(context.notFound ?? 'REGISTRY_FAILED', `${what} not found${because}`, { details })
    case 429:
      return new BaleError('RATE_LIMITED', `${registry} asks to retry later${because}`, {
        details,
        hint:
          details.retryAfter === undefined
            ? 'a login often raises the limit'
            : `try again in ${Math.ceil(details.retryAfter / 1000)} s`,
      })
  }
  if (answer.status >= 500) {
    return new BaleError('REGISTRY_FAILED', `${registry} failed with status ${answer.status} for ${what}${because}`, {
      details,
    })
  }
  if (answer.status >= 400) {
    const refused = code === 'DIGEST_INVALID' ? 'DIGEST_MISMATCH' : 'REGISTRY_REFUSED'
    return new BaleError(refused, `${registry} refused ${what} with status ${answer.status}${because}`, {
      details,
    })
  }
  return new BaleError(
    'REGISTRY_FAILED',
    `${registry} answered ${what} with status ${answer.status}, which violates the protocol`,
    { details },
  )
}

export function isHtml(answer: HttpAnswer, body: string): boolean {
  return answer.mediaType === 'text/html' || /^\s*<(?:!doctype|html)\b/i.test(body.slice(0, 256))
}

export function htmlError(answer: HttpAnswer, registry: string, details: Record<string, unknown> = {}): BaleError {
  return new BaleError(
    'REGISTRY_FAILED',
    `${registry} answered with an HTML page (status ${answer.status}): is it really a registry?`,
    {
      details,
      hint: 'check the name of the registry and its port; a web proxy or login page may be in between',
    },
  )
}

/** A login that exists but is wrong. */
export function refusedLogin(registry: RegistryHost, repository: string | undefined, cause?: BaleError): BaleError {
  const where = `${registry.name} refused the login${repository ? ` for ${repository}` : ''}`
  return new BaleError('UNAUTHORIZED', `${where}: incorrect username or password`, {
    cause,
    next: { act: 'login', registry: registry.name, because: 'refused' },
    details: { status: 401 },
  })
}

/** The first error of the specification's error document, else what token services or RFC 9457 write, made printable. */
function parseErrors(body: string): { code?: string; message?: string } {
  const text = (value: unknown) => (typeof value === 'string' && value ? printable(value, 512) : undefined)
  const [first] = parseRegistryErrors(body) ?? []
  if (first) return { code: first.code, message: text(first.message) }
  const document = parseJson(body) as { detail?: unknown; details?: unknown; message?: unknown } | null | undefined
  return { message: text(document?.message ?? document?.details ?? document?.detail) }
}
