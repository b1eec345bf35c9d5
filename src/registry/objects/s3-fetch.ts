import { BaleError } from '#base'
import type { HttpAnswer, HttpClient, HttpRequest } from '#transport/http'
import { S3Failure } from './s3-failure.ts'

/** A page of a thousand objects has half a megabyte. */
const LONGEST_DOCUMENT = 16 * 1024 * 1024
const LONGEST_ERROR = 64 * 1024

/**
 * The requests of s3mini by bale's own HTTP client. Only an answer that says yes is returned, all others are thrown as
 * `S3Failure`. The body of a GET streams and must be read; everything else is read here.
 */
export function fetchBy(client: HttpClient, now: () => number, signal?: AbortSignal): typeof fetch {
  return async (address, { method = 'GET', headers, body } = {}) => {
    const url = new URL(String(address))
    const answer = await client.send({
      method: method as HttpRequest['method'],
      url,
      headers: headers as Record<string, string>,
      body: async () => (body instanceof Uint8Array ? slices(body) : (body as string)),
      signal,
    })
    if (answer.status > 299) throw new S3Failure(answer, (await answer.beginning(LONGEST_ERROR)).toString(), now())
    const lists = url.searchParams.has('list-type') || url.searchParams.has('uploads')
    if (method === 'GET' && !lists) return responseOf(answer, ReadableStream.from(answer.body()))
    const text = (await answer.document(LONGEST_DOCUMENT, 'an answer')).toString()
    const root = /^\s*(?:<\?xml[^>]*>)?\s*<(\w+)/.exec(text)?.[1] ?? ''
    // Source: the API reference of CompleteMultipartUpload, "the request might fail after 200 OK was sent".
    if (root === 'Error') throw new S3Failure(answer, text, now())
    if ((lists || method === 'POST') && !root.endsWith('Result')) throw notS3(url)
    return responseOf(answer, text || null)
  }
}

function responseOf(answer: HttpAnswer, body: ReadableStream<Uint8Array> | string | null): Response {
  return new Response(body, { status: answer.status, headers: answer.headers })
}

/** A client that takes time for a part is not one that stands still: each slice that goes out begins the wait anew. */
async function* slices(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += SLICE) yield bytes.subarray(at, at + SLICE)
}

const SLICE = 256 * 1024

/** Any web page answers 200. */
function notS3(url: URL): BaleError {
  return new BaleError('INVALID_ARGUMENT', `what answers at ${url.origin} does not speak S3`, {
    hint: 'check the endpoint of the bucket',
  })
}
