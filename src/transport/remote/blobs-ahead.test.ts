import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ProgressEvent } from '#base'
import { digestOf } from '#blob'
import { type Descriptor, MediaType } from '#spec'
import { noCredentials } from '#transport/credentials'
import { type Handler, planServer } from '../../../test/kit/planned-server.ts'
import { until } from '../../../test/kit/until.ts'
import { openRepository } from './open-repository.ts'

const limits = { firstDelay: 1, longestDelay: 2, attempts: 3 }
const blob = randomBytes(300_000)
const descriptor: Descriptor = { mediaType: MediaType.ociLayerGzip, digest: digestOf(blob), size: blob.length }

/** Bytes that come slowly, as from a compressor. */
async function* made(): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < blob.length; at += 65_536) {
    await sleep(5)
    yield blob.subarray(at, at + 65_536)
  }
}

async function* whole(): AsyncGenerator<Uint8Array> {
  yield blob
}

const taking: Handler = ({ method, path }, response) => {
  if (method === 'POST') return response.writeHead(202, { location: '/up?_state=1' }).end()
  if (method === 'PATCH') return response.writeHead(202, { location: '/up?_state=2' }).end()
  return response.writeHead(path.includes('digest=') ? 201 : 500).end()
}

async function against(handler: Handler) {
  const server = await planServer(handler)
  const repository = openRepository({ registry: server.host, repository: 'a' }, { credentials: noCredentials, limits })
  return {
    repository,
    seen: () => server.seen.map(({ method, path }) => `${method} ${path.replace(/sha256.*/, '')}`),
    requests: server.seen,
    async [Symbol.asyncDispose]() {
      await repository[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}

test('a blob is sent while it is made, without a length, and named at its end; it is not opened again', async () => {
  await using place = await against(taking)
  const told: ProgressEvent[] = []
  using ahead = (await place.repository.putBlobAhead())!
  ahead.send(made())
  ahead.named(descriptor)
  const outcome = await place.repository.putBlob(descriptor, () => assert.fail('it is on its way'), {
    progress: (event) => told.push(event),
  })
  assert.deepEqual(outcome, { how: 'moved', bytes: blob.length })
  assert.deepEqual(place.seen(), ['POST /v2/a/blobs/uploads/', 'PATCH /up?_state=1', 'PUT /up?_state=2&digest='])
  const [, patch] = place.requests
  assert.deepEqual(
    [patch!.headers['transfer-encoding'], patch!.headers['content-length'], patch!.body.equals(blob)],
    ['chunked', undefined, true],
  )
  const expected = { kind: 'layer', digest: descriptor.digest, phase: 'moving', act: 'push' }
  assert.deepEqual(told.at(-1), { ...expected, current: blob.length, total: blob.length })
  // A second one of the same digest is an ordinary one.
  await place.repository.putBlob(descriptor, async () => whole())
  assert.equal(place.seen().at(-1), 'PUT /up?_state=1&digest=')
})

test('what fails on its way is sent as any other blob, and that decides', async () => {
  const plain = ['POST /v2/a/blobs/uploads/', 'PUT /up?_state=1&digest=']
  for (const [failing, first] of [
    [({ method }, response) => method === 'PATCH' && response.destroy(), ['POST', 'PATCH']],
    [({ method }, response) => method === 'PATCH' && response.writeHead(405).end(), ['POST', 'PATCH']],
    [({ path }, response) => path.includes('_state=2') && response.writeHead(500).end(), ['POST', 'PATCH', 'PUT']],
  ] as [Handler, string[]][]) {
    await using place = await against((request, response, all) =>
      failing(request, response, all) ? undefined : taking(request, response, all),
    )
    using ahead = (await place.repository.putBlobAhead())!
    ahead.send(made())
    ahead.named(descriptor)
    const outcome = await place.repository.putBlob(descriptor, async () => whole())
    assert.deepEqual(outcome, { how: 'moved', bytes: blob.length })
    const seen = place.seen()
    assert.deepEqual(
      seen.slice(0, -2).map((line) => line.split(' ')[0]),
      first,
    )
    assert.deepEqual(seen.slice(-2), plain)
  }
})

test('a registry that does not let us write says so before anything is made; one that cannot do it now gets the blob later', async () => {
  for (const [status, code] of [
    [401, 'UNAUTHORIZED'],
    [403, 'DENIED'],
    [404, undefined],
    [500, undefined],
  ] as const) {
    await using place = await against((_request, response) => response.writeHead(status).end())
    if (code) await assert.rejects(place.repository.putBlobAhead(), { code })
    else assert.equal(await place.repository.putBlobAhead(), undefined)
  }
})

test('no more than three are on their way; one that is given up makes room, and its source is closed', async () => {
  await using place = await against(taking)
  let begun = 0
  let closed = 0
  async function* endless(): AsyncGenerator<Uint8Array> {
    begun++
    try {
      for (;;) {
        yield Buffer.alloc(1000)
        await sleep(5)
      }
    } finally {
      closed++
    }
  }
  const begin = async () => {
    const ahead = await place.repository.putBlobAhead()
    ahead?.send(endless())
    return ahead
  }
  const three = [await begin(), await begin(), await begin()]
  assert.ok(three.every((one) => one !== undefined))
  assert.equal(await begin(), undefined)
  await until('their requests have begun', () => begun === 3)
  three[0]![Symbol.dispose]()
  assert.notEqual(await begin(), undefined)
  await until('its request has begun', () => begun === 4)
  await place.repository[Symbol.asyncDispose]()
  await until('all sources are closed', () => closed === 4)
  assert.ok(!place.seen().some((line) => line.startsWith('PUT')))
})
