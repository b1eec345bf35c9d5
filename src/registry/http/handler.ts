import type { IncomingMessage, ServerResponse } from 'node:http'
import { authorizeLogin } from './authorize.ts'
import { deleteBlob, readBlob } from './blobs.ts'
import type { Exchange, RegistryContext } from './exchange.ts'
import { asRefusal, Refusal, sendRefusal } from './failure.ts'
import { type Followed, followRequest, pathOf } from './followed.ts'
import { listReferrers, listRepositories, listTags } from './listings.ts'
import { deleteManifest, putManifest, readManifest } from './manifests.ts'
import { live, ready } from './probes.ts'
import { parseRoute, type Route } from './route.ts'
import { issueToken } from './token.ts'
import { announceClose, leaveBody } from './unread-body.ts'
import { appendUpload, beginUpload, cancelUpload, finishUpload, uploadStatus } from './uploads.ts'

type Handler = (context: RegistryContext, exchange: Exchange, route: never) => Promise<void>

/** All end points of the distribution specification 1.1, and the token issuer. */
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
    context.log.debug('registry', `${request.method} ${request.url}`, { status: response.statusCode, milliseconds })
  }
}

async function answer(followed: Followed, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { context } = followed
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
  const address = context.origin.address(request)
  const authentication = await context.authenticator.authenticate(request.headers.authorization, address)
  const query = new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1))
  await handler(context, { request, response, path, query, authentication }, route as never)
}

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
  const refusal = asRefusal(error)
  if (refusal.status >= 500 && !isClientGone(error)) {
    context.report(error, `${request.method} ${pathOf(request.url ?? '')}`)
  }
  if (response.headersSent || response.destroyed) return void response.destroy()
  for (const name of ['Content-Length', 'Content-Range', 'ETag', 'Accept-Ranges']) response.removeHeader(name)
  announceClose(request, response)
  sendRefusal(response, refusal)
}

function isClientGone(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return code === 'ECONNRESET' || code === 'EPIPE' || code === 'ERR_STREAM_PREMATURE_CLOSE'
}
