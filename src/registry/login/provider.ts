import { createHash, timingSafeEqual } from 'node:crypto'
import type { JWTPayload } from 'jose'
import { asError, BaleError, type Clock, isBaleError } from '#base'
import type { HttpAnswer } from '#transport/http'
import type { LoginProvider, ProvidedIdentity, ProviderAnswer, ProviderRequest } from '../auth/index.ts'
import { createGroupRules, type GroupRule } from './group-rules.ts'
import {
  createIssuerKeys,
  type IssuerKeys,
  type IssuerPlace,
  objectOf,
  readJson,
  safeAddress,
  verifyIssued,
} from './issuer-keys.ts'

/** A provider of OpenID Connect, and what of it the registry looks at. */
export interface ProviderOptions extends IssuerPlace {
  /** What the registry is called there. */
  clientId: string
  /** Without one, the registry is a public client: then it is the verifier alone that shows who asks. */
  clientSecret?: string
  scopes: readonly string[]
  /** The claim that has somebody's name here. */
  nameClaim: string
  /** The claim that lists the groups that somebody is in. */
  groupsClaim?: string
  rules: readonly GroupRule[]
  /** For pages. */
  title: string
  /** Milliseconds. */
  validFor: number
}

type Claims = Readonly<Record<string, unknown>>

/** More than any provider puts into a token. */
const MOST_GROUPS = 10_000

/**
 * The authorization code flow with PKCE. Source: OpenID Connect Core 1.0, section 3.1; RFC 6749, RFC 7636, RFC 9207. What is not in the token is
 * asked for at the userinfo end point.
 */
export function createProvider(options: ProviderOptions, clock: Clock): LoginProvider & AsyncDisposable {
  const { issuer, clientId } = options
  const keys = createIssuerKeys(options, clock)
  const rules = createGroupRules(options.rules)
  return {
    origin: issuer,
    title: options.title,
    ruled: rules.ruled,
    validFor: options.validFor,

    async address({ state, nonce, verifier, redirectUri }) {
      const url = await endPoint(keys, issuer, 'authorization_endpoint')
      const asked = {
        ...{ response_type: 'code', client_id: clientId, redirect_uri: redirectUri, scope: options.scopes.join(' ') },
        ...{ state, nonce, code_challenge: challengeOf(verifier), code_challenge_method: 'S256' },
      }
      for (const [name, value] of Object.entries(asked)) url.searchParams.set(name, value)
      return url
    },

    async identify(request, answer) {
      await checkIssuer(keys, issuer, answer)
      const tokens = await exchange(keys, options, { request, answer })
      const claims = await claimsOf(keys, options, { tokens, nonce: request.nonce, clock })
      const all = await withMore(keys, options, { claims, accessToken: tokens['access_token'] })
      return { ...identityOf(all, options), ...rules.apply(isIn(all, options)) }
    },

    [Symbol.asyncDispose]: () => keys[Symbol.asyncDispose](),
  }
}

const challengeOf = (verifier: string) => createHash('sha256').update(verifier).digest('base64url')

async function endPoint(keys: IssuerKeys, issuer: string, name: string): Promise<URL> {
  const address = safeAddress((await keys.described())[name], issuer)
  if (address) return address
  throw new BaleError('UNAVAILABLE', `${issuer} names no ${name} that can be trusted`)
}

/** Another provider cannot have its answers taken for this one's. */
async function checkIssuer(keys: IssuerKeys, issuer: string, { issuer: said }: ProviderAnswer): Promise<void> {
  const isSaid = (await keys.described())['authorization_response_iss_parameter_supported'] === true
  if (said === undefined ? !isSaid : said === issuer) return
  throw new BaleError('DENIED', `the answer is not from ${issuer}`)
}

async function exchange(
  keys: IssuerKeys,
  { issuer, clientId, clientSecret }: ProviderOptions,
  { request, answer }: { request: ProviderRequest; answer: ProviderAnswer },
): Promise<Claims> {
  const url = await endPoint(keys, issuer, 'token_endpoint')
  const form = new URLSearchParams({
    ...{ grant_type: 'authorization_code', code: answer.code, redirect_uri: request.redirectUri },
    ...{ code_verifier: request.verifier, client_id: clientId },
  })
  const headers: Record<string, string> = {
    'content-type': 'application/x-www-form-urlencoded',
    accept: 'application/json',
  }
  if (clientSecret !== undefined) {
    const methods = (await keys.described())['token_endpoint_auth_methods_supported']
    const inForm = Array.isArray(methods) && !methods.includes('client_secret_basic')
    if (inForm) form.set('client_secret', clientSecret)
    else headers['authorization'] = basic(clientId, clientSecret)
  }
  return await asking(issuer, async () => {
    const body = async () => form.toString()
    const given = await keys.http.send({ method: 'POST', url, headers, body, confined: true })
    if (given.status === 200) return await objectOf(given)
    throw await refusalOf(given, issuer)
  })
}

/** Source: RFC 6749, section 2.3.1: both are encoded as forms are. */
function basic(clientId: string, clientSecret: string): string {
  const encoded = (text: string) => new URLSearchParams({ x: text }).toString().slice(2)
  return `Basic ${Buffer.from(`${encoded(clientId)}:${encoded(clientSecret)}`).toString('base64')}`
}

/** A code that is not good is the browser's affair; all else is the provider's, or the configuration's. */
async function refusalOf(answer: HttpAnswer, issuer: string): Promise<BaleError> {
  const { status } = answer
  const isObject = status >= 400 && status < 500
  const { error } = isObject ? await objectOf(answer) : {}
  if (!isObject) await answer.discard()
  if (error === 'invalid_grant')
    return new BaleError('DENIED', `${issuer} does not take the code of this login (any more)`)
  const why = typeof error === 'string' ? JSON.stringify(error.slice(0, 80)) : `status ${status}`
  return new BaleError('UNAVAILABLE', `${issuer} gives this registry no token: ${why}`)
}

/** Whatever goes wrong there is no fault of the caller. */
async function asking<T>(issuer: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    if (isBaleError(error, 'DENIED') || isBaleError(error, 'UNAVAILABLE')) throw error
    throw new BaleError('UNAVAILABLE', `${issuer} does not answer as it should: ${asError(error).message}`, {
      cause: error,
    })
  }
}

/** Of the ID token. Source: OpenID Connect Core 1.0, section 3.1.3.7. */
async function claimsOf(
  keys: IssuerKeys,
  { issuer, clientId }: ProviderOptions,
  { tokens, nonce, clock }: { tokens: Claims; nonce: string; clock: Clock },
): Promise<JWTPayload & { sub: string }> {
  const token = tokens['id_token']
  const expected = { issuer, audience: clientId, claims: ['iat', 'sub', 'nonce'], clock }
  const claims = typeof token === 'string' ? await verifyIssued(token, keys, expected) : undefined
  const { sub, azp, aud } = claims ?? {}
  const isForUs = azp === undefined ? [aud].flat().length === 1 : azp === clientId
  if (claims && typeof sub === 'string' && sub !== '' && isForUs && isEqual(String(claims['nonce']), nonce))
    return { ...claims, sub }
  throw new BaleError('DENIED', `${issuer} gave a token that is not for this login`)
}

function isEqual(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}

/** Some providers put next to nothing into the token when there is an end point to ask. */
async function withMore(
  keys: IssuerKeys,
  { issuer, nameClaim, groupsClaim }: ProviderOptions,
  { claims, accessToken }: { claims: JWTPayload & { sub: string }; accessToken: unknown },
): Promise<Claims & { sub: string }> {
  const isThere = [nameClaim, groupsClaim].every((name) => name === undefined || Object.hasOwn(claims, name))
  const url = isThere ? undefined : safeAddress((await keys.described())['userinfo_endpoint'], issuer)
  if (!url || typeof accessToken !== 'string') return claims
  const more = await asking(issuer, () => readJson(keys.http, url, { authorization: `Bearer ${accessToken}` }))
  if (more['sub'] === claims.sub) return { ...more, ...claims }
  throw new BaleError('DENIED', `${issuer} answers about somebody else`)
}

function identityOf(
  claims: Claims & { sub: string },
  { issuer, nameClaim }: ProviderOptions,
): Pick<ProvidedIdentity, 'name' | 'subject'> {
  const name = Object.hasOwn(claims, nameClaim) ? claims[nameClaim] : undefined
  if (typeof name === 'string') return { name, subject: claims.sub }
  // Nobody would get an account: the operator is told.
  throw new BaleError(
    'UNAVAILABLE',
    `${issuer} says no ${nameClaim} of those who log in: name another claim, or a scope that gives it`,
  )
}

function isIn(claims: Claims, { groupsClaim }: ProviderOptions): (group: string) => boolean {
  const said = groupsClaim !== undefined && Object.hasOwn(claims, groupsClaim) ? claims[groupsClaim] : []
  const groups = new Set([said].flat().slice(0, MOST_GROUPS))
  return (group) => groups.has(group)
}
