import type { OutgoingHttpHeaders } from 'node:http'
import { BaleError, type ErrorCode, firstError } from '#base'
import { isProtected } from '../addresses/index.ts'
import type { BrowserLogins, Sessions } from '../auth/index.ts'
import type { Account } from '../meta/index.ts'
import { cookieHeader, readCookie } from './cookies.ts'
import type { Exchange, RegistryContext } from './exchange.ts'
import { asRefusal, Refusal } from './failure.ts'

const SESSION = 'bale-session'

/** A context in which people log in by browsers. */
export interface LoginContext extends RegistryContext {
  browsers: BrowserLogins
}

/** How a browser reaches the registry: the address that it uses, and whether by https. */
export interface BrowserOrigin {
  url: string
  secure: boolean
}

/** Refuses plain http from another machine: whoever is on the way could take the session. */
export function browserOrigin({ origin }: RegistryContext, { request }: Exchange): BrowserOrigin {
  const url = origin.url(request)
  if (isProtected(new URL(url))) return { url, secure: url.startsWith('https:') }
  const hint = 'behind a proxy that speaks https, have the configuration say listen.external-url'
  throw new Refusal(403, 'DENIED', `people log in by https alone, and this is ${url}: ${hint}`)
}

/** Somebody in a browser. */
export interface SignedIn {
  account: Account
  /** Of the session. */
  secret: string
}

/** Undefined for a browser without a session that counts. */
export async function signedIn(
  { authenticator }: RegistryContext,
  { request }: Exchange,
  { sessions, secure }: { sessions: Sessions; secure: boolean },
): Promise<SignedIn | undefined> {
  const secret = readCookie(request, SESSION, secure)
  const known = secret === undefined ? undefined : await sessions.use(secret)
  const account = known && (await authenticator.present(known))
  return account && secret !== undefined ? { account, secret } : undefined
}

/** The header that gives a browser its session, or (with an empty secret) takes it. */
export function sessionCookie(secret: string, { lifetime }: Sessions, secure: boolean): string {
  return cookieHeader({ name: SESSION, value: secret, maxAge: lifetime / 1000 }, secure)
}

/**
 * Refuses a form that a page of another site sends. Browsers say where a form is from in Sec-Fetch-Site; in Origin they say nothing,
 * as our pages tell nobody their address.
 */
export function requireOwnForm({ request }: Exchange, { url }: BrowserOrigin): void {
  const { 'sec-fetch-site': site, origin } = request.headers
  if (site === undefined ? origin === url : site === 'same-origin') return
  throw new Refusal(403, 'DENIED', 'this form was not sent by a page of this registry')
}

/** The same, and what the page says that the session knows. */
export function requireFormToken(form: URLSearchParams, { secret }: SignedIn, sessions: Sessions): void {
  if (sessions.isFormToken(secret, form.get('token') ?? '')) return
  throw new Refusal(403, 'DENIED', 'this form is of another session: load its page again')
}

/** A path of this registry, with its query; anything else is the page of the login. */
export function pathHere(to: string | null): string {
  const here = 'http://registry.invalid'
  const url = to?.startsWith('/') && to.length <= LONGEST_PATH ? URL.parse(to, here) : null
  if (url?.origin !== here) return '/login'
  const path = `${url.pathname}${url.search}`
  // Two slashes begin the name of a host.
  return path.startsWith('//') ? '/login' : path
}

const LONGEST_PATH = 512

const STATUS: Partial<Record<ErrorCode, [number, string]>> = {
  DENIED: [403, 'DENIED'],
  INVALID_ARGUMENT: [400, 'UNSUPPORTED'],
  CONFLICT: [409, 'DENIED'],
  RATE_LIMITED: [429, 'TOOMANYREQUESTS'],
}

/** What anything that is thrown means to who logs in. */
export function asLoginRefusal(thrown: unknown): Refusal {
  const failure = firstError(thrown)
  const known = failure instanceof BaleError ? STATUS[failure.code] : undefined
  if (!known || !(failure instanceof BaleError)) return asRefusal(thrown)
  const [status, code] = known
  const { retryAfter } = failure.details
  const headers: OutgoingHttpHeaders =
    typeof retryAfter === 'number' ? { 'Retry-After': Math.max(1, Math.ceil(retryAfter / 1000)) } : {}
  return new Refusal(status, code, failure.message, { detail: failure.hint, headers })
}
