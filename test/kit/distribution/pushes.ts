/** The ways to push a blob. Each hands back the last answer unjudged; the answers before it must be right. */
import assert from 'node:assert/strict'
import type { DistributionClient } from './client.ts'
import type { Blob } from './content.ts'
import type { Answer } from './exchange.ts'
import { expectHeader, expectStatus, locationOf } from './expect.ts'

export interface Pushed {
  blob: Blob
  answer: Answer
}

/** `make` gets the number of bytes that the push needs. */
export type Push = (client: DistributionClient, repository: string, make: (size: number) => Blob) => Promise<Pushed>

const OCTETS = { 'Content-Type': 'application/octet-stream' }
const SMALL = 512
const SMALLEST_CHUNK = 1024

const pushByPost: Push = async (client, repository, make) => {
  const blob = make(SMALL)
  const path = `/v2/${repository}/blobs/uploads/?digest=${blob.digest}`
  return { blob, answer: await client.request('POST', path, { headers: OCTETS, body: blob.bytes }) }
}

/** What every registry must offer: other checks prepare by it. */
export const pushByPostAndPut: Push = async (client, repository, make) => {
  const blob = make(SMALL)
  const { location } = await beginUpload(client, repository)
  return { blob, answer: await finishUpload(client, location, blob) }
}

/** One PATCH that says neither its length nor its range. */
export function pushAsStream(query = ''): Push {
  return async (client, repository, make) => {
    const blob = make(SMALL)
    const { location } = await beginUpload(client, repository, query)
    const headers = { ...OCTETS, 'Transfer-Encoding': 'chunked' }
    const answer = await client.request('PATCH', location, { headers, body: blob.bytes })
    expectStatus(answer, 202)
    return { blob, answer: await closeUpload(client, locationOf(answer), blob) }
  }
}

interface Chunking {
  count: 1 | 3
  /** The closing PUT carries the last chunk. */
  lastInPut?: boolean
  /** A wrong chunk is tried before each right one. */
  disorder?: boolean
}

function pushInChunks({ count, lastInPut = false, disorder = false }: Chunking): Push {
  return async (client, repository, make) => {
    const upload = await beginUpload(client, repository)
    const blob = make(upload.chunk * count - 5)
    const chunks = chunksOf(blob, upload.chunk, lastInPut)
    let { location } = upload
    for (const [index, chunk] of chunks.entries()) {
      // Either the chunk after this one, or the first one once more.
      const wrong = chunks[index + 1] ?? chunks[0]!
      if (disorder) location = await tryWrongChunk(client, location, { blob, wrong, due: chunk.start })
      const answer = await sendChunk(client, location, blob, chunk)
      if (chunk.closes) return { blob, answer }
      expectStatus(answer, 202)
      expectHeader(answer, 'Range', `0-${chunk.start + chunk.bytes.byteLength - 1}`)
      location = locationOf(answer)
    }
    return { blob, answer: await closeUpload(client, location, blob) }
  }
}

interface Chunk {
  start: number
  bytes: Uint8Array
  /** It goes with the closing PUT. */
  closes: boolean
}

function chunksOf({ bytes }: Blob, size: number, lastInPut: boolean): Chunk[] {
  const count = Math.ceil(bytes.byteLength / size)
  return Array.from({ length: count }, (_, index) => {
    const start = index * size
    return { start, bytes: bytes.subarray(start, start + size), closes: lastInPut && index === count - 1 }
  })
}

async function sendChunk(client: DistributionClient, location: URL, blob: Blob, chunk: Chunk): Promise<Answer> {
  const { start, bytes, closes } = chunk
  const headers = { ...OCTETS, 'Content-Range': `${start}-${start + bytes.byteLength - 1}` }
  const [method, target] = closes ? (['PUT', closing(location, blob)] as const) : (['PATCH', location] as const)
  return await client.request(method, target, { headers, body: bytes })
}

/** A chunk out of order is 416; then the upload is where it was, and GET says where. Returns the Location to go on with. */
async function tryWrongChunk(
  client: DistributionClient,
  location: URL,
  { blob, wrong, due }: { blob: Blob; wrong: Chunk; due: number },
): Promise<URL> {
  expectStatus(await sendChunk(client, location, blob, wrong), 416)
  const status = await client.request('GET', location)
  expectStatus(status, 204)
  // What the range of no bytes is, the specification does not say.
  if (due > 0) expectHeader(status, 'Range', `0-${due - 1}`)
  return locationOf(status)
}

/** `chunk` is how many bytes each chunk but the last should have at least. */
export async function beginUpload(
  client: DistributionClient,
  repository: string,
  query = '',
): Promise<{ location: URL; chunk: number }> {
  const headers = { 'Content-Length': 0 }
  const answer = await client.request('POST', `/v2/${repository}/blobs/uploads/${query}`, { headers })
  expectStatus(answer, 202)
  const least = answer.headers['oci-chunk-min-length'] ?? '1'
  assert.match(String(least), /^[1-9]\d*$/, `${answer.request}: OCI-Chunk-Min-Length`)
  return { location: locationOf(answer), chunk: Math.max(SMALLEST_CHUNK, Number(least)) }
}

/** The PUT with all bytes. */
export async function finishUpload(client: DistributionClient, location: URL, blob: Blob): Promise<Answer> {
  return await client.request('PUT', closing(location, blob), { headers: OCTETS, body: blob.bytes })
}

/** The PUT without any. */
async function closeUpload(client: DistributionClient, location: URL, blob: Blob): Promise<Answer> {
  return await client.request('PUT', closing(location, blob), { headers: { 'Content-Length': 0 } })
}

/** The Location may have a query of its own, which must stay. */
function closing(location: URL, { digest }: Blob): URL {
  const url = new URL(location)
  url.searchParams.set('digest', digest)
  return url
}

export interface PushStyle {
  name: string
  source: string
  push: Push
  /** It sends wrong chunks as well. */
  disorder?: boolean
}

const CHUNKED = 'Pushing a blob in chunks'

export const PUSH_STYLES: readonly PushStyle[] = [
  { name: 'post only', source: 'Single POST', push: pushByPost },
  { name: 'post+put', source: 'POST then PUT', push: pushByPostAndPut },
  { name: 'chunked single', source: CHUNKED, push: pushInChunks({ count: 1 }) },
  { name: 'chunked multi', source: CHUNKED, push: pushInChunks({ count: 3 }) },
  { name: 'chunked multi and put chunk', source: CHUNKED, push: pushInChunks({ count: 3, lastInPut: true }) },
  ...[
    { name: 'chunked out-of-order', lastInPut: false },
    { name: 'chunked out-of-order and put chunk', lastInPut: true },
  ].map(({ name, lastInPut }) => ({
    name,
    source: CHUNKED,
    push: pushInChunks({ count: 3, lastInPut, disorder: true }),
    disorder: true,
  })),
  { name: 'stream', source: 'conformance', push: pushAsStream() },
]
