import { type Clock, type ErrorCode, type OperationOptions, systemClock } from '#base'
import type { Digest } from '#spec'
import { createHttpClient, type HttpAnswer, type HttpClient, type HttpRequest, tlsSettings } from '#transport/http'
import { answerError, refusedLogin } from './answer-error.ts'
import { type Authorizer, createAuthorizer } from './authorizer.ts'
import { type Challenge, parseChallenges } from './challenge.ts'
import { chooseBase } from './choose-base.ts'
import { defaultLimits, type RemoteLimits } from './limits.ts'
import { type RegistryHost, registryHost } from './registry-host.ts'
import type { RemoteOptions } from './repository.ts'
import { type RetryOptions, withRetries } from './retry.ts'

/** Statuses with which a registry hides its content from anonymous clients; its /v2/ then says how to log in. */
const HIDING = new Set([400, 401, 403, 404])

interface SessionRequest extends Pick<HttpRequest, 'method' | 'headers' | 'body' | 'confined'>, OperationOptions {
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
  /** The blob of progress events. */
  digest?: Digest
  /** It is sent without a login whatever the answer, which is nothing about logins. */
  withoutLogin?: boolean
}

/** A connection to one registry with the right scheme, credentials, retries and errors. */
export interface Session extends AsyncDisposable {
  readonly registry: RegistryHost
  readonly limits: RemoteLimits
  readonly clock: Clock
  send(request: SessionRequest): Promise<HttpAnswer>
  /** The identity token that came with the first token, where one was asked for. */
  identityToken(): Promise<string | undefined>
  retryOptions(options: OperationOptions & { digest?: Digest; attempts?: number }): RetryOptions
}

interface SessionOptions extends RemoteOptions {
  /** Scheme, host and perhaps path, where they are known; else they are found out. */
  base?: URL
  /** Ask token services for an identity token. */
  offlineAccess?: boolean
}

export function createSession(registryName: string, repository: string | undefined, options: SessionOptions): Session {
  const registry = registryHost(registryName)
  const clock = options.clock ?? systemClock
  const limits = { ...defaultLimits, ...options.limits }
  let tls: ReturnType<typeof tlsSettings> | undefined
  const client: HttpClient = createHttpClient({
    limits,
    // Where the registry redirects to is trusted like the registry, as Go's clients do it.
    tls: () => (tls ??= tlsSettings([registry.name, registry.host], options)),
    proxy: options.proxy,
  })
  let opened: Promise<{ base: URL; authorizer: Authorizer }> | undefined
  let pinged: Promise<Challenge[]> | undefined
  const open = async (signal?: AbortSignal) => {
    const insecure = options.insecure ?? false
    const base = options.base ?? (await chooseBase(registry, client, { insecure, signal }))
    const { credentials, offlineAccess, isTokenService, log } = options
    const authorizer = createAuthorizer({
      registry,
      base,
      repository,
      credentials,
      client,
      clock,
      limits,
      insecure,
      isTokenService,
      offlineAccess,
      log,
    })
    return { base, authorizer }
  }
  /** What the registry requires of every client. Source: distribution-spec, "Determining Support". */
  const ping = async (base: URL, signal?: AbortSignal): Promise<Challenge[]> => {
    const answer = await client.send({ method: 'GET', url: new URL(`${pathOf(base)}/v2/`, base), signal })
    await answer.discard()
    const own = answer.status === 401 && answer.url.origin === base.origin
    return own ? parseChallenges(answer.headers['www-authenticate'] ?? '') : []
  }

  const told = async (sending: Promise<HttpAnswer>): Promise<HttpAnswer> => {
    const { onAnswer } = options
    const answer = await sending.catch((error: unknown) => {
      onAnswer?.(undefined)
      throw error
    })
    onAnswer?.({ status: answer.status, headers: answer.headers })
    return answer
  }

  const sendOnce = async (request: SessionRequest): Promise<HttpAnswer> => {
    opened ??= open(request.signal).catch((error: unknown) => {
      opened = undefined
      throw error
    })
    const { base, authorizer } = await opened
    const { target } = request
    const url = typeof target === 'string' ? new URL(pathOf(base) + target, base) : target
    const ours = url.origin === base.origin
    const { method, scopes, signal, body, confined } = request
    const attempt = (authorization: string | undefined) =>
      told(
        client.send({
          method,
          url,
          signal,
          body,
          confined,
          headers: { ...request.headers, ...(authorization ? { authorization } : {}) },
        }),
      )
    const mayLogIn = ours && !request.withoutLogin
    const first = mayLogIn ? await authorizer.header(scopes, signal) : undefined
    options.log?.debug('transport', `${method} ${url.origin}${url.pathname}`, { authorized: first !== undefined })
    let answer = await attempt(first)
    const own = mayLogIn && answer.url.origin === base.origin
    let challenges = own && answer.status === 401 ? parseChallenges(answer.headers['www-authenticate'] ?? '') : []
    if (own && first === undefined && challenges.length === 0 && HIDING.has(answer.status)) {
      pinged ??= ping(base, signal)
      challenges = await pinged
    }
    if (challenges.length > 0) {
      const second = await authorizer.answer(challenges, scopes, first, signal)
      if (second !== undefined) {
        await answer.discard()
        answer = await attempt(second)
      }
      const refused = answer.status === 401 || answer.status === 403
      const failure = authorizer.failure()
      if (refused && failure) {
        await answer.discard()
        throw failure
      }
      // A refused password is distinguished from a missing right; tokens are refused by their service.
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
    identityToken: async () => (await opened)?.authorizer.identityToken(),
    send: (request) => withRetries(() => sendOnce(request), retryOptions(request)),
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  }
}

/** Of a base address, without the last slash. */
function pathOf(base: URL): string {
  return base.pathname.replace(/\/+$/, '')
}
