import { BaleError } from '#base'
import type { Credential } from '#transport/credentials'
import { answerError, htmlError, isHtml, refusedLogin } from './answer-error.ts'
import type { AuthorizerOptions } from './authorizer-options.ts'
import { withRetries } from './retry.ts'

export interface Token {
  value: string
  /** Milliseconds since 1970 after which it is not used any more. */
  expires: number
  /** An identity token, given where one was asked for: good for more tokens, in place of the password. */
  refresh: string | undefined
}

interface TokenRequest extends AuthorizerOptions {
  realm: URL
  service: string | undefined
  scopes: readonly string[]
  credential: Credential | undefined
  signal?: AbortSignal
}

const CLIENT = 'bale'
const MINUTE = 60_000
const SHORTEST_LIFE = MINUTE
const LONGEST_LIFE = 60 * MINUTE
const LONGEST_TOKEN = 64 * 1024

/**
 * Gets an access token. Source: distribution's token specification (GET with service and scope, password as Basic) and
 * its OAuth2 form (POST) for identity tokens.
 */
export function fetchToken(request: TokenRequest): Promise<Token> {
  return withRetries(() => fetchOnce(request), request)
}

async function fetchOnce(request: TokenRequest): Promise<Token> {
  const { client, limits, clock, registry, realm, signal } = request
  const answer = await client.send({ ...tokenRequest(request), signal })
  if (answer.status !== 200) {
    const error = await answerError(answer, {
      what: `the token service ${realm.host}`,
      registry: registry.name,
      limits,
      now: clock.now(),
    })
    const refused = error.code === 'UNAUTHORIZED' || error.code === 'DENIED'
    throw refused && request.credential ? refusedLogin(registry, request.repository, error) : error
  }
  const body = (await answer.document(limits.documentBytes, 'the token')).toString('utf8')
  if (isHtml(answer, body)) throw htmlError(answer, realm.host)
  return readToken(body, request)
}

function tokenRequest({ realm, service, scopes, credential, offlineAccess }: TokenRequest) {
  const pairs: [string, string][] = [...(service === undefined ? [] : [['service', service] as [string, string]])]
  if (credential?.kind === 'identity-token') {
    const form = new URLSearchParams([
      ['grant_type', 'refresh_token'],
      ['client_id', CLIENT],
      ['refresh_token', credential.token],
      ...pairs,
      ...(scopes.length > 0 ? [['scope', scopes.join(' ')] as [string, string]] : []),
    ])
    const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' }
    return { method: 'POST' as const, url: realm, headers, body: async () => form.toString(), confined: true }
  }
  const url = new URL(realm)
  for (const scope of scopes) pairs.push(['scope', scope])
  if (offlineAccess) pairs.push(['offline_token', 'true'], ['client_id', CLIENT])
  for (const [name, value] of pairs) url.searchParams.append(name, value)
  const headers: Record<string, string> = { accept: 'application/json' }
  if (credential?.kind === 'password') {
    url.searchParams.append('account', credential.username)
    headers['authorization'] =
      `Basic ${Buffer.from(`${credential.username}:${credential.password}`, 'utf8').toString('base64')}`
  }
  return { method: 'GET' as const, url, headers }
}

function readToken(body: string, { realm, clock }: TokenRequest): Token {
  const refuse = (reason: string, cause?: unknown) =>
    new BaleError('REGISTRY_FAILED', `the token service ${realm.host} gave ${reason}`, { cause })
  let document: { token?: unknown; access_token?: unknown; refresh_token?: unknown; expires_in?: unknown } | null
  try {
    document = JSON.parse(body)
  } catch (error) {
    // The parser's message would quote the body, hence perhaps a token.
    if (error instanceof SyntaxError) throw refuse('an answer that is not JSON')
    throw error
  }
  // Some services write both members and fill one.
  const value = document?.token || document?.access_token
  if (typeof value !== 'string' || value === '') throw refuse('no token')
  if (!isSendable(value)) throw refuse('a token that cannot be sent in a header')
  const seconds = Number(document?.expires_in)
  const life = Number.isFinite(seconds)
    ? Math.min(Math.max(seconds * 1000, SHORTEST_LIFE), LONGEST_LIFE)
    : SHORTEST_LIFE
  // A little less, for the time that requests travel.
  const refresh = document?.refresh_token
  return { value, expires: clock.now() + life * 0.9, refresh: isSendable(refresh) ? refresh : undefined }
}

function isSendable(token: unknown): token is string {
  return typeof token === 'string' && token.length <= LONGEST_TOKEN && /^[\x21-\x7e]+$/.test(token)
}
