import { BaleError, type OperationOptions } from '#base'
import { sizeMismatch } from '#blob'
import type { Descriptor } from '#spec'
import { decodedStream, type HttpAnswer, isEncoded, isTransient } from '#transport/http'
import { htmlError, isHtml } from './answer-error.ts'
import type { Names } from './names.ts'
import { pause } from './retry.ts'
import type { Session } from './session.ts'

/** As much new data as pays for another series of tries. */
const PROGRESS_BYTES = 256 * 1024
const CONNECTIONS_AT_MOST = 100

/**
 * The bytes [offset, size) of a blob, over as many connections as it takes. After a break it resumes where it stopped, if
 * the registry can and still has the same content (If-Range), else from the beginning with the known part skipped:
 * the target's hash over all bytes decides in any case. Never gives a byte more than the descriptor's size.
 * The first connection is made before this returns, so BLOB_NOT_FOUND comes from here.
 */
export async function downloadBlob(
  session: Session,
  names: Names,
  descriptor: Descriptor,
  options: OperationOptions & { offset?: number } = {},
): Promise<AsyncIterable<Uint8Array>> {
  const { offset = 0 } = options
  if (!Number.isSafeInteger(descriptor.size) || descriptor.size < 0) throw sizeMismatch(descriptor, 'more')
  if (offset >= descriptor.size) return nothing()
  const first = await openAt(session, names, descriptor, { ...options, offset })
  return pieces(session, names, descriptor, first, { ...options, offset })
}

interface Connection {
  answer: HttpAnswer
  /** The body is to be decoded. */
  compressed: boolean
  /** Where in the blob its body begins. */
  begin: number
}

async function* pieces(
  session: Session,
  names: Names,
  descriptor: Descriptor,
  first: Connection,
  options: OperationOptions & { offset: number },
): AsyncGenerator<Uint8Array> {
  const retry = session.retryOptions({ ...options, digest: descriptor.digest })
  let position = options.offset
  let connection: Connection | undefined = first
  let etag = strongTag(first.answer)
  for (let connections = 1, failures = 0; ; connections++) {
    const started = position
    try {
      connection ??= await openAt(session, names, descriptor, { ...options, offset: position, etag, attempts: 1 })
      etag = strongTag(connection.answer)
      for await (const chunk of bodyFrom(connection, position)) {
        if (position + chunk.length > descriptor.size) throw sizeMismatch(descriptor, 'more')
        position += chunk.length
        yield chunk
      }
      if (position === descriptor.size) return
      throw endedEarly(connection.answer, descriptor, position)
    } catch (error) {
      failures = position - started >= PROGRESS_BYTES ? 1 : failures + 1
      if (!isTransient(error) || failures >= session.limits.attempts || connections >= CONNECTIONS_AT_MOST) throw error
      await pause(error, failures - 1, retry)
    }
    connection = undefined
  }
}

/** The body from `position` on: a registry that ignores ranges begins at 0 again. */
async function* bodyFrom({ answer, begin, compressed }: Connection, position: number): AsyncGenerator<Uint8Array> {
  let skip = position - begin
  const encoding = compressed ? answer.headers['content-encoding'] : undefined
  for await (const chunk of decodedStream(answer.body(), encoding)) {
    if (skip >= chunk.length) skip -= chunk.length
    else {
      yield skip > 0 ? chunk.subarray(skip) : chunk
      skip = 0
    }
  }
}

async function openAt(
  session: Session,
  names: Names,
  descriptor: Descriptor,
  options: OperationOptions & { offset: number; etag?: string; attempts?: number },
): Promise<Connection> {
  const { offset, etag, signal, progress, attempts } = options
  const headers: Record<string, string> = { 'accept-encoding': 'identity' }
  if (offset > 0) headers['range'] = `bytes=${offset}-`
  if (offset > 0 && etag) headers['if-range'] = etag
  const answer = await session.send({
    method: 'GET',
    target: names.path(`blobs/${descriptor.digest}`),
    headers,
    scopes: names.pull,
    // 416: a range that cannot be, on a server that means it; asked again without.
    expect: offset > 0 ? [200, 206, 416] : [200, 206],
    what: `blob ${names.written(descriptor.digest)}`,
    notFound: 'BLOB_NOT_FOUND',
    attempts,
    digest: descriptor.digest,
    signal,
    progress,
  })
  const usable = answer.status === 200 || (answer.status === 206 && rangeFits(answer, offset, descriptor.size, etag))
  if (!usable) {
    await answer.discard()
    if (offset === 0)
      throw new BaleError('REGISTRY_FAILED', `${names.registry} sent a part of the blob ${descriptor.digest}`)
    return openAt(session, names, descriptor, { ...options, offset: 0, etag: undefined })
  }
  const begin = answer.status === 206 ? offset : 0
  await checkHeaders(answer, descriptor, begin, names)
  return { answer, begin, compressed: isCompressed(answer, descriptor, begin) }
}

/** Source: RFC 9110 section 14.4. A range other than the one asked for, or of other content, is not used. */
function rangeFits(answer: HttpAnswer, offset: number, size: number, etag: string | undefined): boolean {
  const written = answer.headers['content-range']
  // Some object stores answer 206 to a request without a range.
  if (offset === 0 && written === undefined) return true
  const range = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(written ?? '')
  if (!range || Number(range[1]) !== offset || Number(range[2]) !== size - 1) return false
  if (range[3] !== '*' && Number(range[3]) !== size) return false
  const now = strongTag(answer)
  return etag === undefined || now === undefined || now === etag
}

async function checkHeaders(answer: HttpAnswer, descriptor: Descriptor, begin: number, names: Names): Promise<void> {
  const length = answer.headers['content-length']
  let error: BaleError | undefined
  if (isHtml(answer, '') && Number(length) !== descriptor.size - begin) error = htmlError(answer, names.registry)
  else if (
    length !== undefined &&
    Number(length) !== descriptor.size - begin &&
    !isCompressed(answer, descriptor, begin)
  ) {
    error = sizeMismatch(descriptor, begin + Number(length))
  }
  if (!error) return
  await answer.discard()
  throw error
}

/**
 * True when the Content-Encoding is one to undo, although none was asked for. Stores of static files write it over blobs
 * that are gzip by themselves: there it means nothing, which the length shows, or else the blob's own type.
 */
function isCompressed(answer: HttpAnswer, { mediaType, size }: Descriptor, begin: number): boolean {
  const { 'content-encoding': encoding, 'content-length': length } = answer.headers
  if (begin > 0 || !isEncoded(encoding)) return false
  return length === undefined ? !/gzip|zstd/.test(mediaType) : Number(length) !== size
}

function strongTag(answer: HttpAnswer): string | undefined {
  const etag = answer.headers['etag']
  return etag?.startsWith('"') ? etag : undefined
}

function endedEarly(answer: HttpAnswer, descriptor: Descriptor, position: number): BaleError {
  return new BaleError(
    'REGISTRY_FAILED',
    `${answer.url.host} ended the blob ${descriptor.digest} after ${position} of ${descriptor.size} bytes`,
    { details: { errno: 'ENDED_EARLY' } },
  )
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  // An empty blob, or one that was already complete.
}
