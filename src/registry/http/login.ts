import { table } from '#base'
import type { Account } from '../meta/index.ts'
import { metaOf, tooBusy, tooManyAttempts } from './authorize.ts'
import { cookieHeader, readCookie } from './cookies.ts'
import { answerDeviceCode, answerDeviceToken, claimFirst, decideDevice, showDevice } from './device-login.ts'
import type { Exchange, RegistryContext } from './exchange.ts'
import { Refusal } from './failure.ts'
import { sendElsewhere, sendPage } from './html.ts'
import { problemPage, signedInPage, signInPage } from './login-pages.ts'
import {
  type BrowserOrigin,
  browserOrigin,
  type LoginContext,
  pathHere,
  requireFormToken,
  requireOwnForm,
  sessionCookie,
  signedIn,
} from './login-request.ts'
import { readForm } from './token-form.ts'

/** What a login at a provider needs until it ends. */
const UNDER_WAY = 'bale-login'

type Answer = (context: LoginContext, exchange: Exchange, origin: BrowserOrigin) => Promise<void>

/** By what follows `/login`. */
const TABLE = table<Readonly<Record<string, Answer>>>({
  '': table({ GET: beginLogin, POST: checkLogin }),
  '/callback': table({ GET: endLogin }),
  '/logout': table({ POST: logOut }),
  '/device': table({ GET: showDevice, POST: decideDevice }),
  '/device/code': table({ POST: answerDeviceCode }),
  '/device/token': table({ POST: answerDeviceToken }),
})

/** Pages for people in browsers, and the end points by which programs are let in. */
export async function answerLogin(
  context: RegistryContext,
  exchange: Exchange,
  { path }: { path: string },
): Promise<void> {
  const { browsers } = context
  if (path === '/bootstrap' && exchange.request.method === 'POST') return await claimFirst(context, exchange)
  const answers = TABLE[path]
  if (!answers || !browsers) throw new Refusal(404, 'UNSUPPORTED', 'there is nothing at this address')
  const answer = answers[exchange.request.method ?? '']
  if (!answer) {
    throw new Refusal(405, 'UNSUPPORTED', 'the operation is unsupported', {
      headers: { Allow: Object.keys(answers).join(', ') },
    })
  }
  await answer({ ...context, browsers }, exchange, browserOrigin(context, exchange))
}

/** Where there is a provider and no directory, nearly everybody is known there: they are sent on without a page. */
async function beginLogin(context: LoginContext, exchange: Exchange, origin: BrowserOrigin): Promise<void> {
  const { sessions, provider, directory } = context.browsers
  const { query, response } = exchange
  const to = pathHere(query.get('to'))
  const by = query.get('by')
  const person = await signedIn(context, exchange, { sessions, secure: origin.secure })
  if (person && to !== '/login') return sendElsewhere(response, to)
  if (person) {
    const { account, secret } = person
    return sendPage(response, signedInPage({ name: account.name, token: sessions.formToken(secret) }))
  }
  if (!provider || by === 'password' || (by !== 'provider' && directory)) {
    return sendPage(response, signInPage({ to, provider: provider?.title }))
  }
  const { url, sealed } = await provider.begin({ redirectUri: `${origin.url}/login/callback`, to })
  const cookie = { name: UNDER_WAY, value: sealed, maxAge: provider.lifetime / 1000 }
  sendElsewhere(response, url.href, { 'Set-Cookie': cookieHeader(cookie, origin.secure) })
}

/** By name and password, of the registry or of a directory. */
async function checkLogin(context: LoginContext, exchange: Exchange, origin: BrowserOrigin): Promise<void> {
  requireOwnForm(exchange, origin)
  const form = await readForm(exchange)
  const to = pathHere(form.get('to'))
  const [name, password] = [form.get('name') ?? '', form.get('password') ?? '']
  const network = context.origin.network(exchange.request)
  const shown = await context.authenticator.checkPassword(name, password, network)
  if (shown.kind === 'limited') throw tooManyAttempts(shown.seconds)
  if (shown.kind === 'busy') throw tooBusy()
  const { account, limit, workload } = shown.kind === 'known' ? shown.principal : {}
  // A token gives what it was made for; a session gives all that the account may.
  if (!account || limit || workload || account.kind !== 'user') {
    const failure = 'The name or the password is not right.'
    return sendPage(exchange.response, signInPage({ to, provider: context.browsers.provider?.title, failure }), {
      status: 403,
    })
  }
  await beginSession(context, exchange, { origin, account, to })
}

/** A session of before is not gone on with: nobody can have given the browser one that they know, too. */
async function beginSession(
  context: LoginContext,
  exchange: Exchange,
  { origin, account, to, cookies = [] }: { origin: BrowserOrigin; account: Account; to: string; cookies?: string[] },
): Promise<void> {
  const { sessions } = context.browsers
  const meta = metaOf(context, exchange, { account })
  const before = await signedIn(context, exchange, { sessions, secure: origin.secure })
  if (before) await sessions.end(metaOf(context, exchange, before), before.secret)
  const secret = await sessions.begin(meta, account)
  if (secret === undefined) throw new Refusal(403, 'DENIED', 'the account has ended meanwhile')
  const cookie = sessionCookie(secret, sessions, origin.secure)
  sendElsewhere(exchange.response, to, { 'Set-Cookie': [cookie, ...cookies] })
}

/** Whom the provider sent back. Whatever comes of it, the browser forgets what it kept for it. */
async function endLogin(context: LoginContext, exchange: Exchange, origin: BrowserOrigin): Promise<void> {
  const { provider } = context.browsers
  const { request, response, query } = exchange
  if (!provider) throw new Refusal(404, 'UNSUPPORTED', 'there is nothing at this address')
  const forget = cookieHeader({ name: UNDER_WAY, value: '', maxAge: 0 }, origin.secure)
  response.setHeader('Set-Cookie', forget)
  const [state, code, error] = ['state', 'code', 'error'].map((name) => query.get(name) ?? '')
  if (error) return sendPage(response, notLetIn(provider.title, error), { status: 403 })
  if (!state || !code)
    throw new Refusal(400, 'UNSUPPORTED', 'this is where the provider sends browsers to: begin at /login')
  const sealed = readCookie(request, UNDER_WAY, origin.secure)
  const answer = { state, code, issuer: query.get('iss') ?? undefined, sealed }
  const by = context.meta.as({ actor: `provider:${provider.origin}`, address: context.origin.address(request) })
  const { account, to } = await provider.end(by, { ...answer, redirectUri: `${origin.url}/login/callback` })
  await beginSession(context, exchange, { origin, account, to, cookies: [forget] })
}

/** What it says for why may be anybody's words: they are shown only if they are a code. */
function notLetIn(title: string, error: string) {
  const why = /^[a-z_]{1,40}$/.test(error) ? ` (${error})` : ''
  return problemPage(`${title} did not log you in${why}.`)
}

async function logOut(context: LoginContext, exchange: Exchange, origin: BrowserOrigin): Promise<void> {
  const { sessions } = context.browsers
  requireOwnForm(exchange, origin)
  const person = await signedIn(context, exchange, { sessions, secure: origin.secure })
  const form = await readForm(exchange)
  if (person) {
    requireFormToken(form, person, sessions)
    await sessions.end(metaOf(context, exchange, person), person.secret)
  }
  const forget = sessionCookie('', sessions, origin.secure)
  sendElsewhere(exchange.response, '/login?by=password', { 'Set-Cookie': forget })
}
