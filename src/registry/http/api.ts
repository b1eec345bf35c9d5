import type { ServerResponse } from 'node:http'
import { BaleError, readAll } from '#base'
import { type Caller, loadServing } from '../api/index.ts'
import { listVisible, type Principal } from '../auth/index.ts'
import type { MayDo } from '../policies/index.ts'
import { authorizeApi, challengeForApi, metaOf, principalName, tooBusy, tooManyAttempts } from './authorize.ts'
import type { Exchange, RegistryContext } from './exchange.ts'
import { Refusal } from './failure.ts'

/** Far more than any operation takes. */
const BODY_LIMIT = 256 * 1024

/**
 * Answers a request to administer the registry. Other sites cannot have a browser do so: there are no cookies, and a login is never sent
 * by itself; and bodies must be JSON by their type, which no form can send.
 */
export async function answerApi(
  context: RegistryContext,
  exchange: Exchange,
  { path }: { path: string },
): Promise<void> {
  const { request, response, query } = exchange
  const { findOperation, readInput, answerBody, description } = await loadServing()
  // It says what any registry of this version can do, and nothing of this one.
  if (path === '/openapi.json' && request.method === 'GET') return sendJson(response, description())
  const found = findOperation(request.method ?? '', path)
  if (!found) throw new Refusal(404, 'UNSUPPORTED', 'there is nothing at this address')
  if ('methods' in found) {
    const headers = { Allow: found.methods.join(', ') }
    throw new Refusal(405, 'UNSUPPORTED', `this takes ${found.methods.join(', ')} alone`, { headers })
  }
  const { name, operation } = found
  const principal = authorizeApi(context, exchange)
  const input = readInput(found, { query, body: await readJson(exchange) })
  const caller = { actor: principalName(principal), may: mayOf(context, principal) }
  const admin = context.administration(metaOf(context, exchange, principal), caller)
  for (const what of [await operation.what(input, admin)].flat()) {
    const decision = await context.access.decide(principal, 'administer', { what })
    if (decision === 'scope') throw challengeForApi(context, exchange, 'insufficient_scope')
    if (decision === 'denied') throw denied(principal, name, operation.who)
  }
  const asked = { caller: await callerOf(context, exchange, principal), signal: whileConnected(response) }
  const result = await operation.run(admin, input, asked)
  const body = answerBody(operation, result)
  if (body === undefined) return void response.writeHead(204, { 'Cache-Control': 'no-store' }).end()
  sendJson(response, body)
}

/**
 * What the caller may do with images, judged as its pulls and pushes are. A token that is good for administration is as good as the
 * login for this.
 */
function mayOf({ access }: RegistryContext, { scopes: _, ...principal }: Principal): MayDo {
  return async (action, repositories) => {
    const decisions = await access.decideEach(principal, action, repositories)
    return decisions.map((decision) => decision === 'allowed')
  }
}

/** The same words whether the thing is there or not. */
function denied({ account, limit }: Principal, operation: string, who: string): Refusal {
  const limited = limit ? ', and not for an access token that gives less than everything' : ''
  return new Refusal(403, 'DENIED', `${account!.name} may not do this: ${operation} is for ${who}${limited}`)
}

function sendJson(response: ServerResponse, body: string): void {
  response
    .writeHead(200, {
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(body),
      'Cache-Control': 'no-store',
    })
    .end(body)
}

/** The body as JSON; undefined for none. */
async function readJson({ request }: Exchange): Promise<unknown> {
  const { 'content-length': length, 'transfer-encoding': encoding, 'content-type': type } = request.headers
  if (encoding === undefined && Number(length ?? 0) === 0) return undefined
  if (!/^application\/json(?:\s*;|$)/i.test(type ?? '')) {
    throw new Refusal(415, 'UNSUPPORTED', 'the body must be JSON, with the Content-Type application/json')
  }
  if (Number(length ?? 0) > BODY_LIMIT) throw new Refusal(413, 'SIZE_INVALID', `a body has at most ${BODY_LIMIT} bytes`)
  const bytes = await readAll(request.iterator({ destroyOnReturn: false }), { limit: BODY_LIMIT, what: 'the body' })
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) {
      throw new Refusal(400, 'UNSUPPORTED', 'the body is not JSON')
    }
    throw error
  }
}

async function callerOf(context: RegistryContext, exchange: Exchange, principal: Principal): Promise<Caller> {
  const { access, meta, authenticator, origin, clock } = context
  const { name, kind, admin, grants } = principal.account!
  const limit = principal.limit && { pattern: principal.limit.pattern, role: principal.limit.role }
  const names = await access.administered(principal)
  return {
    ...{ name, admin, names },
    left: principal.limit?.expiresAt && principal.limit.expiresAt - clock.now(),
    async *repositories(page) {
      yield* listVisible(meta, { ...page, ...access.readable(principal) })
    },
    async confirm(password) {
      const shown = await authenticator.checkPassword(name, password, origin.network(exchange.request))
      if (shown.kind === 'limited') throw tooManyAttempts(shown.seconds)
      if (shown.kind === 'busy') throw tooBusy()
      // A token in place of the password would let whoever found it keep the account.
      if (shown.kind === 'known' && !shown.principal.limit) return
      throw new Refusal(403, 'DENIED', 'the old password is not right')
    },
    async describe() {
      const groups = await meta.memberships(name)
      // Nobody logs in as an organisation or team.
      return { name, kind: kind as 'user' | 'robot', admin, grants, groups, administers: names && [...names], limit }
    },
  }
}

/** Work that nobody waits for any more is not done. */
function whileConnected(response: ServerResponse): AbortSignal {
  const gone = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) gone.abort(new BaleError('ABORTED', 'the client went away'))
  })
  return gone.signal
}
