import { accountActor, type Principal, SERVICE } from '../auth/index.ts'
import { type Action, API_SCOPE } from '../decide/index.ts'
import type { MetaStore } from '../meta/index.ts'
import type { Exchange, RegistryContext } from './exchange.ts'
import { Refusal } from './failure.ts'

/**
 * Admits the caller, or throws 401 with a challenge, 403 or 429. The decision is made by name only, so it tells
 * nothing about what exists (A01).
 */
export async function authorize(
  context: RegistryContext,
  exchange: Exchange,
  action: Action,
  repository: string,
  /** Another repository that is read along with it: a login is asked for both. */
  from?: string,
): Promise<Principal> {
  const { asked } = exchange
  // Tokens are issued for a former name, and for the name here of what comes from elsewhere.
  const named = asked === undefined || context.upstreams?.find(repository) ? repository : asked
  const scope = [scopeOf(action, named), ...(from === undefined ? [] : [scopeOf('pull', from)])].join(' ')
  const principal = principalOf(context, exchange, { scope })
  const decision = await context.access.decide(principal, action, { repository, asked })
  if (decision === 'allowed') return principal
  if (decision === 'scope') throw challenge(context, exchange, { scope, error: 'insufficient_scope' })
  if (!principal.account) throw challenge(context, exchange, { scope })
  throw new Refusal(403, 'DENIED', `${principal.account.name} may not ${action} ${asked ?? repository}`)
}

/** Asks for a token that is also good for reading another repository, which the caller's account may do. */
export function askForSource(context: RegistryContext, exchange: Exchange, target: string, source: string): Refusal {
  const scope = `${scopeOf('push', target)} ${scopeOf('pull', source)}`
  return challenge(context, exchange, { scope, error: 'insufficient_scope' })
}

function scopeOf(action: Action, repository: string): string {
  return `repository:${repository}:${action === 'push' ? 'pull,push' : action}`
}

/** For what needs a login but no repository: the ping, the catalog. */
export function authorizeLogin(context: RegistryContext, exchange: Exchange, scope?: string): Principal {
  const principal = principalOf(context, exchange, { scope })
  const loggedIn = principal.account !== undefined || principal.scopes !== undefined
  if (!loggedIn && context.anonymous !== 'push') throw challenge(context, exchange, { scope })
  if (scope === undefined || principal.scopes === undefined) return principal
  const granted = principal.scopes.some((one) => `${one.type}:${one.name}:${one.actions.join(',')}` === scope)
  if (!granted) throw challenge(context, exchange, { scope, error: 'insufficient_scope' })
  return principal
}

/** For the administration: an account, by whatever it shows. What it may do is decided by the operation. */
export function authorizeApi(context: RegistryContext, exchange: Exchange): Principal {
  const principal = principalOf(context, exchange, { scope: API_SCOPE })
  if (principal.account) return principal
  throw challengeForApi(context, exchange)
}

/** Clients may answer it by a token, or at once by Basic. */
export function challengeForApi(context: RegistryContext, exchange: Exchange, error?: string): Refusal {
  return challenge(context, exchange, { scope: API_SCOPE, error })
}

/** Whom an upload belongs to. Anonymous callers share one, and need the unguessable upload ID anyway. */
export function ownerOf(principal: Principal): string {
  return principal.account ? `user:${principal.account.id}` : 'anonymous'
}

/** Who did something, for histories and the audit log. */
export function principalName({ account }: Principal): string {
  return account ? accountActor(account.name) : 'anonymous'
}

/** The metadata, whose changes are recorded as the caller's. */
export function metaOf({ meta, origin }: RegistryContext, { request }: Exchange, principal: Principal): MetaStore {
  return meta.as({ actor: principalName(principal), address: origin.address(request) })
}

interface Wanted {
  scope?: string
  error?: string
}

function principalOf(context: RegistryContext, exchange: Exchange, wanted: Wanted): Principal {
  const { authentication } = exchange
  switch (authentication.kind) {
    case 'known':
      return authentication.principal
    case 'anonymous':
      return {}
    case 'refused':
      throw challenge(context, exchange, { ...wanted, error: 'invalid_token' })
    case 'limited':
      throw tooManyAttempts(authentication.seconds)
    case 'busy':
      throw tooBusy()
  }
}

export function tooManyAttempts(seconds: number): Refusal {
  return new Refusal(429, 'TOOMANYREQUESTS', 'too many failed logins; try again later', {
    headers: { 'Retry-After': seconds },
  })
}

export function tooBusy(): Refusal {
  return new Refusal(503, 'UNAVAILABLE', 'too many logins at once; try again in a moment', {
    headers: { 'Retry-After': 1 },
  })
}

/** Source: distribution's token authentication specification; RFC 6750 for `error`. */
function challenge(context: RegistryContext, exchange: Exchange, wanted: Wanted): Refusal {
  const { scope, error } = wanted
  const parts = [`realm="${context.origin.url(exchange.request)}/token"`, `service="${SERVICE}"`]
  if (scope) parts.push(`scope="${scope}"`)
  if (error) parts.push(`error="${error}"`)
  return new Refusal(401, 'UNAUTHORIZED', 'authentication required', {
    detail: scope === undefined ? undefined : { scope },
    headers: { 'WWW-Authenticate': `Bearer ${parts.join(',')}` },
  })
}
