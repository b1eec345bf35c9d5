import { mapLimited } from '#base'
import { isRepository } from '#spec'
import type { Authentication, Principal } from '../auth/index.ts'
import { ACTIONS, type Action, API_SCOPE, type Scope } from '../decide/index.ts'
import { metaOf, tooBusy, tooManyAttempts } from './authorize.ts'
import type { Exchange, RegistryContext } from './exchange.ts'
import { Refusal } from './failure.ts'
import { checkForm, EXCHANGE, readForm, TOKEN_TYPE } from './token-form.ts'
import { otherNames } from './upstream-route.ts'

const SCOPES_LIMIT = 64
const AT_ONCE = 8

/**
 * Issues a token for those requested scopes that the caller may have; anonymous callers get one for what everybody may do.
 * GET with Basic, or POST with a password, a refresh token or a CI service's token. A client can ask for a refresh token as well.
 * Source: distribution's token specification, its OAuth2 form, and RFC 8693.
 */
export async function issueToken(context: RegistryContext, exchange: Exchange): Promise<void> {
  const form = exchange.request.method === 'POST' ? await readForm(exchange) : undefined
  const authentication = form ? await checkForm(context, exchange, form) : checkHeader(exchange)
  const principal = principalOf(context, exchange, authentication)
  const fields = form ?? exchange.query
  const asked = fields.getAll('scope').flatMap((text) => text.split(' ').filter(Boolean))
  if (asked.length > SCOPES_LIMIT) throw new Refusal(400, 'UNSUPPORTED', 'too many scopes')
  const granted = await mapLimited(asked, AT_ONCE, (text) => grantScope(context, principal, text))
  const scopes = granted.filter((scope) => scope !== undefined)
  // Everybody may pull what is public.
  if (!principal.account && context.anonymous === 'none' && scopes.length === 0) throw askForLogin(context, exchange)
  const isExchange = form?.get('grant_type') === EXCHANGE
  const seconds = isExchange ? Math.floor(principal.workload!.lifetime / 1000) : undefined
  const { token, expiresIn, issuedAt } = await context.tokens.issue(subjectOf(principal), scopes, seconds)
  const refresh = wantsRefreshToken(form, exchange)
    ? await refreshToken(context, exchange, principal, fields)
    : undefined
  const body = JSON.stringify({
    ...{ token, access_token: token, expires_in: expiresIn, issued_at: issuedAt },
    ...(isExchange && { token_type: 'Bearer', issued_token_type: `${TOKEN_TYPE}access_token` }),
    ...(refresh !== undefined && { refresh_token: refresh }),
  })
  exchange.response
    .writeHead(200, {
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(body),
      'Cache-Control': 'no-store',
    })
    .end(body)
}

/** A refresh token is not exchanged for another one: see `RefreshTokens`. */
function wantsRefreshToken(form: URLSearchParams | undefined, { query }: Exchange): boolean {
  if (form) return form.get('grant_type') !== 'refresh_token' && form.get('access_type') === 'offline'
  return query.get('offline_token') === 'true'
}

async function refreshToken(
  context: RegistryContext,
  exchange: Exchange,
  principal: Principal,
  fields: URLSearchParams,
): Promise<string | undefined> {
  return await context.refreshTokens.issue(
    metaOf(context, exchange, principal),
    principal,
    fields.get('client_id') ?? '',
  )
}

/** A token does not buy another token: it would never end. */
function checkHeader({ authentication, request }: Exchange): Authentication {
  return /^basic /i.test(request.headers.authorization ?? 'basic ') ? authentication : { kind: 'refused' }
}

function principalOf(context: RegistryContext, exchange: Exchange, authentication: Authentication): Principal {
  if (authentication.kind === 'known') return authentication.principal
  if (authentication.kind === 'limited') throw tooManyAttempts(authentication.seconds)
  if (authentication.kind === 'busy') throw tooBusy()
  if (authentication.kind === 'anonymous') return {}
  throw askForLogin(context, exchange)
}

function subjectOf({ account, limit }: Principal): Parameters<RegistryContext['tokens']['issue']>[0] {
  return account && { id: account.id, generation: account.generation, accessToken: limit?.id }
}

function askForLogin(context: RegistryContext, exchange: Exchange): Refusal {
  return new Refusal(401, 'UNAUTHORIZED', 'authentication required', {
    headers: { 'WWW-Authenticate': `Basic realm="${context.origin.url(exchange.request)}/token"` },
  })
}

/** Whether the catalog has anything for the caller: without a login, something public. */
async function seesRepositories({ access, meta }: RegistryContext, principal: Principal): Promise<boolean> {
  const shown = access.readable(principal)
  if (principal.account !== undefined || shown.within === undefined) return true
  return (await meta.listRepositories({ ...shown, limit: 1 })).length > 0
}

/** `repository:team/web:pull,push`, `registry:catalog:*` or `registry:api:*`; undefined when nothing of it may be had. */
async function grantScope(context: RegistryContext, principal: Principal, text: string): Promise<Scope | undefined> {
  if (text === 'registry:catalog:*') {
    return (await seesRepositories(context, principal))
      ? { type: 'registry', name: 'catalog', actions: ['*'] }
      : undefined
  }
  if (text === API_SCOPE) return principal.account ? { type: 'registry', name: 'api', actions: ['*'] } : undefined
  const match = /^repository:([^:]{1,255}):([a-z,*]{1,64})$/.exec(text)
  if (!match || !isRepository(match[1]!)) return undefined
  const [, name, wanted] = match as unknown as [string, string, string]
  const asked = ACTIONS.filter((action) => isWanted(wanted.split(','), action))
  const actions = await allowedOf(context, principal, asked, name)
  if (asked.includes('pull') && !actions.includes('pull')) {
    // The name may be one for what comes from elsewhere. Rights are looked up again by what it turns out to be.
    const others = await context.access.decideEach(principal, 'pull', otherNames(context, name))
    if (others.includes('allowed')) actions.push('pull')
  }
  if (actions.length < asked.length) {
    // What was called so is answered under its former name to those who may read it.
    const now = await context.meta.findRedirect(name)
    const more = now === undefined ? [] : await allowedOf(context, principal, asked, now)
    if (more.includes('pull')) for (const action of more) if (!actions.includes(action)) actions.push(action)
  }
  return actions.length > 0 ? { type: 'repository', name, actions } : undefined
}

async function allowedOf(
  context: RegistryContext,
  principal: Principal,
  asked: Action[],
  repository: string,
): Promise<Action[]> {
  const actions: Action[] = []
  for (const action of asked) {
    if ((await context.access.decide(principal, action, { repository })) === 'allowed') actions.push(action)
  }
  return actions
}

/** `*` is how clients ask for the right to delete. */
function isWanted(wanted: string[], action: Action): boolean {
  return wanted.includes(action) || wanted.includes('*')
}
