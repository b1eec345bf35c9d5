import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { systemClock } from '#base'
import { digestOf } from '#blob'
import { type Descriptor, MediaType } from '#spec'
import { fixedCredential, noCredentials } from '#transport/credentials'
import { type Handler, planServer, type SeenRequest } from '../../../test/kit/planned-server.ts'
import { until } from '../../../test/kit/until.ts'
import type { RemoteLimits } from './limits.ts'
import { openRepository } from './open-repository.ts'

const quick = { firstDelay: 1, longestDelay: 2, attempts: 4 }
const blob = randomBytes(700_000)
const descriptor: Descriptor = { mediaType: MediaType.ociLayerGzip, digest: digestOf(blob), size: blob.length }

/** The blob route only: the server answers pings by itself. */
async function fetchBlob(
  handler: Handler,
  options: { offset?: number; limits?: Partial<RemoteLimits>; descriptor?: Descriptor; signal?: AbortSignal } = {},
): Promise<{ bytes: Buffer; seen: readonly SeenRequest[] }> {
  await using server = await planServer(handler)
  await using repository = openRepository(
    { registry: server.host, repository: 'a' },
    { credentials: noCredentials, limits: { ...quick, ...options.limits } },
  )
  const chunks: Uint8Array[] = []
  taken = 0
  for await (const chunk of await repository.blob(options.descriptor ?? descriptor, options)) {
    chunks.push(chunk)
    taken += chunk.length
  }
  return { bytes: Buffer.concat(chunks), seen: server.seen }
}

/** What `fetchBlob` has received until now. */
let taken = 0
const isTaken = (bytes: number) => until(`${bytes} bytes have arrived`, () => taken >= bytes, { every: 1 })

const startOf = (request: SeenRequest) => Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)

/** What a good registry answers to a (range) request. */
function serve(request: SeenRequest, response: ServerResponse, { etag = '"one"', end = blob.length } = {}) {
  const start = startOf(request)
  response.setHeader('etag', etag)
  if (start > 0) response.setHeader('content-range', `bytes ${start}-${blob.length - 1}/${blob.length}`)
  response.writeHead(start > 0 ? 206 : 200, { 'content-length': blob.length - start })
  if (end === blob.length) return response.end(blob.subarray(start))
  response.write(blob.subarray(start, end))
  // Bytes that are not read yet would be lost with the connection.
  isTaken(end).then(() => response.destroy())
}

test('a blob comes whole, unencoded, in one request', async () => {
  const { bytes, seen } = await fetchBlob((request, response) => serve(request, response))
  assert.ok(bytes.equals(blob))
  assert.equal(seen.length, 1)
  assert.equal(seen[0]!.headers['accept-encoding'], 'identity')
})

test('pull resumes after a dropped connection: the rest is asked for, of the same content', async () => {
  const { bytes, seen } = await fetchBlob((request, response, all) =>
    serve(request, response, { end: all.length < 3 ? all.length * 200_000 : blob.length }),
  )
  assert.ok(bytes.equals(blob))
  assert.equal(seen.length, 3)
  assert.ok(startOf(seen[1]!) > 0 && startOf(seen[2]!) > startOf(seen[1]!))
  assert.equal(seen[1]!.headers['if-range'], '"one"')
})

test('a blob that an earlier process began is fetched from its offset', async () => {
  const { bytes } = await fetchBlob((request, response) => serve(request, response), { offset: 650_000 })
  assert.ok(bytes.equals(blob.subarray(650_000)))
  const { seen } = await fetchBlob((request, response) => serve(request, response), { offset: blob.length })
  assert.equal(seen.length, 0, 'nothing is left to ask for')
})

test('C07 a range answered with 200 restarts: what is known is skipped', async () => {
  const { bytes } = await fetchBlob((_request, response) => response.end(blob), { offset: 500_000 })
  assert.ok(bytes.equals(blob.subarray(500_000)))
})

const wrongRanges: [string, string][] = [
  ['another start', `bytes 0-${blob.length - 1}/${blob.length}`],
  ['an overlapping start', `bytes 499999-${blob.length - 1}/${blob.length}`],
  ['another end', `bytes 500000-500001/${blob.length}`],
  ['another size', `bytes 500000-${blob.length - 1}/999999999`],
  ['no range', ''],
]
for (const [name, range] of wrongRanges) {
  test(`C07 a partial answer with ${name} is not used; the blob is asked for from the beginning`, async () => {
    const { bytes, seen } = await fetchBlob(
      (request, response) => {
        if (startOf(request) === 0) return response.end(blob)
        response.writeHead(206, range ? { 'content-range': range } : {}).end('x'.repeat(50))
      },
      { offset: 500_000 },
    )
    assert.ok(bytes.equals(blob.subarray(500_000)))
    assert.deepEqual(seen.map(startOf), [500_000, 0])
  })
}

test('C07 a partial answer with a changed ETag is not used', async () => {
  const { bytes, seen } = await fetchBlob((request, response, all) =>
    serve(request, response, { etag: `"${all.length}"`, end: all.length === 1 ? 300_000 : blob.length }),
  )
  assert.ok(bytes.equals(blob))
  assert.deepEqual(
    seen.map((request) => startOf(request) > 0),
    [false, true, false],
  )
})

test('C07 a refused range (416) leads back to the beginning', async () => {
  const { bytes } = await fetchBlob(
    (request, response) => (startOf(request) > 0 ? response.writeHead(416).end() : response.end(blob)),
    { offset: 3 },
  )
  assert.ok(bytes.equals(blob.subarray(3)))
})

test('M01 C08 bytes past the announced size are never handed out', async () => {
  const endless: Handler = (_request, response) => {
    const more = () => {
      if (!response.destroyed) response.write(Buffer.alloc(65_536), () => setImmediate(more))
    }
    more()
  }
  await assert.rejects(fetchBlob(endless), { code: 'SIZE_MISMATCH' })
  const longer: Handler = (_request, response) =>
    response.writeHead(200, { 'content-length': blob.length + 1 }).end(Buffer.concat([blob, Buffer.alloc(1)]))
  await assert.rejects(fetchBlob(longer), { code: 'SIZE_MISMATCH' })
  const shorter: Handler = (_request, response) => response.writeHead(200, { 'content-length': 3 }).end('abc')
  await assert.rejects(fetchBlob(shorter), { code: 'SIZE_MISMATCH' })
})

test('M01 a descriptor with an impossible size is refused before anything is sent', async () => {
  for (const size of [-1, 2 ** 53 + 2, 1.5]) {
    await assert.rejects(
      fetchBlob((_request, response) => response.end(blob), { descriptor: { ...descriptor, size } }),
      { code: 'SIZE_MISMATCH' },
    )
  }
})

test('a blob that comes encoded unasked is decoded; a gzip layer whose store only says so is taken as it is', async () => {
  const text = Buffer.from('{"architecture":"amd64"}'.repeat(50))
  const config = { mediaType: MediaType.ociConfig, digest: digestOf(text), size: text.length }
  const zipped = gzipSync(text)
  const layer = { mediaType: MediaType.ociLayerGzip, digest: digestOf(zipped), size: zipped.length }
  for (const [one, sent, bytes, length] of [
    [config, zipped, text, true],
    [config, zipped, text, false],
    [layer, zipped, zipped, true],
    [layer, zipped, zipped, false],
    [layer, gzipSync(zipped), zipped, true],
  ] as const) {
    const found = await fetchBlob(
      (_request, response) => {
        response.writeHead(200, { 'content-encoding': 'gzip', ...(length ? { 'content-length': sent.length } : {}) })
        response.end(sent)
      },
      { descriptor: one },
    )
    assert.ok(found.bytes.equals(bytes))
  }
})

test('C08 an encoded blob that never ends is cut at its size', async () => {
  const config = { mediaType: MediaType.ociConfig, digest: digestOf('x'), size: 1000 }
  const bomb = gzipSync(Buffer.alloc(50_000_000))
  await assert.rejects(
    fetchBlob((_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb), {
      descriptor: config,
    }),
    { code: 'SIZE_MISMATCH' },
  )
})

test('206 for a whole blob is the blob, with or without a range; a part of it is not', async () => {
  for (const range of [undefined, `bytes 0-${blob.length - 1}/${blob.length}`, `bytes 0-${blob.length - 1}/*`]) {
    const { bytes } = await fetchBlob((_request, response) =>
      response.writeHead(206, { ...(range ? { 'content-range': range } : {}) }).end(blob),
    )
    assert.ok(bytes.equals(blob))
  }
  await assert.rejects(
    fetchBlob((_request, response) =>
      response.writeHead(206, { 'content-range': `bytes 0-9/${blob.length}` }).end(blob.subarray(0, 10)),
    ),
    { code: 'REGISTRY_FAILED', message: /a part of the blob/ },
  )
})

test('C08 a body that stalls, or trickles, is given up and taken up again', async () => {
  const limits = { stallWindow: 150, minimumRate: 1000 }
  for (const trickle of [false, true]) {
    const { bytes, seen } = await fetchBlob(
      (request, response, all) => {
        if (all.length > 1) return serve(request, response)
        response.writeHead(200, { 'content-length': blob.length }).write(blob.subarray(0, 1000))
        let at = 1000
        const timer = setInterval(() => trickle && response.write(blob.subarray(at, ++at)), 20)
        response.on('close', () => clearInterval(timer))
      },
      { limits },
    )
    assert.ok(bytes.equals(blob))
    // On a starved machine the second answer may seem to stall as well.
    assert.ok(seen.length >= 2)
  }
})

test('C08 a slow consumer is not a stalled registry', async () => {
  await using server = await planServer((request, response) => serve(request, response))
  await using repository = openRepository(
    { registry: server.host, repository: 'a' },
    { credentials: noCredentials, limits: { ...quick, stallWindow: 1000, minimumRate: 1e6, attempts: 1 } },
  )
  let size = 0
  for await (const chunk of await repository.blob(descriptor)) {
    // Two windows of the watch pass without a byte.
    if (size === 0) await systemClock.sleep(2500)
    size += chunk.length
  }
  assert.equal(size, blob.length)
  assert.equal(server.seen.length, 1)
})

test('a registry that breaks off every time is given up after a bounded number of tries', async () => {
  let connections = 0
  await assert.rejects(
    fetchBlob((_request, response) => {
      connections++
      response.writeHead(200, { 'content-length': blob.length }).write('x', () => response.destroy())
    }),
    { code: 'REGISTRY_FAILED' },
  )
  assert.equal(connections, quick.attempts)
})

test('leaving a blob early closes the connection', async () => {
  let closed: () => void
  const gone = new Promise<void>((resolve) => {
    closed = resolve
  })
  await using server = await planServer((_request, response) => {
    response.on('close', () => closed())
    response.writeHead(200, { 'content-length': blob.length }).write(blob.subarray(0, 1000))
  })
  await using repository = openRepository(
    { registry: server.host, repository: 'a' },
    { credentials: noCredentials, limits: quick },
  )
  for await (const chunk of await repository.blob(descriptor)) {
    assert.ok(chunk.length > 0)
    break
  }
  await gone
})

test('an aborted download ends with the reason of its signal', async () => {
  const stop = new AbortController()
  const reason = new Error('enough')
  await assert.rejects(
    fetchBlob(
      (_request, response) => {
        response.writeHead(200, { 'content-length': blob.length }).write(blob.subarray(0, 1000))
        isTaken(1000).then(() => stop.abort(reason))
      },
      { signal: stop.signal },
    ),
    reason,
  )
})

test('429 and 5xx are tried again, after the time that the registry asks for', async () => {
  const waits: number[] = []
  const clock = { now: () => 0, sleep: async (milliseconds: number) => void waits.push(milliseconds) }
  await using server = await planServer((request, response, all) => {
    if (all.length === 1) return response.writeHead(429, { 'retry-after': '7' }).end()
    if (all.length === 2) return response.writeHead(503, { 'retry-after': 'Thu, 01 Jan 1970 00:00:09 GMT' }).end()
    if (all.length === 3) return response.writeHead(500).end('boom')
    return serve(request, response)
  })
  const pauses: number[] = []
  await using repository = openRepository(
    { registry: server.host, repository: 'a' },
    { credentials: noCredentials, clock },
  )
  const stream = await repository.blob(descriptor, {
    progress: (event) => event.kind === 'blob' && event.phase === 'retrying' && pauses.push(event.seconds),
  })
  assert.equal(
    (await Array.fromAsync(stream)).reduce((sum, chunk) => sum + chunk.length, 0),
    blob.length,
  )
  assert.deepEqual(waits.slice(0, 2), [7000, 9000])
  assert.ok(waits[2]! > 0 && waits[2]! <= 8000)
  assert.deepEqual(pauses.slice(0, 2), [7, 9])
})

test('a registry that stays busy is RATE_LIMITED, one that asks for an hour at once', async () => {
  const busy: Handler = (_request, response) =>
    response.writeHead(429).end('{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}')
  await assert.rejects(fetchBlob(busy), { code: 'RATE_LIMITED', message: /slow down/ })
  let asked = 0
  const hour: Handler = (_request, response) => {
    asked++
    response.writeHead(429, { 'retry-after': '3600' }).end()
  }
  await assert.rejects(fetchBlob(hour), { code: 'RATE_LIMITED', hint: /3600 s/ })
  assert.equal(asked, 1)
})

test('a blob that is not there is BLOB_NOT_FOUND; a registry that fails is REGISTRY_FAILED', async () => {
  await assert.rejects(
    fetchBlob((_request, response) => response.writeHead(404).end()),
    { code: 'BLOB_NOT_FOUND' },
  )
  await assert.rejects(
    fetchBlob((_request, response) => response.writeHead(500).end()),
    { code: 'REGISTRY_FAILED', message: /status 500/ },
  )
  for (const length of [{}, { 'content-length': 11 }]) {
    await assert.rejects(
      fetchBlob((_request, response) =>
        response.writeHead(200, { 'content-type': 'text/html', ...length }).end('<html>login'),
      ),
      { code: 'REGISTRY_FAILED', message: /HTML page .* is it really a registry/ },
    )
  }
})

test('C02 a redirect to another origin gets no Authorization, also not when it leads back', async () => {
  const credential = { kind: 'password', username: 'ann', password: 'secret' } as const
  let registryHost = ''
  await using store = await planServer(({ path }, response) => {
    if (path === '/back') return response.writeHead(302, { location: `http://${registryHost}/again` }).end()
    return response.end(blob)
  })
  await using server = await planServer(({ path, headers }, response) => {
    if (path === '/again') return response.writeHead(307, { location: `${store.url}/data` }).end()
    if (!headers.authorization) return response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
    return response.writeHead(307, { location: `${store.url}/back`, 'set-cookie': 'a=b' }).end()
  })
  registryHost = server.host
  await using repository = openRepository(
    { registry: server.host, repository: 'a' },
    { credentials: fixedCredential(server.host, credential), limits: quick },
  )
  assert.ok(Buffer.concat(await Array.fromAsync(await repository.blob(descriptor))).equals(blob))
  assert.deepEqual(
    [...store.seen, ...server.seen.filter(({ path }) => path === '/again')].map(
      ({ headers }) => headers.authorization ?? headers.cookie,
    ),
    [undefined, undefined, undefined],
  )
  assert.ok(server.seen.some(({ headers }) => headers.authorization))
})

test('C02 redirects end after ten, and lead to web addresses only', async () => {
  const round: Handler = ({ path }, response) => response.writeHead(307, { location: `${path}x` }).end()
  await assert.rejects(fetchBlob(round), { code: 'REGISTRY_FAILED', message: /more than 10/ })
  for (const location of ['file:///etc/passwd', 'http://user:word@localhost/', 'http://[', 'ftp://x/']) {
    await assert.rejects(
      fetchBlob((_request, response) => response.writeHead(307, { location }).end()),
      /not a web address/,
    )
  }
})

test('mirrors are asked first, and the registry itself for what they cannot give', async () => {
  await using mirror = await planServer(({ path }, response) =>
    path.includes('/blobs/') ? response.writeHead(404).end() : response.end('{"schemaVersion":2,"manifests":[]}'),
  )
  await using server = await planServer((request, response) => serve(request, response))
  await using repository = openRepository(
    { registry: server.host, repository: 'a' },
    { credentials: noCredentials, mirrors: [{ registry: 'localhost:1' }, { registry: mirror.host }], limits: quick },
  )
  assert.equal((await repository.resolve('1')).descriptor.mediaType, MediaType.ociIndex)
  assert.ok(Buffer.concat(await Array.fromAsync(await repository.blob(descriptor))).equals(blob))
  assert.deepEqual([mirror.seen.length, server.seen.length], [2, 1])
})
