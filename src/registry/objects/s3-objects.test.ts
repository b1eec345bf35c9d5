import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../../test/kit/free-port.ts'
import { type Handler, planServer } from '../../../test/kit/planned-server.ts'
import { selfSigned } from '../../../test/kit/self-signed.ts'
import { IN_NO_ROW, NOTHING_WRITTEN } from './object-store.ts'
import { createS3Objects } from './s3-objects.ts'
import type { S3Options } from './s3-settings.ts'

const MEBIBYTE = 1024 * 1024
const PART = 5 * MEBIBYTE
const KEY = '0123456789abcdef0123456789abcdef'
const OPTIONS: S3Options = {
  endpoint: 'http://127.0.0.1:1',
  region: 'us-east-1',
  bucket: 'images',
  accessKeyId: 'someone',
  secretAccessKey: 'never-shown',
  partSize: PART,
  clock: { now: () => Date.now(), sleep: async () => undefined },
}

const EMPTY_LIST = '<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>'

/** As much of S3 as one object in parts needs. */
const accepting: Handler = ({ method, path }, response) => {
  if (method === 'PUT') return response.setHeader('etag', '"0"').end()
  if (path.endsWith('?uploads=')) {
    return response.end('<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>')
  }
  if (method === 'GET' && path.includes('uploads=')) return response.end('<ListMultipartUploadsResult/>')
  return response.end(EMPTY_LIST)
}

test('options that cannot be right are refused by name, and the secret is never shown', () => {
  const cases: [Partial<S3Options>, RegExp][] = [
    [{ endpoint: 'ftp://storage' }, /endpoint of the bucket is invalid: ftp:\/\/storage/],
    [{ endpoint: 'storage:9000' }, /endpoint/],
    [{ endpoint: 'http://storage/?x=1' }, /endpoint/],
    [{ endpoint: 'http://someone:never-shown@storage' }, /endpoint of a bucket is written without a login/],
    [{ endpoint: 'http://192.0.2.1', pathStyle: false }, /endpoint/],
    [{ endpoint: 'http://storage/path', pathStyle: false }, /endpoint/],
    [{ bucket: 'a/b' }, /name of the bucket is invalid: a\/b/],
    [{ bucket: '..' }, /name of the bucket/],
    [{ region: '' }, /region/],
    [{ prefix: 'a//b' }, /prefix/],
    [{ prefix: '../b' }, /prefix/],
    [{ prefix: 'a b' }, /prefix/],
    [{ accessKeyId: '' }, /keys for the bucket images are missing/],
    [{ secretAccessKey: ' ' }, /keys for the bucket images are missing/],
    [{ partSize: PART - 1 }, /part size/],
    [{ partSize: 1024 * MEBIBYTE }, /part size/],
    [{ partSize: PART + 0.5 }, /part size/],
    [{ retries: -1 }, /retries/],
    [{ timeouts: { answer: 0 } }, /timeout/],
    [{ timeouts: { connect: Number.NaN } }, /timeout/],
    [{ serverSideEncryption: { kms: 'a\r\nb' } }, /key that encrypts/],
  ]
  for (const [wrong, message] of cases) {
    assert.throws(
      () => createS3Objects({ ...OPTIONS, ...wrong }),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'INVALID_ARGUMENT')
        assert.match(error.message, message)
        assert.doesNotMatch(error.message, /never-shown/)
        return true
      },
    )
  }
})

test('a progress that this bale did not write is refused', async () => {
  await using objects = createS3Objects(OPTIONS)
  const good = { version: 1, partSize: PART, uploadId: 'u', etags: ['e'], replaced: [] }
  const offset = PART
  for (const state of [
    '',
    'null',
    '[]',
    '{}',
    JSON.stringify({ ...good, version: 0 }),
    JSON.stringify({ ...good, etags: [1] }),
    JSON.stringify({ ...good, uploadId: undefined }),
    JSON.stringify({ ...good, uploadId: '' }),
    JSON.stringify({ ...good, partSize: -1 }),
    JSON.stringify({ ...good, tail: { key: '../x', size: 1 } }),
    JSON.stringify({ ...good, replaced: ['x'] }),
  ]) {
    await assert.rejects(objects.append(KEY, { offset, state }, IN_NO_ROW), { code: 'STORE_DAMAGED' }, state)
    await assert.rejects(objects.complete(KEY, { offset, state }), { code: 'STORE_DAMAGED' }, state)
    await assert.rejects(objects.delete(KEY, state), { code: 'STORE_DAMAGED' }, state)
  }
  const newer = JSON.stringify({ ...good, version: 2 })
  await assert.rejects(objects.append(KEY, { offset, state: newer }, IN_NO_ROW), { code: 'STORE_VERSION' })
})

test('an object that needs more parts than there may be is refused', async () => {
  await using objects = createS3Objects(OPTIONS)
  const etags = Array.from({ length: 10_000 }, () => 'e')
  const state = JSON.stringify({ version: 1, partSize: PART, uploadId: 'u', etags, replaced: [] })
  await using appender = await objects.append(KEY, { offset: 10_000 * PART, state }, IN_NO_ROW)
  await assert.rejects(appender.write(Buffer.alloc(1)), { code: 'LIMIT_EXCEEDED', message: /48\.8 GiB/ })
})

test('what does not speak S3 is not taken for an empty bucket', async () => {
  await using web = await planServer((_request, response) => response.end('<html>Welcome</html>'))
  await using objects = createS3Objects({ ...OPTIONS, endpoint: web.url })
  const refusal = { code: 'INVALID_ARGUMENT', message: /does not speak S3/ }
  await assert.rejects(objects.checkAccess(), refusal)
  await assert.rejects(Array.fromAsync(objects.list()), refusal)
})

test('a server that is down is UNAVAILABLE; one that redirects elsewhere is refused by name', async () => {
  await using absent = createS3Objects({ ...OPTIONS, endpoint: `http://127.0.0.1:${await freePort()}` })
  await assert.rejects(absent.checkAccess(), { code: 'UNAVAILABLE', message: /bucket images at http.*refused/ })
  await using moved = await planServer((_request, response) => response.writeHead(301).end())
  await using objects = createS3Objects({ ...OPTIONS, endpoint: moved.url })
  await assert.rejects(objects.checkAccess(), { code: 'INVALID_ARGUMENT', hint: /endpoint and its region/ })
})

test('a full bucket is NO_SPACE', async () => {
  for (const [status, code] of [
    [403, 'QuotaExceeded'],
    [507, 'XMinioStorageFull'],
  ] as const) {
    const full: Handler = (_request, response) => response.writeHead(status).end(`<Error><Code>${code}</Code></Error>`)
    await using server = await planServer(full)
    await using objects = createS3Objects({ ...OPTIONS, endpoint: server.url })
    await using appender = await objects.append(KEY, NOTHING_WRITTEN, IN_NO_ROW)
    await appender.write(Buffer.from('x'))
    await assert.rejects(appender.sync(), { code: 'NO_SPACE', message: /bucket images at/ })
    assert.equal(server.seen.length, 1)
  }
})

test('what was signed in another hour is refused with a word about the clock', async () => {
  const skewed: Handler = (_request, response) =>
    response.writeHead(403).end('<Error><Code>RequestTimeTooSkewed</Code></Error>')
  await using server = await planServer(skewed)
  await using objects = createS3Objects({ ...OPTIONS, endpoint: server.url })
  await assert.rejects(objects.checkAccess(), { code: 'DENIED', hint: /clock/ })
})

test('the encryption that is wanted is asked for wherever an object begins', async () => {
  const aws = 'x-amz-server-side-encryption'
  for (const [serverSideEncryption, expected] of [
    [undefined, [undefined, undefined]],
    ['AES256', ['AES256', undefined]],
    [{ kms: 'arn:aws:kms:key/1' }, ['aws:kms', 'arn:aws:kms:key/1']],
  ] as const) {
    await using server = await planServer(accepting)
    await using objects = createS3Objects({ ...OPTIONS, endpoint: server.url, serverSideEncryption })
    await using appender = await objects.append(KEY, NOTHING_WRITTEN, IN_NO_ROW)
    await appender.write(Buffer.alloc(PART + 1))
    await appender.sync()
    const begun = server.seen.filter(({ method, path }) => method !== 'GET' && !path.includes('partNumber'))
    assert.deepEqual(
      begun.map(({ method, headers }) => [method, headers[aws], headers[`${aws}-aws-kms-key-id`]]),
      [
        ['POST', ...expected],
        ['PUT', ...expected],
      ],
    )
  }
})

test('a certificate is judged by the authorities that were given', async () => {
  const tls = selfSigned('localhost')
  const answer: Handler = (_request, response) => response.end(EMPTY_LIST)
  await using server = await planServer(answer, { tls })
  await using trusting = createS3Objects({ ...OPTIONS, endpoint: server.url, tls: { ca: [tls.cert] } })
  await trusting.checkAccess()
  await using strict = createS3Objects({ ...OPTIONS, endpoint: server.url })
  await assert.rejects(strict.checkAccess(), { code: 'UNAVAILABLE', message: /certificate of localhost/ })
})

test('two parts are on their way at most, and the writer waits for them', async () => {
  const held: ServerResponse[] = []
  await using server = await planServer((request, response, seen) => {
    if (request.path.includes('partNumber')) return held.push(response)
    return accepting(request, response, seen)
  })
  await using objects = createS3Objects({ ...OPTIONS, endpoint: server.url })
  await using appender = await objects.append(KEY, NOTHING_WRITTEN, IN_NO_ROW)
  let written = 0
  const writing = (async () => {
    for (; written < 5; written++) await appender.write(Buffer.alloc(PART))
  })()
  const parts = () => server.seen.filter(({ path }) => path.includes('partNumber')).length
  while (held.length < 2) await sleep(10)
  await sleep(200)
  assert.deepEqual([parts(), written], [2, 2])
  const releasing = setInterval(() => held.pop()?.setHeader('etag', '"0"').end(), 10)
  try {
    await writing
    assert.equal((await appender.sync()).offset, 5 * PART)
  } finally {
    clearInterval(releasing)
  }
})

test('the first failure of a part ends the writer, and nothing is recorded after it', async () => {
  await using server = await planServer((request, response, seen) => {
    if (request.path.includes('partNumber=2')) return response.writeHead(403).end()
    return accepting(request, response, seen)
  })
  await using objects = createS3Objects({ ...OPTIONS, endpoint: server.url })
  await using appender = await objects.append(KEY, NOTHING_WRITTEN, IN_NO_ROW)
  await appender.write(Buffer.alloc(PART))
  const safe = await appender.sync()
  await appender.write(Buffer.alloc(PART))
  await assert.rejects(appender.sync(), { code: 'DENIED' })
  await assert.rejects(appender.write(Buffer.alloc(1)), { code: 'DENIED' })
  await assert.rejects(appender.sync(), { code: 'DENIED' })
  assert.equal(safe.offset, PART)
})
