import { type Clock, type ErrorCode, type OperationOptions, systemClock } from '#base'
import { createHttpClient, type HttpAnswer, type HttpClient, type HttpRequest, tlsSettings } from '#transport/http'
import { answerError, refusedLogin } from './answer-error.ts'
import { type Authorizer, createAuthorizer } from './authorizer.ts'
import { parseChallenges } from './challenge.ts'
import { chooseBase } from './choose-base.ts'
import { defaultLimits, type RemoteLimits } from './limits.ts'
import { type RegistryHost, registryHost } from './registry-host.ts'
import type { RemoteOptions } from './repository.ts'
import { type RetryOptions, withRetries } from './retry.ts'

export interface SessionRequest extends Pick<HttpRequest, 'method' | 'headers' | 'body'>, OperationOptions {
  /** Path on the registry, or a full address that it gave (then on another origin no credentials are sent). */
  target: string | URL
  /** What the request does to which repositories: `repository:library/debian:pull`. */
  scopes: readonly string[]
  /** Statuses that are an answer; all others are thrown. */
  expect: readonly number[]
  /** For messages: `manifest localhost:5000/x:1`. */
  what: string
  notFound?: ErrorCode
  /** Tries in all; 1 when the caller has its own loop. */
  attempts?: number
  id?: string
}

/** One registry, spoken to with the right scheme, credentials, retries and errors. */
export interface Session extends AsyncDisposable {
  readonly registry: RegistryHost
  readonly limits: RemoteLimits
  readonly clock: Clock
  send(request: SessionRequest): Promise<HttpAnswer>
  retryOptions(options: OperationOptions & { id?: string; attempts?: number }): RetryOptions
}

export function createSession(registryName: string, repository: string | undefined, options: RemoteOptions): Session {
  const registry = registryHost(registryName)
  const clock = options.clock ?? systemClock
  const limits = { ...defaultLimits, ...options.limits }
  let tls: ReturnType<typeof tlsSettings> | undefined
  const client: HttpClient = createHttpClient({
    limits,
    userAgent: options.userAgent ?? 'bale',
    // Where the registry redirects to is trusted like the registry, as Go's clients do it.
    tls: () => (tls ??= tlsSettings([registry.name, registry.host], options)),
    proxy: options.proxy,
  })
  let opened: Promise<{ base: URL; authorizer: Authorizer }> | undefined
  const open = async (signal?: AbortSignal) => {
    const base = await chooseBase(registry, client, { insecure: options.insecure ?? false, signal })
    const { credentials } = options
    return { base, authorizer: createAuthorizer({ registry, base, repository, credentials, client, clock, limits }) }
  }

  const sendOnce = async (request: SessionRequest): Promise<HttpAnswer> => {
    opened ??= open(request.signal).catch((error: unknown) => {
      opened = undefined
      throw error
    })
    const { base, authorizer } = await opened
    const url = new URL(request.target, base)
    const ours = url.origin === base.origin
    const { method, scopes, signal, body } = request
    const attempt = (authorization: string | undefined) =>
      client.send({
        method,
        url,
        signal,
        body,
        headers: { ...request.headers, ...(authorization ? { authorization } : {}) },
      })
    const first = ours ? await authorizer.header(scopes, signal) : undefined
    options.log?.debug('transport', `${method} ${url.origin}${url.pathname}`, { authorized: first !== undefined })
    let answer = await attempt(first)
    if (answer.status === 401 && ours && answer.url.origin === base.origin) {
      const challenges = parseChallenges(answer.headers['www-authenticate'] ?? '')
      const second = await authorizer.answer(challenges, scopes, first, signal)
      if (second !== undefined) {
        await answer.discard()
        answer = await attempt(second)
      }
      // A refused password is told apart from a right that is missing; tokens are refused by their service.
      if (answer.status === 401 && (second ?? first)?.startsWith('Basic ')) {
        await answer.discard()
        throw refusedLogin(registry, repository)
      }
    }
    if (request.expect.includes(answer.status)) return answer
    const { what, notFound } = request
    throw await answerError(answer, { what, notFound, registry: registry.name, limits, now: clock.now() })
  }

  const retryOptions: Session['retryOptions'] = (more) => ({ ...more, clock, limits })
  return {
    registry,
    limits,
    clock,
    retryOptions,
    send: (request) => withRetries(() => sendOnce(request), retryOptions(request)),
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  }
}
