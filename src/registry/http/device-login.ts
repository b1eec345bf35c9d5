import { metaOf } from './authorize.ts'
import type { Exchange, RegistryContext } from './exchange.ts'
import { Refusal } from './failure.ts'
import { sendElsewhere, sendPage } from './html.ts'
import { sendOAuth } from './login-failure.ts'
import { deviceCodePage, deviceDecisionPage, messagePage } from './login-pages.ts'
import {
  type BrowserOrigin,
  type LoginContext,
  requireFormToken,
  requireOwnForm,
  type SignedIn,
  signedIn,
} from './login-request.ts'
import { readForm } from './token-form.ts'

const GRANT = 'urn:ietf:params:oauth:grant-type:device_code'
/** As refresh tokens have it. */
const CLIENT = /^[A-Za-z0-9._-]{1,64}$/
/** A code is typed, or comes with the address that a program shows. */
const TYPED = /^[A-Za-z0-9 -]{1,32}$/

/** A program asks to be let in. Source: RFC 8628, section 3.1. */
export async function answerDeviceCode(
  context: LoginContext,
  exchange: Exchange,
  { url }: BrowserOrigin,
): Promise<void> {
  const { origin, browsers } = context
  const client = (await readForm(exchange)).get('client_id') ?? ''
  if (!CLIENT.test(client)) {
    throw new Refusal(
      400,
      'invalid_request',
      'client_id must be what the program is called: letters, digits, . _ and -',
    )
  }
  if (!browsers.keepsLogins) {
    throw new Refusal(
      400,
      'unauthorized_client',
      'this registry gives programs nothing to keep: they log in by passwords',
    )
  }
  const { request, response } = exchange
  const from = { client, address: origin.address(request), network: origin.network(request) }
  const { deviceCode, userCode, expiresIn, interval } = await browsers.devices.begin(from)
  const uri = `${url}/login/device`
  sendOAuth(response, 200, {
    ...{ device_code: deviceCode, user_code: userCode, verification_uri: uri },
    verification_uri_complete: `${uri}?user_code=${userCode}`,
    ...{ expires_in: expiresIn, interval },
  })
}

/** A program asks whether it is let in. Source: RFC 8628, sections 3.4 and 3.5. */
export async function answerDeviceToken(context: LoginContext, exchange: Exchange): Promise<void> {
  const form = await readForm(exchange)
  if (form.get('grant_type') !== GRANT) throw new Refusal(400, 'unsupported_grant_type', `expects ${GRANT}`)
  const polled = await context.browsers.devices.poll(form.get('device_code') ?? '')
  if (typeof polled === 'string') {
    const [error, why] = WAITING[polled]
    throw new Refusal(400, error, why)
  }
  const { client } = polled
  const account = await context.authenticator.present(polled.account)
  const principal = { account }
  const secret = account && (await context.refreshTokens.issue(metaOf(context, exchange, principal), principal, client))
  if (!account || secret === undefined) throw new Refusal(400, 'access_denied', 'the account has ended meanwhile')
  const { token, expiresIn } = await context.tokens.issue({ id: account.id, generation: account.generation }, [])
  sendOAuth(exchange.response, 200, {
    ...{ access_token: token, token_type: 'Bearer', expires_in: expiresIn },
    ...{ refresh_token: secret, account: account.name },
  })
}

const WAITING = {
  pending: ['authorization_pending', 'nobody has let the program in yet'],
  slow: ['slow_down', 'ask less often'],
  denied: ['access_denied', 'the program was not let in'],
  expired: ['expired_token', 'nobody let the program in in time'],
  unknown: ['invalid_grant', 'there is no such code'],
} as const

/** The page where a person lets a program in. */
export async function showDevice(context: LoginContext, exchange: Exchange, origin: BrowserOrigin): Promise<void> {
  const { query, response } = exchange
  const code = query.get('user_code') ?? ''
  const person = await personOf(context, exchange, origin)
  if (!person) return sendElsewhere(response, loginFor(exchange, code))
  const { name } = person.account
  if (code === '') return sendPage(response, deviceCodePage({ name }))
  const device = await context.browsers.devices.find(code, guesserOf(context, exchange, person))
  if (!device) return sendPage(response, deviceCodePage({ name, failure: NO_CODE }), { status: 404 })
  const token = context.browsers.sessions.formToken(person.secret)
  sendPage(response, deviceDecisionPage({ person: { name, token }, code: shown(code), device }))
}

const NO_CODE = 'No program waits with this code. It may have taken too long: start it again.'

/** What a person says about it. */
export async function decideDevice(context: LoginContext, exchange: Exchange, origin: BrowserOrigin): Promise<void> {
  const { browsers } = context
  requireOwnForm(exchange, origin)
  const person = await personOf(context, exchange, origin)
  const form = await readForm(exchange)
  if (!person) return sendElsewhere(exchange.response, loginFor(exchange, ''))
  requireFormToken(form, person, browsers.sessions)
  const decision = form.get('decision')
  if (decision !== 'allow' && decision !== 'deny') throw new Refusal(400, 'UNSUPPORTED', 'expects a decision')
  const allow = decision === 'allow'
  const meta = metaOf(context, exchange, person)
  const guesser = guesserOf(context, exchange, person)
  const decided = await browsers.devices.decide(meta, form.get('user_code') ?? '', { ...guesser, allow })
  const { name } = person.account
  if (!decided) return sendPage(exchange.response, deviceCodePage({ name, failure: NO_CODE }), { status: 404 })
  const words = allow ? 'The program is let in. You can close this page.' : 'The program is not let in.'
  sendPage(exchange.response, messagePage(allow ? 'Allowed' : 'Denied', words))
}

/** Makes the first administrator of a registry, with a token that its operator made. */
export async function claimFirst(context: RegistryContext, exchange: Exchange): Promise<void> {
  const { origin, bootstrap } = context
  const form = await readForm(exchange)
  const [token, name, password] = ['token', 'name', 'password'].map((field) => form.get(field) ?? '') as [
    string,
    string,
    string,
  ]
  const { request } = exchange
  await bootstrap.claim({ token, name, password, address: origin.address(request), network: origin.network(request) })
  sendOAuth(exchange.response, 201, { name })
}

function personOf(context: LoginContext, exchange: Exchange, { secure }: BrowserOrigin): Promise<SignedIn | undefined> {
  return signedIn(context, exchange, { sessions: context.browsers.sessions, secure })
}

function guesserOf({ origin }: LoginContext, { request }: Exchange, { account }: SignedIn) {
  return { account, network: origin.network(request) }
}

/**
 * Where somebody logs in who comes back with the code. Browsers follow no form of ours to another site: who comes by one is not sent
 * to a provider at once.
 */
function loginFor({ request }: Exchange, code: string): string {
  const to = TYPED.test(code) ? `/login/device?${new URLSearchParams({ user_code: code })}` : '/login/device'
  const byForm = request.headers['sec-fetch-site'] === 'same-origin'
  return `/login?${new URLSearchParams({ ...(byForm && { by: 'password' }), to })}`
}

/** As the program shows it. */
function shown(code: string): string {
  const plain = code.toUpperCase().replaceAll(/[^A-Z]/g, '')
  return `${plain.slice(0, 4)}-${plain.slice(4)}`
}
