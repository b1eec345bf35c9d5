import type { ServerResponse } from 'node:http'
import { type Digest, parseDigest } from '#spec'
import type { StoredBlob } from '../meta/index.ts'
import type { CachedRepository } from '../upstream/index.ts'
import { authorize, metaOf } from './authorize.ts'
import type { Exchange, RegistryContext } from './exchange.ts'
import { Refusal } from './failure.ts'
import { parseRange } from './range.ts'
import { releaseBlob } from './release.ts'
import { sendChunks } from './send-chunks.ts'
import { sourceOf } from './upstream-route.ts'
import { findWholeBlob } from './whole-blob.ts'

interface BlobRoute {
  repository: string
  reference: string
}

/** GET and HEAD of a blob, with one Range. */
export async function readBlob(context: RegistryContext, exchange: Exchange, route: BlobRoute): Promise<void> {
  const { request, response } = exchange
  const principal = await authorize(context, exchange, 'pull', route.repository)
  const digest = parseDigest(route.reference)
  // A pusher that finds a blob will not send it, so it must stay for a while.
  const mayPush = async () => (await context.access.decide(principal, 'push', route)) === 'allowed'
  const lease = request.method === 'HEAD' && (await mayPush()) ? context.lease : undefined
  const source = sourceOf(context, route)
  const here = await findWholeBlob(context, route.repository, digest, { lease })
  const generation = here?.gate
  if (here || source) await releaseBlob(context, exchange, { principal, ...route, digest, generation })
  if (source) tellCache(context, source, here ? 'hit' : 'miss')
  const blob = here ?? (source && (await bringBlob(context, exchange, { source, digest })))
  if (blob === 'sent') return
  if (!blob) throw blobUnknown(route)
  response.setHeader('Docker-Content-Digest', digest)
  response.setHeader('Accept-Ranges', 'bytes')
  response.setHeader('ETag', `"${digest}"`)
  if (request.headers['if-none-match'] === `"${digest}"`) return void response.writeHead(304).end()
  if (request.method === 'GET' && context.presign) return redirect(response, await context.presign(blob.key))
  response.setHeader('Content-Type', 'application/octet-stream')
  const range = parseRange(request.headers.range, blob.size)
  if (range === 'unsatisfiable') {
    throw new Refusal(416, 'BLOB_UNKNOWN', 'the range is not within the blob', {
      headers: { 'Content-Range': `bytes */${blob.size}` },
    })
  }
  const { start, end } = range ?? { start: 0, end: blob.size }
  response.setHeader('Content-Length', end - start)
  if (range) response.setHeader('Content-Range', `bytes ${start}-${end - 1}/${blob.size}`)
  response.statusCode = range ? 206 : 200
  if (request.method === 'HEAD' || start === end) return void response.end()
  const bytes = exactly(context.objects.read(blob.key, { start, end, reuse: true }), end - start)
  try {
    await sendChunks(response, await begun(bytes), end - start)
  } finally {
    // A client that went away early: nobody may have asked for more than the first chunk, and the object is open.
    await bytes.return(undefined)
  }
}

function tellCache({ observe }: RegistryContext, { upstream }: CachedRepository, outcome: 'hit' | 'miss'): void {
  observe?.({ kind: 'cache-answered', upstream, what: 'blob', outcome })
}

/**
 * A blob of an upstream that is not here: a HEAD is answered by what the upstream says, a GET with the bytes as they come. One of a part waits
 * for all of them, and is then answered from here, as is one that comes too late to read along.
 */
async function bringBlob(
  context: RegistryContext,
  { request, response }: Exchange,
  { source, digest }: { source: CachedRepository; digest: Digest },
): Promise<StoredBlob | 'sent' | undefined> {
  if (request.method === 'HEAD') {
    const size = await source.blobSize(digest)
    if (size === undefined) return undefined
    blobHeaders(response, digest).writeHead(200, { 'Content-Length': size }).end()
    return 'sent'
  }
  const coming = await source.bring(digest)
  if (coming === undefined) return undefined
  if (coming !== 'stored' && request.headers.range === undefined) {
    const bytes = coming.read()
    try {
      const first = await begun(bytes)
      blobHeaders(response, digest).writeHead(200, { 'Content-Length': coming.size })
      await sendChunks(response, first, coming.size)
    } finally {
      await bytes.return(undefined)
    }
    return 'sent'
  }
  if (coming !== 'stored') await coming.stored
  return await findWholeBlob(context, source.name, digest)
}

function blobHeaders(response: ServerResponse, digest: Digest): ServerResponse {
  response.setHeader('Docker-Content-Digest', digest)
  response.setHeader('Accept-Ranges', 'bytes')
  response.setHeader('ETag', `"${digest}"`)
  return response.setHeader('Content-Type', 'application/octet-stream')
}

/** Sends the client to the object store. The answer is for this client alone: the address opens without a login. */
function redirect(response: ServerResponse, address: string): void {
  response.writeHead(307, { Location: address, 'Cache-Control': 'no-store', 'Content-Length': 0 }).end()
}

/** Takes the first chunk at once, so that bytes that cannot be read at all are an answer and not a broken connection. */
async function begun(stream: AsyncGenerator<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const first = await stream.next()
  return (async function* () {
    if (first.done) return
    yield first.value
    yield* stream
  })()
}

/** Fails when the stored object is shorter than its row says: the client must see a broken connection, not an end. */
async function* exactly(stream: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  let seen = 0
  for await (const chunk of stream) {
    seen += chunk.byteLength
    yield chunk
  }
  if (seen !== size) throw new Error(`an object has ${seen} bytes where ${size} were recorded`)
}

/** DELETE of a blob: out of this repository only (A07). */
export async function deleteBlob(context: RegistryContext, exchange: Exchange, route: BlobRoute): Promise<void> {
  const principal = await authorize(context, exchange, 'delete', route.repository)
  const digest = parseDigest(route.reference)
  switch (await context.whenFull(() => metaOf(context, exchange, principal).unlinkBlob(route.repository, digest))) {
    case 'absent':
      throw blobUnknown(route)
    case 'in use':
      throw new Refusal(409, 'DENIED', 'a manifest of this repository refers to the blob', { detail: { digest } })
    case 'removed':
      exchange.response.writeHead(202, { 'Content-Length': 0 }).end()
  }
}

function blobUnknown({ reference }: BlobRoute): Refusal {
  return new Refusal(404, 'BLOB_UNKNOWN', 'blob unknown to registry', { detail: { digest: reference } })
}
