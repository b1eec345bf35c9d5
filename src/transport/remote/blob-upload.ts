import { BaleError, isBaleError, type OperationOptions } from '#base'
import { digestMismatch, sizeMismatch } from '#blob'
import { type BlobContext, type BlobOutcome, isRegistryPlace } from '#image'
import { algorithmOf, type Descriptor, isDigest } from '#spec'
import { type HttpAnswer, redirectTarget } from '#transport/http'
import { UNTOLD } from './manifests.ts'
import type { Names } from './names.ts'
import { withRetries } from './retry.ts'
import type { Session } from './session.ts'

type OpenBlob = (offset: number) => Promise<AsyncIterable<Uint8Array>>

/** Tries of one blob: each begins a new upload, since what a broken one left on the server cannot be relied on. */
const ATTEMPTS = 3
/** 201 by the specification; others by what registries do. */
const STORED = [200, 201, 202, 204]

/** True when the repository has the blob. */
export async function blobExists(
  session: Session,
  names: Names,
  descriptor: Descriptor,
  { signal }: OperationOptions = {},
): Promise<boolean> {
  const answer = await session.send({
    method: 'HEAD',
    target: names.path(`blobs/${descriptor.digest}`),
    scopes: names.push,
    expect: [200, ...UNTOLD],
    what: `blob ${names.written(descriptor.digest)}`,
    signal,
  })
  await answer.discard()
  return answer.status === 200
}

/**
 * Writes a blob: mounted from another repository of the same registry where that is offered, else POST and one PUT
 * with the whole stream. Source: distribution-spec, "POST then PUT" and "Mounting a blob from another repository".
 */
export function uploadBlob(
  session: Session,
  names: Names,
  descriptor: Descriptor,
  open: OpenBlob,
  options: OperationOptions & BlobContext = {},
): Promise<BlobOutcome> {
  const retry = session.retryOptions({ ...options, digest: descriptor.digest, attempts: ATTEMPTS })
  const openSized: OpenBlob = async (offset) => sized(await open(offset), descriptor)
  return withRetries(async () => {
    const place = await mountOrBegin(session, names, descriptor, options)
    if (!(place instanceof URL)) return place
    try {
      await sendBlob(session, names, descriptor, openSized, withDigest(place, descriptor), options)
    } catch (error) {
      if (!wantsPieces(error)) throw error
      // What the refused upload left on the server cannot be relied on.
      const again = await mountOrBegin(session, names, descriptor, { ...options, from: undefined })
      if (!(again instanceof URL)) return again
      await sendPieces(session, names, descriptor, openSized, again, options)
    }
    return { how: 'moved', bytes: descriptor.size }
  }, retry)
}

/**
 * The registry checks the digest; a stream of another length than announced would break the connection instead. The last chunk
 * waits until the source has ended well: what its end finds damaged is not sent whole, so that the failure is the source's and
 * not what the registry says of it.
 */
async function* sized(stream: AsyncIterable<Uint8Array>, descriptor: Descriptor): AsyncGenerator<Uint8Array> {
  let size = 0
  let last: Uint8Array | undefined
  for await (const chunk of stream) {
    size += chunk.byteLength
    if (size > descriptor.size) throw sizeMismatch(descriptor, 'more')
    if (last) yield last
    last = chunk
  }
  if (size < descriptor.size) throw sizeMismatch(descriptor, size)
  if (last) yield last
}

/** Old registries know only what docker does: PATCH with the bytes, then a PUT without. */
function wantsPieces(error: unknown): boolean {
  // It took the bytes, and they were not those of the digest.
  if (isBaleError(error, 'DIGEST_MISMATCH')) return false
  const status = error instanceof BaleError ? error.details['status'] : undefined
  return [400, 404, 405, 411, 415, 416, 501].includes(status as number)
}

function withDigest(place: URL, { digest }: Descriptor): URL {
  const url = new URL(place)
  // Its query belongs to the registry and is kept as it is.
  url.search += `${url.search ? '&' : '?'}digest=${encodeURIComponent(digest)}`
  return url
}

/** A mount that is forbidden is no failure: then the bytes are sent. */
async function mountOrBegin(
  session: Session,
  names: Names,
  descriptor: Descriptor,
  options: OperationOptions & BlobContext,
): Promise<URL | BlobOutcome> {
  try {
    return await beginUpload(session, names, descriptor, options)
  } catch (error) {
    const status = error instanceof BaleError ? (error.details['status'] as number | undefined) : undefined
    const refused = isBaleError(error, 'UNAUTHORIZED') || (status !== undefined && status >= 400 && status < 500)
    if (!options.from || !refused || status === 429) throw error
    return beginUpload(session, names, descriptor, { ...options, from: undefined })
  }
}

/** Where the blob is to be PUT, or that it was mounted and nothing is left to do. */
async function beginUpload(
  session: Session,
  names: Names,
  descriptor: Descriptor,
  { from, signal }: OperationOptions & BlobContext,
): Promise<URL | BlobOutcome> {
  const isNear = isRegistryPlace(from) && from.registryHost === names.registry && from.repository !== names.repository
  if (!isNear) return openUpload(session, names, { signal })
  const near = from.repository
  const answer = await postUpload(session, names, {
    query: `?${new URLSearchParams({ mount: descriptor.digest, from: near })}`,
    scopes: [...names.push, `repository:${near}:pull`],
    expect: [201, 202],
    signal,
  })
  if (answer.status !== 201) return uploadPlace(answer, names)
  checkStored(answer, descriptor)
  return { how: 'mounted', from: near }
}

/** Begins an upload. Returns where its bytes go. */
export async function openUpload(session: Session, names: Names, { signal }: OperationOptions): Promise<URL> {
  return uploadPlace(await postUpload(session, names, { query: '', scopes: names.push, expect: [202], signal }), names)
}

async function postUpload(
  session: Session,
  names: Names,
  { query, ...more }: { query: string; scopes: readonly string[]; expect: readonly number[]; signal?: AbortSignal },
): Promise<HttpAnswer> {
  const answer = await session.send({
    ...more,
    method: 'POST',
    target: names.path(`blobs/uploads/${query}`),
    headers: { 'content-length': '0' },
    what: `upload to ${names.registry}/${names.repository}`,
    attempts: 1,
  })
  await answer.discard()
  return answer
}

/** A registry behind a TLS proxy often names itself by http: that is not another place. */
function uploadPlace(answer: HttpAnswer, names: Names): URL {
  const location = answer.headers['location']
  if (location === undefined) {
    throw new BaleError('REGISTRY_FAILED', `${names.registry} began an upload, but did not say where to send it`)
  }
  const plain = URL.canParse(location, answer.url.href) ? new URL(location, answer.url) : undefined
  const own = plain?.hostname === answer.url.hostname && answer.url.protocol === 'https:' && plain.protocol === 'http:'
  return own ? new URL(plain.pathname + plain.search, answer.url) : redirectTarget(answer.url, location)
}

async function sendPieces(
  session: Session,
  names: Names,
  descriptor: Descriptor,
  open: OpenBlob,
  place: URL,
  options: OperationOptions,
): Promise<void> {
  const size = { 'content-length': String(descriptor.size) }
  const next = await sendPiece(session, names, place, () => open(0), options, size)
  await closeUpload(session, names, descriptor, next, options)
}

/** PATCH. Returns where the upload goes on. Without a length among the headers the stream may have any. */
export async function sendPiece(
  session: Session,
  names: Names,
  place: URL,
  open: () => AsyncIterable<Uint8Array> | Promise<AsyncIterable<Uint8Array>>,
  { signal }: OperationOptions,
  headers: Record<string, string> = {},
): Promise<URL> {
  const answer = await session.send({
    method: 'PATCH',
    target: place,
    headers: { 'content-type': 'application/octet-stream', ...headers },
    body: async () => open(),
    scopes: names.push,
    expect: [200, 201, 202, 204],
    what: `upload to ${names.registry}/${names.repository}`,
    attempts: 1,
    signal,
  })
  await answer.discard()
  return answer.headers['location'] === undefined ? place : uploadPlace(answer, names)
}

/** PUT without bytes: tells what the upload is. */
export async function closeUpload(
  session: Session,
  names: Names,
  descriptor: Descriptor,
  place: URL,
  { signal }: OperationOptions,
): Promise<void> {
  const answer = await session.send({
    method: 'PUT',
    target: withDigest(place, descriptor),
    headers: { 'content-length': '0' },
    scopes: names.push,
    expect: STORED,
    what: `blob ${names.written(descriptor.digest)}`,
    attempts: 1,
    signal,
  })
  await answer.discard()
  checkStored(answer, descriptor)
}

async function sendBlob(
  session: Session,
  names: Names,
  descriptor: Descriptor,
  open: OpenBlob,
  place: URL,
  { signal }: OperationOptions,
): Promise<void> {
  const answer = await session.send({
    method: 'PUT',
    target: place,
    headers: { 'content-type': 'application/octet-stream', 'content-length': String(descriptor.size) },
    body: () => open(0),
    scopes: names.push,
    expect: STORED,
    what: `blob ${names.written(descriptor.digest)}`,
    attempts: 1,
    signal,
  })
  await answer.discard()
  checkStored(answer, descriptor)
}

function checkStored(answer: HttpAnswer, descriptor: Descriptor): void {
  const stored = answer.headers['docker-content-digest']
  if (isDigest(stored) && algorithmOf(stored) === algorithmOf(descriptor.digest) && stored !== descriptor.digest) {
    throw digestMismatch(descriptor.digest, stored)
  }
}
