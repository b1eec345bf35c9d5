import assert from 'node:assert/strict'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { planServer } from '../../../test/kit/planned-server.ts'
import { IN_NO_ROW, NOTHING_WRITTEN } from './object-store.ts'
import { createS3Objects } from './s3-objects.ts'
import type { S3Options } from './s3-settings.ts'

const MEBIBYTE = 1024 * 1024
const KEY = '0123456789abcdef0123456789abcdef'
const OPTIONS: S3Options = {
  endpoint: 'http://127.0.0.1:1',
  region: 'us-east-1',
  bucket: 'images',
  accessKeyId: 'someone',
  secretAccessKey: 'never-shown',
  clock: { now: () => Date.now(), sleep: async () => undefined },
}

const BEGUN = '<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>'

test('a silent server is UNAVAILABLE once its time is over; the caller may give up earlier', async () => {
  const silent: ServerResponse[] = []
  await using server = await planServer((_request, response) => silent.push(response))
  await using objects = createS3Objects({ ...OPTIONS, endpoint: server.url, timeouts: { answer: 1000 }, retries: 1 })
  await assert.rejects(objects.checkAccess(), { code: 'UNAVAILABLE' })
  assert.equal(server.seen.length, 2)
  await assert.rejects(objects.checkAccess({ signal: AbortSignal.timeout(100) }), { name: 'TimeoutError' })
})

test('a part may take longer than the time for an answer while its bytes move', async () => {
  let received = 0
  const server = createServer(async (request, response) => {
    if (request.method === 'GET') return void response.end('<ListMultipartUploadsResult/>')
    if (request.method === 'POST') return void response.end(BEGUN)
    for await (const chunk of request) {
      received += (chunk as Buffer).length
      await sleep(4)
    }
    return void response.setHeader('etag', '"0"').end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  try {
    const partSize = 32 * MEBIBYTE
    await using objects = createS3Objects({ ...OPTIONS, endpoint, partSize, timeouts: { answer: 1500 }, retries: 0 })
    await using appender = await objects.append(KEY, NOTHING_WRITTEN, IN_NO_ROW)
    const before = Date.now()
    await appender.write(Buffer.alloc(partSize))
    await appender.sync()
    assert.ok(Date.now() - before > 1500)
    assert.equal(received, partSize)
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})
