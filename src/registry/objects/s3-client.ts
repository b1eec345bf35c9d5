import { S3mini } from 's3mini'
import { createHttpClient, defaultHttpLimits, tlsSettings } from '#transport/http'
import { isKey } from './object-key.ts'
import { asBaleError, failureBehind, unavailable } from './s3-failure.ts'
import { fetchBy } from './s3-fetch.ts'
import { retried } from './s3-retry.ts'
import type { S3Settings } from './s3-settings.ts'

interface S3RequestOptions {
  /** Ends the pauses between tries; a request that runs is left to its timeouts, so that what it did is known. */
  signal?: AbortSignal
}

/** One bucket, below one prefix. Each request is made again while that may help; what is thrown is a BaleError. */
export interface S3Client extends AsyncDisposable {
  put(key: string, bytes: Uint8Array, options?: S3RequestOptions): Promise<void>
  /** The bytes [start, end) as they come; ENOENT when there is no such object. */
  read(key: string, start: number, end: number): AsyncGenerator<Uint8Array>
  size(key: string): Promise<number | undefined>
  /** Deleting an absent object succeeds. */
  remove(key: string): Promise<void>
  beginUpload(key: string, options?: S3RequestOptions): Promise<string>
  /** Sends part number 1, 2, 3 …; its ETag. */
  putPart(upload: S3Upload, number: number, bytes: Uint8Array, options?: S3RequestOptions): Promise<string>
  completeUpload(upload: S3Upload, etags: readonly string[]): Promise<void>
  /** Aborting an absent upload succeeds. */
  abortUpload(upload: S3Upload): Promise<void>
  /** Uploads of this key that are neither complete nor aborted. */
  uploadsOf(key: string): Promise<S3Upload[]>
  list(): AsyncGenerator<{ key: string; size: number; modified: number }>
  presign(key: string, seconds: number): Promise<string>
  /** Whether the bucket answers and may be listed. */
  probe(signal?: AbortSignal): Promise<void>
}

export interface S3Upload {
  key: string
  id: string
}

const BINARY = 'application/octet-stream'
const PAGE = 1000
/** Each download holds a connection for as long as its reader takes. */
const CONNECTIONS = 1024

export function createS3Client(settings: S3Settings): S3Client {
  const { prefix, place, encryption, timeouts, clock, retries } = settings
  const http = createHttpClient({
    limits: {
      ...defaultHttpLimits,
      connectTimeout: timeouts.connect,
      headersTimeout: timeouts.answer,
      stallWindow: timeouts.answer,
      // What is signed for one host is no use at another.
      redirects: 0,
      connections: CONNECTIONS,
    },
    tls: (url) => tlsSettings([url.host], settings.tls),
    proxy: settings.proxy,
  })
  /** s3mini signs, and reads and writes S3's XML; it makes no request by itself. */
  const signer = (signal?: AbortSignal) =>
    new S3mini({
      accessKeyId: settings.accessKeyId,
      secretAccessKey: settings.secretAccessKey,
      endpoint: settings.address.href,
      region: settings.region,
      fetch: fetchBy(http, clock.now, signal),
    })
  const s3 = signer()
  const nameOf = (key: string) => prefix + key
  const asked = async <T>(request: () => Promise<T>, { signal }: S3RequestOptions = {}): Promise<T> => {
    try {
      return await retried(request, { clock, retries, signal })
    } catch (error) {
      signal?.throwIfAborted()
      throw asBaleError(error, place)
    }
  }
  /** Gives `absent` for a missing object; a missing bucket is an error. */
  const orAbsent = async <T, A>(request: () => Promise<T>, absent: A): Promise<T | A> => {
    try {
      return await asked(request)
    } catch (error) {
      const failure = failureBehind(error)
      if (failure?.status !== 404 || failure.reason === 'NoSuchBucket') throw error
      // A HEAD has no words for what is missing.
      if (failure.reason === undefined) await probe()
      return absent
    }
  }
  const probe = async (signal?: AbortSignal) => {
    await asked(() => signer(signal).listObjectsPaged('/', prefix, 1), { signal })
  }
  return {
    async put(key, bytes, options) {
      await asked(() => s3.putObject(nameOf(key), bytes, BINARY, undefined, encryption), options)
    },
    async *read(key, start, end) {
      if (start >= end) return
      const isWhole = start === 0 && end === Number.POSITIVE_INFINITY
      const rangeEnd = end === Number.POSITIVE_INFINITY ? undefined : end
      try {
        const answer = await orAbsent(() => s3.getObjectRaw(nameOf(key), isWhole, start, rangeEnd), undefined)
        if (!answer) throw missing(nameOf(key), place)
        yield* bodyOf(answer, { start, end, place })
      } catch (error) {
        // The range begins where the object ends.
        if (failureBehind(error)?.status !== 416) throw asBaleError(error, place)
      }
    },
    size: (key) => orAbsent(() => s3.getContentLength(nameOf(key)), undefined),
    async remove(key) {
      await orAbsent(() => s3.deleteObject(nameOf(key)), true)
    },
    beginUpload: (key, options) =>
      asked(() => s3.getMultipartUploadId(nameOf(key), BINARY, undefined, encryption), options),
    async putPart({ key, id }, number, bytes, options) {
      const { etag } = await asked(() => s3.uploadPart(nameOf(key), id, bytes, number), options)
      if (etag === '') throw unavailable(place, 'it does not say what it stored')
      return etag
    },
    async completeUpload({ key, id }, etags) {
      const parts = etags.map((etag, index) => ({ partNumber: index + 1, etag }))
      await asked(() => s3.completeMultipartUpload(nameOf(key), id, parts))
    },
    async abortUpload({ key, id }) {
      await orAbsent(() => s3.abortMultipartUpload(nameOf(key), id), undefined)
    },
    async uploadsOf(key) {
      // Here s3mini leaves the prefix and the names of the document to its callers.
      const listed = await asked(() => s3.listMultipartUploads('/', '', 'GET', { prefix: nameOf(key) }))
      return uploadsIn(listed, nameOf(key)).map((id) => ({ key, id }))
    },
    async *list() {
      let token: string | undefined
      do {
        const page = await asked(() => s3.listObjectsPaged('/', prefix, PAGE, token))
        for (const { Key, Size, LastModified } of page?.objects ?? []) {
          const key = Key.slice(prefix.length)
          if (isKey(key)) yield { key, size: Size, modified: LastModified.getTime() }
        }
        if (page?.nextContinuationToken && page.nextContinuationToken === token) {
          throw unavailable(place, 'its list has no end')
        }
        token = page?.nextContinuationToken
      } while (token)
    },
    presign: (key, seconds) => s3.getPresignedUrl('GET', nameOf(key), seconds),
    probe,
    [Symbol.asyncDispose]: () => http[Symbol.asyncDispose](),
  }
}

function missing(name: string, place: string): Error {
  return Object.assign(new Error(`there is no object ${name} in the ${place}`), { code: 'ENOENT' })
}

/** The bytes of an answer to a GET, which must be those that were asked for, to the last. */
async function* bodyOf(
  answer: Response,
  { start, end, place }: { start: number; end: number; place: string },
): AsyncGenerator<Uint8Array> {
  const length = answer.headers.get('content-length')
  const expected = length === null ? undefined : Number(length)
  // RFC 9110 lets a server ignore a Range and send everything.
  const isRange = answer.status === 206 || (start === 0 && (expected ?? Number.POSITIVE_INFINITY) <= end)
  if (!isRange) {
    await answer.body?.cancel()
    throw unavailable(place, 'it sends whole objects where a part was asked for')
  }
  let size = 0
  for await (const chunk of answer.body ?? []) {
    size += chunk.byteLength
    yield chunk
  }
  if (expected !== undefined && size !== expected) throw unavailable(place, `${size} of ${expected} bytes came`)
}

interface ListedUpload {
  Key?: string
  UploadId?: string
}

function uploadsIn(listed: object, name: string): string[] {
  const { ListMultipartUploadsResult: result } = listed as {
    ListMultipartUploadsResult?: { Upload?: ListedUpload | ListedUpload[] }
  }
  const uploads = [result?.Upload ?? []].flat()
  return uploads.flatMap(({ Key, UploadId }) => (Key === name && UploadId ? [UploadId] : []))
}
