/** What answers must be. Messages name the request. */
import assert from 'node:assert/strict'
import type { DistributionClient } from './client.ts'
import type { Blob } from './content.ts'
import type { Answer } from './exchange.ts'

export function expectStatus(answer: Answer, ...expected: number[]): void {
  const { request, status, body } = answer
  assert.ok(
    expected.includes(status),
    `${request}: ${status} instead of ${expected.join(' or ')} ${body.subarray(0, 300)}`,
  )
}

export function expectHeader(answer: Answer, name: string, value: string): void {
  const found = answer.headers[name.toLowerCase()]
  assert.ok(found === value, `${answer.request}: ${name} is ${found} instead of ${value}`)
}

/** The Location, from where the answer came. */
export function locationOf({ request, url, headers }: Answer): URL {
  assert.ok(headers.location, `${request}: there is no Location in the answer`)
  return new URL(headers.location, url)
}

/** What was pushed is accepted, under its digest. Of blobs only the official suite demands that header here. */
export function expectCreated(answer: Answer, { digest }: Blob): void {
  expectStatus(answer, 201)
  expectHeader(answer, 'Docker-Content-Digest', digest)
}

/** The answer to a GET or HEAD of something whole. Only manifests have a media type. */
export function expectContent(answer: Answer, content: Blob & { mediaType?: string }): void {
  expectStatus(answer, 200)
  expectHeader(answer, 'Docker-Content-Digest', content.digest)
  expectHeader(answer, 'Content-Length', String(content.bytes.byteLength))
  if (content.mediaType !== undefined) expectHeader(answer, 'Content-Type', content.mediaType)
  const body = answer.request.startsWith('HEAD ') ? new Uint8Array() : content.bytes
  assert.ok(answer.body.equals(body), `${answer.request}: ${answer.body.byteLength} other bytes`)
}

/** Source: spec.md, "Error Codes". */
const CODES = new Set([
  'BLOB_UNKNOWN',
  'BLOB_UPLOAD_INVALID',
  'BLOB_UPLOAD_UNKNOWN',
  'DIGEST_INVALID',
  'MANIFEST_BLOB_UNKNOWN',
  'MANIFEST_INVALID',
  'MANIFEST_UNKNOWN',
  'NAME_INVALID',
  'NAME_UNKNOWN',
  'SIZE_INVALID',
  'UNAUTHORIZED',
  'DENIED',
  'UNSUPPORTED',
  'TOOMANYREQUESTS',
])

/** A body in JSON must be of the form that "Error Codes" gives; other bodies may be anything. */
export function expectRefusal(answer: Answer, ...statuses: number[]): void {
  expectStatus(answer, ...statuses)
  const isJson = /^application\/json\b/.test(answer.headers['content-type'] ?? '')
  if (!isJson || answer.body.byteLength === 0) return
  const codes = codesOf(answer)
  assert.ok(codes.length > 0, `${answer.request}: there are no errors in ${answer.body}`)
  for (const code of codes) assert.ok(CODES.has(code), `${answer.request}: the code is ${code}`)
}

export function codesOf(answer: Answer): string[] {
  return jsonOf<{ errors?: { code: string }[] }>(answer).errors?.map(({ code }) => code) ?? []
}

/** Deleting is accepted, and seen at once. */
export async function expectDeleted(client: DistributionClient, path: string): Promise<void> {
  expectStatus(await client.request('DELETE', path), 202)
  expectStatus(await client.request('HEAD', path), 404)
}

export function jsonOf<T>({ body }: Answer): T {
  return JSON.parse(body.toString()) as T
}

/** The next page by its Link header (RFC 5988). Undefined for the last page. */
export function nextPage({ request, url, headers }: Answer): URL | undefined {
  const { link } = headers
  if (link === undefined) return undefined
  const match = /^<([^>]+)>\s*;\s*rel="?next"?$/.exec(String(link))
  assert.ok(match, `${request}: the Link is ${link}`)
  return new URL(match[1]!, url)
}
