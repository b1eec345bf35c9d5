import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { BaleError } from '#base'
import { digestOf } from '#blob'
import { type Descriptor, MediaType } from '#spec'
import { fixedCredential, noCredentials } from '#transport/credentials'
import { type Handler, planServer } from '../../../test/kit/planned-server.ts'
import { selfSigned } from '../../../test/kit/self-signed.ts'
import { openRepository } from './open-repository.ts'

const limits = { firstDelay: 1, longestDelay: 2, attempts: 3 }
const blob = randomBytes(300_000)
const descriptor: Descriptor = { mediaType: MediaType.ociLayerGzip, digest: digestOf(blob), size: blob.length }
const credential = { kind: 'password', username: 'ann', password: 'secret' } as const

async function* pieces(): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < blob.length; at += 65_536) yield blob.subarray(at, at + 65_536)
}

async function upload(handler: Handler, context: { from?: string } = {}) {
  await using server = await planServer(handler)
  await using repository = openRepository(
    { registry: server.host, repository: 'a' },
    { credentials: fixedCredential(server.host, credential), limits },
  )
  let opened = 0
  const from = context.from
    ? openRepository({ registry: server.host, repository: context.from }, { credentials: noCredentials })
    : undefined
  const outcome = await repository.putBlob(
    descriptor,
    async (offset) => {
      assert.equal(offset, 0)
      opened++
      return pieces()
    },
    { from },
  )
  return { opened, outcome, seen: server.seen }
}

const begin =
  (location: string): Handler =>
  (_request, response) =>
    response.writeHead(202, { location }).end()

test('a blob is sent with POST and one streamed PUT of known size, to a relative or absolute Location with its query kept', async () => {
  for (const place of ['/v2/a/blobs/uploads/1?_state=x%2By', 'absolute']) {
    const { seen, opened } = await upload((request, response, all) => {
      const location = place === 'absolute' ? `http://${request.headers.host}/somewhere?_state=x%2By` : place
      if (request.method === 'POST') return begin(location)(request, response, all)
      return response.writeHead(201, { 'docker-content-digest': descriptor.digest }).end()
    })
    const put = seen.at(-1)!
    assert.deepEqual([seen.length, opened, put.method], [2, 1, 'PUT'])
    assert.ok(put.path.endsWith(`?_state=x%2By&digest=${encodeURIComponent(descriptor.digest)}`), put.path)
    assert.equal(put.headers['content-length'], String(blob.length))
    assert.ok(put.body.equals(blob))
  }
})

test('a registry that takes a blob only as docker sends it gets PATCH, then PUT', async () => {
  for (const status of [400, 404, 405, 411]) {
    const { seen, opened } = await upload((request, response, all) => {
      if (request.method === 'POST') return begin('/up?_state=1')(request, response, all)
      if (request.method === 'PATCH') return response.writeHead(202, { location: '/up?_state=2' }).end()
      return response.writeHead(request.body.length > 0 ? status : 204).end()
    })
    assert.equal(opened, 2)
    assert.deepEqual(
      seen.map(({ method, path }) => `${method} ${path.replace(descriptor.digest, '').replace(/sha256.*/, '')}`),
      [
        'POST /v2/a/blobs/uploads/',
        'PUT /up?_state=1&digest=',
        'POST /v2/a/blobs/uploads/',
        'PATCH /up?_state=1',
        'PUT /up?_state=2&digest=',
      ],
    )
    assert.ok(seen.at(-2)!.body.equals(blob))
  }
})

test('a registry behind a TLS proxy that names its upload by plain http gets it by https', async () => {
  const tls = selfSigned('localhost')
  await using server = await planServer(
    (request, response, all) =>
      request.method === 'POST'
        ? begin(`http://localhost/up?x=1`)(request, response, all)
        : response.writeHead(201).end(),
    { tls },
  )
  await using repository = openRepository(
    { registry: server.host, repository: 'a' },
    { credentials: noCredentials, limits, ca: [tls.cert] },
  )
  await repository.putBlob(descriptor, async () => pieces(), {})
  assert.ok(server.seen.at(-1)!.body.equals(blob))
})

test('a registry without HEAD is asked by nothing else: what it may have is sent', async () => {
  for (const status of [405, 400, 403, 501]) {
    await using server = await planServer((_request, response) => response.writeHead(status).end())
    await using repository = openRepository(
      { registry: server.host, repository: 'a' },
      { credentials: noCredentials, limits },
    )
    assert.equal(await repository.has(descriptor), false)
  }
})

test('a push that breaks begins again with a new upload and a fresh stream', async () => {
  let puts = 0
  const { seen, opened } = await upload((request, response, all) => {
    if (request.method === 'POST') return begin(`/up/${all.length}`)(request, response, all)
    if (puts++ === 0) return response.destroy()
    if (puts === 2) return response.writeHead(503).end()
    return response.writeHead(201).end()
  })
  assert.equal(opened, 3)
  assert.deepEqual(
    seen.map(({ method }) => method),
    ['POST', 'PUT', 'POST', 'PUT', 'POST', 'PUT'],
  )
  assert.ok(seen.at(-1)!.body.equals(blob))
})

test('a source that finds itself damaged at its end fails the push: the registry never has all of the bytes', async () => {
  for (const chunk of [65_536, blob.length]) {
    let arrived = 0
    await using server = await planServer(async (request, response) => {
      if (request.method === 'POST') return response.writeHead(202, { location: '/up' }).end()
      arrived++
      response.writeHead(400).end()
    })
    await using repository = openRepository(
      { registry: server.host, repository: 'a' },
      { credentials: noCredentials, limits },
    )
    let opened = 0
    async function* damaged(): AsyncGenerator<Uint8Array> {
      opened++
      for (let at = 0; at < blob.length; at += chunk) yield blob.subarray(at, at + chunk)
      // Time enough for a registry that has all of them to answer.
      await sleep(100)
      throw new BaleError('STORE_DAMAGED', 'the blob is damaged')
    }
    await assert.rejects(
      repository.putBlob(descriptor, async () => damaged(), {}),
      { code: 'STORE_DAMAGED' },
    )
    assert.deepEqual([opened, arrived], [1, 0], `chunks of ${chunk}`)
  }
})

test('a registry that finds another digest is not sent the same again', async () => {
  let opened = 0
  await using server = await planServer((request, response) => {
    if (request.method === 'POST') return response.writeHead(202, { location: '/up' }).end()
    response.writeHead(400, { 'content-type': 'application/json' })
    return response.end(JSON.stringify({ errors: [{ code: 'DIGEST_INVALID', message: 'not this one' }] }))
  })
  await using repository = openRepository(
    { registry: server.host, repository: 'a' },
    { credentials: noCredentials, limits },
  )
  const put = repository.putBlob(
    descriptor,
    async () => {
      opened++
      return pieces()
    },
    {},
  )
  await assert.rejects(put, { code: 'DIGEST_MISMATCH' })
  assert.equal(opened, 1)
})

test('C10 a Location on another origin gets the blob, but no credentials', async () => {
  await using elsewhere = await planServer((_request, response) => response.writeHead(201).end())
  const { seen } = await upload((request, response, all) => {
    if (!request.headers.authorization) return response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
    return begin(`${elsewhere.url}/data`)(request, response, all)
  })
  assert.ok(seen.at(-1)!.headers.authorization)
  assert.equal(elsewhere.seen[0]!.headers.authorization, undefined)
  assert.ok(elsewhere.seen[0]!.body.equals(blob))
})

test('C10 a 201 with another digest is refused, for blobs and manifests', async () => {
  const wrong: Handler = (request, response, all) =>
    request.method === 'POST'
      ? begin('/up')(request, response, all)
      : response.writeHead(201, { 'docker-content-digest': digestOf('else') }).end()
  await assert.rejects(upload(wrong), { code: 'DIGEST_MISMATCH' })
  await using server = await planServer(wrong)
  await using repository = openRepository(
    { registry: server.host, repository: 'a' },
    { credentials: noCredentials, limits },
  )
  const bytes = Buffer.from('{}')
  const manifest = { mediaType: MediaType.ociManifest, digest: digestOf(bytes), size: bytes.length }
  await assert.rejects(repository.putManifest(manifest, bytes), { code: 'DIGEST_MISMATCH' })
})

test('C03 a blob of another repository of the same registry is mounted, with one extra pull scope', async () => {
  const { seen, opened, outcome } = await upload(
    ({ path, headers, method }, response) => {
      const url = new URL(path, 'http://x')
      if (url.pathname === '/token') return response.end(JSON.stringify({ token: 'good' }))
      if (!headers.authorization) {
        return response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${headers.host}/token"` }).end()
      }
      assert.equal(method, 'POST')
      assert.equal(url.searchParams.get('mount'), descriptor.digest)
      assert.equal(url.searchParams.get('from'), 'base/image')
      return response.writeHead(201).end()
    },
    { from: 'base/image' },
  )
  assert.equal(opened, 0)
  assert.deepEqual(outcome, { how: 'mounted', from: 'base/image' })
  const token = seen.find(({ path }) => path.startsWith('/token'))!
  assert.deepEqual(new URL(token.path, 'http://x').searchParams.getAll('scope'), [
    'repository:a:pull,push',
    'repository:base/image:pull',
  ])
})

test('a registry that does not mount gets the bytes', async () => {
  const { opened } = await upload(
    (request, response, all) =>
      request.method === 'POST' ? begin('/up')(request, response, all) : response.writeHead(201).end(),
    { from: 'base/image' },
  )
  assert.equal(opened, 1)
})

test('a mount that is forbidden is followed by a plain upload', async () => {
  const { opened } = await upload(
    (request, response, all) => {
      if (request.path.includes('mount=')) return response.writeHead(403).end()
      return request.method === 'POST' ? begin('/up')(request, response, all) : response.writeHead(201).end()
    },
    { from: 'secret/base' },
  )
  assert.equal(opened, 1)
})

test('what the registry has is told by HEAD, blobs and manifests each by their own route', async () => {
  await using server = await planServer(({ path }, response) =>
    response.writeHead(path.includes('manifests') ? 404 : 200).end(),
  )
  await using repository = openRepository(
    { registry: server.host, repository: 'a' },
    { credentials: noCredentials, limits },
  )
  assert.equal(await repository.has(descriptor), true)
  assert.equal(await repository.has({ ...descriptor, mediaType: MediaType.ociIndex }), false)
  assert.deepEqual(
    server.seen.map(({ method, path }) => `${method} ${path.split('/')[3]}`),
    ['HEAD blobs', 'HEAD manifests'],
  )
})

test('a manifest is put with its media type and its exact bytes, then under its tag', async () => {
  await using server = await planServer((_request, response) => response.writeHead(201).end())
  await using repository = openRepository(
    { registry: server.host, repository: 'a' },
    { credentials: noCredentials, limits },
  )
  const bytes = Buffer.from('{"schemaVersion": 2 }')
  const manifest = { mediaType: MediaType.dockerManifest, digest: digestOf(bytes), size: bytes.length }
  await repository.putManifest(manifest, bytes)
  await repository.tag('1', { descriptor: manifest, bytes })
  assert.deepEqual(
    server.seen.map(({ method, path, headers, body }) => [method, path, headers['content-type'], body.toString()]),
    [
      ['PUT', `/v2/a/manifests/${manifest.digest}`, MediaType.dockerManifest, bytes.toString()],
      ['PUT', '/v2/a/manifests/1', MediaType.dockerManifest, bytes.toString()],
    ],
  )
})

test('a push without a login is UNAUTHORIZED, with a login as the next step; one without the right is DENIED', async () => {
  const refusing =
    (status: number): Handler =>
    (_request, response) =>
      response.writeHead(status, { 'www-authenticate': 'Basic realm="x"' }).end()
  for (const [status, code, because] of [
    [401, 'UNAUTHORIZED', 'unknown'],
    [403, 'DENIED', 'denied'],
  ] as const) {
    await using server = await planServer(refusing(status))
    await using repository = openRepository(
      { registry: server.host, repository: 'a' },
      { credentials: noCredentials, limits },
    )
    await assert.rejects(
      repository.putBlob(descriptor, async () => pieces()),
      { code, next: { act: 'login', registry: server.host, because } },
    )
  }
})

test('403 for what another login does not change advises none, and says what the registry says', async () => {
  for (const message of [
    'the quota of acme/** is 1000B: 900B are used, and this needs 101B more',
    'adding 3.1 MiB of storage resource, which will exceed the configured upper limit of 2.0 MiB.',
    'acme/web was renamed to acme/site: push to that',
    'policy 3 of acme/** blocks acme/web@sha256:0: 2 critical: CVE-2026-1, CVE-2026-2; report: https://registry.example',
    'acme/web@sha256:0 is in quarantine: its key was stolen',
    `current image with 3 vulnerabilities cannot be pulled due to configured policy in 'Prevent images with vulnerability severity of "High" or higher from running.'`,
  ]) {
    const body = JSON.stringify({ errors: [{ code: 'DENIED', message }] })
    await using server = await planServer((_request, response) => response.writeHead(403).end(body))
    await using repository = openRepository(
      { registry: server.host, repository: 'a' },
      { credentials: fixedCredential(server.host, credential), limits },
    )
    await assert.rejects(
      repository.putBlob(descriptor, async () => pieces()),
      (error) => {
        assert.ok(error instanceof BaleError)
        assert.deepEqual([error.code, error.next, error.message.endsWith(message)], ['DENIED', undefined, true])
        return true
      },
    )
  }
})

test('a source that fails while it is being pushed is not tried against the registry again', async () => {
  await using server = await planServer((request, response, all) =>
    request.method === 'POST' ? begin('/up')(request, response, all) : response.writeHead(201).end(),
  )
  await using repository = openRepository(
    { registry: server.host, repository: 'a' },
    { credentials: noCredentials, limits },
  )
  let opened = 0
  const broken = async () => {
    opened++
    return (async function* (): AsyncGenerator<Uint8Array> {
      yield blob.subarray(0, 1000)
      throw new Error('the disk failed')
    })()
  }
  await assert.rejects(repository.putBlob(descriptor, broken), { message: 'the disk failed' })
  assert.equal(opened, 1)
})
