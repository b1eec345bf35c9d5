import type { JWTPayload, JWTVerifyGetKey } from 'jose'
import { asError, BaleError, type Clock } from '#base'
import { createHttpClient, defaultHttpLimits, type HttpAnswer, type HttpClient, tlsSettings } from '#transport/http'

/** The keys by which an issuer's tokens are verified. */
export interface IssuerKeys extends AsyncDisposable {
  /** An unknown key has them read again, but not for every forged token. */
  find: JWTVerifyGetKey
  /** What it says of itself (OpenID Connect Discovery 1.0, section 3). UNAVAILABLE when that cannot be read. */
  described(): Promise<Readonly<Record<string, unknown>>>
  /** Requests to other end points that it names, with the same bounds and authorities. */
  readonly http: HttpClient
}

export interface IssuerPlace {
  /** As configured: tokens do not say where their keys are. */
  issuer: string
  /** PEM, besides the machine's authorities. */
  ca?: string
}

/** Read again after so long, so that a key that the issuer withdraws ends. */
const FRESH = 10 * 60_000
/** Kept so long when the issuer does not answer. */
const STALE = 60 * 60_000
/** The least between two readings, and between two that failed. */
const PAUSE = 10_000

const LIMITS = { ...defaultHttpLimits, connectTimeout: 5000, headersTimeout: 5000, stallWindow: 5000, redirects: 0 }
const LARGEST = 256 * 1024

interface Loaded {
  find: JWTVerifyGetKey
  described: Readonly<Record<string, unknown>>
  at: number
}

/** Source: OpenID Connect Discovery 1.0, section 4. */
export function createIssuerKeys(place: IssuerPlace, clock: Clock): IssuerKeys {
  const http = createHttpClient({
    limits: LIMITS,
    tls: (url) => tlsSettings([url.host], { ca: place.ca ? [place.ca] : [] }),
  })
  let loaded: Loaded | undefined
  let failed: { error: BaleError; at: number } | undefined
  let loading: Promise<Loaded> | undefined

  async function load(): Promise<Loaded> {
    if (failed && clock.now() < failed.at + PAUSE) throw failed.error
    try {
      const { createLocalJWKSet } = await import('jose')
      const described = await readDescription(http, place.issuer)
      loaded = { find: createLocalJWKSet(await readKeys(http, described, place)), described, at: clock.now() }
      failed = undefined
      return loaded
    } catch (error) {
      const why = `the keys of ${place.issuer} cannot be read: ${asError(error).message}`
      failed = { error: new BaleError('UNAVAILABLE', why, { cause: error }), at: clock.now() }
      throw failed.error
    }
  }

  /** For all that ask at once, once. */
  function reload(): Promise<Loaded> {
    loading ??= load().finally(() => {
      loading = undefined
    })
    return loading
  }

  async function current(): Promise<Loaded> {
    const known = loaded
    const age = known === undefined ? Infinity : clock.now() - known.at
    if (known && age < FRESH) return known
    return await reload().catch((error: unknown) => {
      if (known && age < STALE) return known
      throw error
    })
  }

  return {
    async find(header, token) {
      const { errors } = await import('jose')
      const known = await current()
      try {
        return await known.find(header, token)
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey) || clock.now() < known.at + PAUSE) throw error
        return await (await reload()).find(header, token)
      }
    },
    described: async () => (await current()).described,
    http,
    [Symbol.asyncDispose]: () => http[Symbol.asyncDispose](),
  }
}

/** Those with a public key alone: with a shared secret, whoever verifies could issue as well. */
const ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
]
const LEEWAY = 30

/** The claims of a token, if it is genuine, for this audience, and its time is now; undefined else. UNAVAILABLE without keys. */
export async function verifyIssued(
  token: string,
  keys: IssuerKeys,
  { clock, claims, ...expected }: { issuer: string; audience: string | string[]; claims: string[]; clock: Clock },
): Promise<JWTPayload | undefined> {
  const { errors, jwtVerify } = await import('jose')
  try {
    const { payload } = await jwtVerify(token, keys.find, {
      ...{ ...expected, algorithms: ALGORITHMS, clockTolerance: LEEWAY },
      currentDate: new Date(clock.now()),
      requiredClaims: ['exp', 'iss', 'aud', ...claims],
    })
    return payload
  } catch (error) {
    if (error instanceof errors.JOSEError) return undefined
    throw error
  }
}

async function readDescription(http: HttpClient, issuer: string): Promise<Record<string, unknown>> {
  const known = await readJson(http, new URL(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`))
  if (known['issuer'] !== issuer) throw new Error(`it calls itself ${JSON.stringify(known['issuer'])}`)
  return known
}

async function readKeys(
  http: HttpClient,
  described: Readonly<Record<string, unknown>>,
  { issuer }: IssuerPlace,
): Promise<{ keys: [] }> {
  const address = safeAddress(described['jwks_uri'], issuer)
  if (!address) throw new Error('it names no address of its keys that can be trusted')
  const keys = await readJson(http, address)
  if (!Array.isArray(keys['keys'])) throw new Error(`${address.href} has no keys`)
  return keys as { keys: [] }
}

/** An address that an issuer names, if nobody on the way to it can change what is said there. */
export function safeAddress(named: unknown, issuer: string): URL | undefined {
  const address = URL.parse(String(named))
  const isSafe = address?.protocol === 'https:' || (address?.protocol === 'http:' && issuer.startsWith('http:'))
  return isSafe && address ? address : undefined
}

/** The object that is at an address. */
export async function readJson(
  http: HttpClient,
  url: URL,
  headers: Record<string, string> = {},
): Promise<Record<string, unknown>> {
  const answer = await http.send({ method: 'GET', url, headers: { accept: 'application/json', ...headers } })
  if (answer.status !== 200) {
    await answer.discard()
    throw new Error(`${url.href} answers ${answer.status}`)
  }
  return await objectOf(answer)
}

/** The body of an answer, which is to be an object in JSON. */
export async function objectOf(answer: HttpAnswer): Promise<Record<string, unknown>> {
  const value: unknown = JSON.parse((await answer.document(LARGEST, 'the document')).toString('utf8'))
  if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  throw new Error(`what ${answer.url.href} answers is no object`)
}
