import { mapLimited, readAll } from '#base'
import { isRepository } from '#spec'
import { ACTIONS, type Action, type Authentication, type Principal, type Scope } from '../auth/index.ts'
import { tooBusy, tooManyAttempts } from './authorize.ts'
import type { Exchange, RegistryContext } from './exchange.ts'
import { Refusal } from './failure.ts'

const SCOPES_LIMIT = 64
const FORM_LIMIT = 64 * 1024
const AT_ONCE = 8

/**
 * Issues a token for those requested scopes that the caller may have; anonymous callers get one for
 * what everybody may do. GET with Basic, or POST with `grant_type=password`. Source: distribution's token specification.
 */
export async function issueToken(context: RegistryContext, exchange: Exchange): Promise<void> {
  const form = exchange.request.method === 'POST' ? await readForm(exchange) : undefined
  const authentication = form ? await checkForm(context, exchange, form) : checkHeader(exchange)
  const principal = principalOf(context, exchange, authentication)
  const asked = (form ?? exchange.query).getAll('scope').flatMap((text) => text.split(' ').filter(Boolean))
  if (asked.length > SCOPES_LIMIT) throw new Refusal(400, 'UNSUPPORTED', 'too many scopes')
  const granted = await mapLimited(asked, AT_ONCE, (text) => grantScope(context, principal, text))
  const scopes = granted.filter((scope) => scope !== undefined)
  // Everybody may pull what is public.
  if (!principal.account && context.anonymous === 'none' && scopes.length === 0) throw askForLogin(context, exchange)
  const { token, expiresIn, issuedAt } = await context.tokens.issue(subjectOf(principal), scopes)
  const body = JSON.stringify({ token, access_token: token, expires_in: expiresIn, issued_at: issuedAt })
  exchange.response
    .writeHead(200, {
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(body),
      'Cache-Control': 'no-store',
    })
    .end(body)
}

/** A token does not buy another token: it would never end. */
function checkHeader({ authentication, request }: Exchange): Authentication {
  return /^basic /i.test(request.headers.authorization ?? 'basic ') ? authentication : { kind: 'refused' }
}

async function checkForm(
  context: RegistryContext,
  { request }: Exchange,
  form: URLSearchParams,
): Promise<Authentication> {
  if (form.get('grant_type') !== 'password') throw new Refusal(400, 'UNSUPPORTED', 'unsupported grant_type')
  const network = context.origin.network(request)
  return await context.authenticator.checkPassword(form.get('username') ?? '', form.get('password') ?? '', network)
}

async function readForm({ request }: Exchange): Promise<URLSearchParams> {
  const body = await readAll(request.iterator({ destroyOnReturn: false }), { limit: FORM_LIMIT, what: 'the form' })
  return new URLSearchParams(new TextDecoder().decode(body))
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

/** `repository:team/web:pull,push` or `registry:catalog:*`; undefined when nothing of it may be had. */
async function grantScope(context: RegistryContext, principal: Principal, text: string): Promise<Scope | undefined> {
  if (text === 'registry:catalog:*') {
    const isKnown = principal.account !== undefined || context.anonymous !== 'none'
    return isKnown ? { type: 'registry', name: 'catalog', actions: ['*'] } : undefined
  }
  const match = /^repository:([^:]{1,255}):([a-z,*]{1,64})$/.exec(text)
  if (!match || !isRepository(match[1]!)) return undefined
  const [, name, wanted] = match as unknown as [string, string, string]
  const actions: Action[] = []
  for (const action of ACTIONS) {
    if (!isWanted(wanted.split(','), action)) continue
    if ((await context.access.decide(principal, action, { repository: name })) === 'allowed') actions.push(action)
  }
  return actions.length > 0 ? { type: 'repository', name, actions } : undefined
}

/** `*` is how clients ask for the right to delete. */
function isWanted(wanted: string[], action: Action): boolean {
  return wanted.includes(action) || wanted.includes('*')
}
