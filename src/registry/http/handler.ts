import type { IncomingMessage, ServerResponse } from 'node:http'
import { answerApi } from './api.ts'
import { asApiRefusal, sendProblem } from './api-failure.ts'
import { authorizeLogin } from './authorize.ts'
import { deleteBlob, readBlob } from './blobs.ts'
import type { Exchange, RegistryContext } from './exchange.ts'
import { asRefusal, Refusal, sendRefusal } from './failure.ts'
import { type Followed, followRequest, pathOf } from './followed.ts'
import { limitRequests } from './limit-requests.ts'
import { listReferrers, listRepositories, listTags } from './listings.ts'
import { answerLogin } from './login.ts'
import { sendLoginFailure } from './login-failure.ts'
import { asLoginRefusal } from './login-request.ts'
import { deleteManifest, putManifest, readManifest } from './manifests.ts'
import { requireOneReading } from './one-reading.ts'
import { live, ready } from './probes.ts'
import { answerAsRenamed } from './renamed.ts'
import { isApiPath, isLoginPath, parseRoute, type Route } from './route.ts'
import { issueToken } from './token.ts'
import { announceClose, leaveBody } from './unread-body.ts'
import { appendUpload, beginUpload, cancelUpload, finishUpload, uploadStatus } from './uploads.ts'
import { routeHere } from './upstream-route.ts'

type Handler = (context: RegistryContext, exchange: Exchange, route: never) => Promise<void>

/** All end points of the distribution specification 1.1, the token issuer, the API of its administration, and the pages of logins. */
const TABLE: Record<Route['kind'], Record<string, Handler>> = {
  ping: { GET: ping, HEAD: ping },
  live: { GET: live, HEAD: live },
  ready: { GET: ready, HEAD: ready },
  token: { GET: issueToken, POST: issueToken },
  catalog: { GET: listRepositories, HEAD: listRepositories },
  blob: { GET: readBlob, HEAD: readBlob, DELETE: deleteBlob },
  uploads: { POST: beginUpload },
  upload: { GET: uploadStatus, PATCH: appendUpload, PUT: finishUpload, DELETE: cancelUpload },
  manifest: { GET: readManifest, HEAD: readManifest, PUT: putManifest, DELETE: deleteManifest },
  tags: { GET: listTags, HEAD: listTags },
  referrers: { GET: listReferrers, HEAD: listReferrers },
  api: { GET: answerApi, POST: answerApi, PUT: answerApi, DELETE: answerApi },
  login: { GET: answerLogin, POST: answerLogin },
}

/** Answers one request. Never rejects: every failure is an answer, or a broken connection when it comes too late. */
export function createHandler(
  context: RegistryContext,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (request, response) => {
    const began = context.clock.now()
    const followed = followRequest(context, request, response)
    context.bodies.add(request)
    response.setHeader('Docker-Distribution-API-Version', 'registry/2.0')
    response.setHeader('X-Content-Type-Options', 'nosniff')
    try {
      await followed.run(() => answer(followed, request, response))
    } catch (error) {
      handleFailure(followed.context, request, response, error)
    }
    leaveBody(request)
    followed.answered()
    const milliseconds = context.clock.now() - began
    // Without the query, in which clients put tokens and passwords that belong elsewhere (A20).
    context.log.debug('registry', `${request.method} ${pathOf(request.url ?? '')}`, {
      status: response.statusCode,
      milliseconds,
    })
  }
}

async function answer(followed: Followed, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { context } = followed
  requireOneReading(request)
  const target = request.url ?? ''
  const mark = target.indexOf('?')
  const path = mark < 0 ? target : target.slice(0, mark)
  const route = parseRoute(path)
  if (!route) throw new Refusal(404, 'UNSUPPORTED', 'there is nothing at this address')
  followed.isFor(route.kind)
  const handler = TABLE[route.kind][request.method ?? '']
  if (!handler) {
    const methods = Object.keys(TABLE[route.kind]).join(', ')
    throw new Refusal(405, 'UNSUPPORTED', 'the operation is unsupported', { headers: { Allow: methods } })
  }
  const network = context.origin.network(request)
  const authentication = await context.authenticator.authenticate(request.headers.authorization, network)
  const query = new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1))
  const exchange: Exchange = { request, response, path, query, authentication }
  if (!isProbe(route)) limitRequests(context, exchange, 'requests')
  const here = await routeHere(context, exchange, route)
  const answer = (asked: Exchange, to: Route) => handler(context, asked, to as never)
  try {
    await answer(exchange, here)
  } catch (refused) {
    await answerAsRenamed(context, exchange, { route: here, refused, answer })
  }
}

const isProbe = ({ kind }: Route) => kind === 'live' || kind === 'ready'

async function ping(context: RegistryContext, exchange: Exchange): Promise<void> {
  authorizeLogin(context, exchange)
  exchange.response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': 2 })
  exchange.response.end(exchange.request.method === 'HEAD' ? undefined : '{}')
}

function handleFailure(
  context: RegistryContext,
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
): void {
  const path = pathOf(request.url ?? '')
  const problem = isApiPath(path) ? asApiRefusal(error, response) : undefined
  const refusal = isLoginPath(path) ? asLoginRefusal(error) : asRefusal(error)
  const { status } = problem ?? refusal
  if (status >= 500 && !isClientGone(error)) context.report(error, `${request.method} ${path}`)
  if (response.headersSent || response.destroyed) return void response.destroy()
  for (const name of ['Content-Length', 'Content-Range', 'ETag', 'Accept-Ranges']) response.removeHeader(name)
  announceClose(request, response)
  if (problem) sendProblem(response, problem)
  else if (isLoginPath(path)) sendLoginFailure(response, path, refusal)
  else sendRefusal(response, refusal)
}

/** ECANCELED: a write waited for the client's reading when the connection's end was seen. */
const CLIENT_GONE = new Set<unknown>(['ABORTED', 'ECONNRESET', 'EPIPE', 'ECANCELED', 'ERR_STREAM_PREMATURE_CLOSE'])

function isClientGone(error: unknown): boolean {
  return CLIENT_GONE.has((error as { code?: unknown }).code)
}
