/** Written from distribution-spec 1.1, "Pull", "Push" and "Content Management" of blobs. */
import assert from 'node:assert/strict'
import { readdir, readlink } from 'node:fs/promises'
import { connect } from 'node:net'
import { test } from 'node:test'
import { sha256, sha512, startRegistry } from '../../../test/kit/registry-client.ts'

const CONTENT = Buffer.from(Array.from({ length: 2048 }, (_, index) => index % 251))
const DIGEST = sha256(CONTENT)
const HEADERS = { 'Content-Type': 'application/octet-stream' }

test('the ping says which API it is', async () => {
  await using registry = await startRegistry()
  const answer = await registry.request('GET', '/v2/')
  assert.equal(answer.status, 200)
  assert.equal(answer.headers['docker-distribution-api-version'], 'registry/2.0')
})

test('a blob that is not there is 404 BLOB_UNKNOWN, an unknown path 404, an unknown method 405', async () => {
  await using registry = await startRegistry()
  const missing = await registry.request('GET', `/v2/a/b/blobs/${DIGEST}`)
  assert.deepEqual([missing.status, missing.codes()], [404, ['BLOB_UNKNOWN']])
  const head = await registry.request('HEAD', `/v2/a/b/blobs/${DIGEST}`)
  assert.deepEqual([head.status, head.body.length], [404, 0])
  assert.equal((await registry.request('GET', '/v2/a/b/nothing')).status, 404)
  const method = await registry.request('PATCH', `/v2/a/b/blobs/${DIGEST}`)
  assert.deepEqual(
    [method.status, method.codes(), method.headers['allow']],
    [405, ['UNSUPPORTED'], 'GET, HEAD, DELETE'],
  )
})

for (const [algorithm, digestOf] of [
  ['sha256', sha256],
  ['sha512', sha512],
] as const) {
  const digest = digestOf(CONTENT)

  test(`${algorithm}: a blob is pushed by a single POST and read back whole and by HEAD`, async () => {
    await using registry = await startRegistry()
    const pushed = await registry.request('POST', `/v2/a/b/blobs/uploads/?digest=${digest}`, {
      headers: HEADERS,
      body: CONTENT,
    })
    assert.equal(pushed.status, 201)
    assert.equal(pushed.headers.location, `/v2/a/b/blobs/${digest}`)
    assert.equal(pushed.headers['docker-content-digest'], digest)
    const read = await registry.request('GET', pushed.headers.location)
    assert.deepEqual(
      [read.status, read.headers['content-length'], read.headers['docker-content-digest']],
      [200, '2048', digest],
    )
    assert.deepEqual(read.body, CONTENT)
    const head = await registry.request('HEAD', pushed.headers.location)
    assert.deepEqual([head.status, head.headers['content-length'], head.body.length], [200, '2048', 0])
    const same = await registry.request('GET', pushed.headers.location, { headers: { 'If-None-Match': `"${digest}"` } })
    assert.deepEqual([same.status, same.body.length], [304, 0])
  })

  test(`${algorithm}: a blob is pushed by POST and PUT`, async () => {
    await using registry = await startRegistry()
    const begun = await registry.request('POST', '/v2/a/b/blobs/uploads/')
    assert.equal(begun.status, 202)
    assert.equal(begun.headers.range, '0-0')
    const put = await registry.request('PUT', `${begun.headers.location}?digest=${digest}`, {
      headers: HEADERS,
      body: CONTENT,
    })
    assert.equal(put.status, 201)
    assert.equal(put.headers['docker-content-digest'], digest)
    assert.equal((await registry.request('GET', `/v2/a/b/blobs/${digest}`)).body.length, 2048)
  })

  test(`${algorithm}: a blob is pushed by POST, a streamed PATCH without a range, and an empty PUT`, async () => {
    await using registry = await startRegistry()
    const begun = await registry.request('POST', `/v2/a/b/blobs/uploads/?digest-algorithm=${algorithm}`)
    const headers = { ...HEADERS, 'Transfer-Encoding': 'chunked' }
    const patch = await registry.request('PATCH', begun.headers.location!, {
      headers,
      body: CONTENT,
    })
    assert.deepEqual([patch.status, patch.headers.range], [202, '0-2047'])
    const put = await registry.request('PUT', `${patch.headers.location}?digest=${digest}`)
    assert.equal(put.status, 201)
    assert.deepEqual((await registry.request('GET', put.headers.location!)).body, CONTENT)
  })

  test(`${algorithm}: a blob is pushed in chunks, the last one in the PUT, with status between`, async () => {
    await using registry = await startRegistry()
    const begun = await registry.request('POST', '/v2/a/b/blobs/uploads/', { headers: { 'Content-Length': 0 } })
    const location = begun.headers.location!
    const chunk = (start: number, end: number) => ({
      headers: { ...HEADERS, 'Content-Range': `${start}-${end - 1}` },
      body: CONTENT.subarray(start, end),
    })
    assert.equal((await registry.request('PATCH', location, chunk(0, 700))).headers.range, '0-699')
    const status = await registry.request('GET', location)
    assert.deepEqual([status.status, status.headers.range, status.headers.location], [204, '0-699', location])
    assert.equal((await registry.request('PATCH', location, chunk(700, 1500))).status, 202)
    const put = await registry.request('PUT', `${location}?digest=${digest}`, chunk(1500, 2048))
    assert.equal(put.status, 201)
    assert.deepEqual((await registry.request('GET', `/v2/a/b/blobs/${digest}`)).body, CONTENT)
  })

  test(`${algorithm}: wrong bytes are 400 DIGEST_INVALID in each style of push, and nothing stays`, async () => {
    await using registry = await startRegistry()
    const other = digestOf('other')
    const single = await registry.request('POST', `/v2/a/b/blobs/uploads/?digest=${other}`, {
      headers: HEADERS,
      body: CONTENT,
    })
    assert.deepEqual([single.status, single.codes()], [400, ['DIGEST_INVALID']])
    const begun = await registry.request('POST', '/v2/a/b/blobs/uploads/')
    const put = await registry.request('PUT', `${begun.headers.location}?digest=${other}`, {
      headers: HEADERS,
      body: CONTENT,
    })
    assert.deepEqual([put.status, put.codes()], [400, ['DIGEST_INVALID']])
    const chunked = await registry.request('POST', '/v2/a/b/blobs/uploads/')
    await registry.request('PATCH', chunked.headers.location!, { headers: HEADERS, body: CONTENT })
    const closed = await registry.request('PUT', `${chunked.headers.location}?digest=${other}`)
    assert.deepEqual([closed.status, closed.codes()], [400, ['DIGEST_INVALID']])
    assert.equal((await registry.request('HEAD', `/v2/a/b/blobs/${other}`)).status, 404)
    await registry.registry.collectGarbage({ grace: 0 })
    assert.deepEqual(await storedObjects(registry.directory), [])
  })
}

test('chunks out of order are 416 with the range that is there, in PATCH and PUT, and do no harm', async () => {
  await using registry = await startRegistry()
  const location = (await registry.request('POST', '/v2/a/b/blobs/uploads/')).headers.location!
  await registry.request('PATCH', location, { headers: { 'Content-Range': '0-99' }, body: CONTENT.subarray(0, 100) })
  for (const range of ['200-299', '0-99', '99-199']) {
    const refused = await registry.request('PATCH', location, {
      headers: { 'Content-Range': range },
      body: CONTENT.subarray(0, 100),
    })
    assert.deepEqual([refused.status, refused.headers.range, refused.headers.location], [416, '0-99', location], range)
  }
  const put = await registry.request('PUT', `${location}?digest=${DIGEST}`, {
    headers: { 'Content-Range': '150-2047' },
    body: CONTENT.subarray(150),
  })
  assert.equal(put.status, 416)
  for (const range of ['x', '5-4', 'bytes 1-', '100-2046']) {
    const headers = { 'Content-Range': range }
    const refused = await registry.request('PATCH', location, { headers, body: CONTENT.subarray(100) })
    assert.equal(refused.status, 400, range)
  }
  const rest = await registry.request('PUT', `${location}?digest=${DIGEST}`, {
    headers: { 'Content-Range': '100-2047' },
    body: CONTENT.subarray(100),
  })
  assert.equal(rest.status, 201)
})

test('a finished upload answers the same PUT again with 201, anything else with 404', async () => {
  await using registry = await startRegistry()
  const location = (await registry.request('POST', '/v2/a/b/blobs/uploads/')).headers.location!
  await registry.request('PATCH', location, { body: CONTENT })
  assert.equal((await registry.request('PUT', `${location}?digest=${DIGEST}`)).status, 201)
  const again = await registry.request('PUT', `${location}?digest=${DIGEST}`)
  assert.deepEqual([again.status, again.headers.location], [201, `/v2/a/b/blobs/${DIGEST}`])
  assert.equal((await registry.request('PUT', `${location}?digest=${sha256('other')}`)).status, 404)
  assert.equal((await registry.request('PATCH', location, { body: 'x' })).status, 404)
  assert.equal((await registry.request('GET', location)).status, 404)
  assert.equal((await registry.request('DELETE', location)).status, 404)
})

test('a cancelled upload is gone', async () => {
  await using registry = await startRegistry()
  const location = (await registry.request('POST', '/v2/a/b/blobs/uploads/')).headers.location!
  await registry.request('PATCH', location, { body: CONTENT })
  assert.equal((await registry.request('DELETE', location)).status, 204)
  const gone = await registry.request('GET', location)
  assert.deepEqual([gone.status, gone.codes()], [404, ['BLOB_UPLOAD_UNKNOWN']])
  assert.equal((await registry.request('PUT', `${location}?digest=${DIGEST}`)).status, 404)
})

test('the empty blob can be pushed and read', async () => {
  await using registry = await startRegistry()
  const digest = sha256('')
  const location = (await registry.request('POST', '/v2/a/b/blobs/uploads/')).headers.location!
  assert.equal((await registry.request('PUT', `${location}?digest=${digest}`)).status, 201)
  const read = await registry.request('GET', `/v2/a/b/blobs/${digest}`)
  assert.deepEqual([read.status, read.headers['content-length'], read.body.length], [200, '0', 0])
  assert.equal(
    (await registry.request('GET', `/v2/a/b/blobs/${digest}`, { headers: { Range: 'bytes=0-' } })).status,
    416,
  )
})

test('ranges: within, open, from the end, past the end, and what cannot be satisfied', async () => {
  await using registry = await startRegistry()
  const path = `/v2/a/b/blobs/${await registry.blob('a/b', CONTENT)}`
  for (const [range, start, end] of [
    ['500-1499', 500, 1500],
    ['500-', 500, 2048],
    ['-500', 1548, 2048],
    ['2000-5000', 2000, 2048],
    ['0-0', 0, 1],
    ['-9999', 0, 2048],
  ] as const) {
    const part = await registry.request('GET', path, { headers: { Range: `bytes=${range}` } })
    assert.equal(part.status, 206, range)
    assert.equal(part.headers['content-range'], `bytes ${start}-${end - 1}/2048`)
    assert.deepEqual(part.body, CONTENT.subarray(start, end))
  }
  for (const range of ['500-0', '5000-10000', '2048-', '-0']) {
    const refused = await registry.request('GET', path, { headers: { Range: `bytes=${range}` } })
    assert.deepEqual([refused.status, refused.headers['content-range']], [416, 'bytes */2048'], range)
  }
  for (const range of ['bytes=0-1,4-5', 'lines=1-2', 'bytes=-', 'bytes=a-b']) {
    assert.equal((await registry.request('GET', path, { headers: { Range: range } })).status, 200, range)
  }
  const head = await registry.request('HEAD', path, { headers: { Range: 'bytes=0-9' } })
  assert.deepEqual([head.status, head.headers['content-length'], head.headers['accept-ranges']], [206, '10', 'bytes'])
})

test('a blob is mounted from a repository, or from wherever it is; otherwise an upload begins', async () => {
  await using registry = await startRegistry()
  await registry.blob('a/b', CONTENT)
  const mounted = await registry.request('POST', `/v2/c/d/blobs/uploads/?mount=${DIGEST}&from=a/b`)
  assert.deepEqual([mounted.status, mounted.headers.location], [201, `/v2/c/d/blobs/${DIGEST}`])
  assert.deepEqual((await registry.request('GET', `/v2/c/d/blobs/${DIGEST}`)).body, CONTENT)
  assert.equal((await registry.request('POST', `/v2/e/f/blobs/uploads/?mount=${DIGEST}`)).status, 201)
  for (const query of [
    `mount=${DIGEST}&from=no/such`,
    `mount=${sha256('missing')}&from=a/b`,
    `mount=${sha256('missing')}`,
    `mount=${DIGEST}&from=../x`,
  ]) {
    const begun = await registry.request('POST', `/v2/g/h/blobs/uploads/?${query}`)
    assert.equal(begun.status, 202, query)
    assert.match(begun.headers.location!, /^\/v2\/g\/h\/blobs\/uploads\/[0-9a-f]{32}$/)
  }
  const bad = await registry.request('POST', '/v2/g/h/blobs/uploads/?mount=sha256:xyz&from=a/b')
  assert.deepEqual([bad.status, bad.codes()], [400, ['DIGEST_INVALID']])
})

test('A07: a blob deleted in one repository is gone there at once and stays in the others', async () => {
  await using registry = await startRegistry()
  await registry.blob('a/b', CONTENT)
  await registry.request('POST', `/v2/c/d/blobs/uploads/?mount=${DIGEST}&from=a/b`)
  assert.equal((await registry.request('DELETE', `/v2/a/b/blobs/${DIGEST}`)).status, 202)
  assert.equal((await registry.request('GET', `/v2/a/b/blobs/${DIGEST}`)).status, 404)
  assert.equal((await registry.request('DELETE', `/v2/a/b/blobs/${DIGEST}`)).status, 404)
  await registry.registry.collectGarbage({ grace: 0 })
  assert.deepEqual((await registry.request('GET', `/v2/c/d/blobs/${DIGEST}`)).body, CONTENT)
})

test('a blob that a manifest of the repository needs cannot be deleted', async () => {
  await using registry = await startRegistry()
  const { layer, digest } = await registry.image('a/b', 'one', { tag: '1' })
  assert.equal((await registry.request('DELETE', `/v2/a/b/blobs/${layer}`)).status, 409)
  assert.equal((await registry.request('DELETE', `/v2/a/b/manifests/${digest}`)).status, 202)
  assert.equal((await registry.request('DELETE', `/v2/a/b/blobs/${layer}`)).status, 202)
})

test('A04 M01: names and digests that are not well formed are 400, whatever their encoding, and no path is made of them', async () => {
  await using registry = await startRegistry()
  for (const name of [
    'A/b',
    'a//b',
    '../etc',
    'a/../b',
    '%2e%2e/b',
    'a%2fb',
    '_uploads',
    'a/b%00',
    `${'a/'.repeat(150)}b`,
    'a b'.replace(' ', '%20'),
  ]) {
    const answer = await registry.request('GET', `/v2/${name}/blobs/${DIGEST}`)
    assert.deepEqual([answer.status, answer.codes()], [400, ['NAME_INVALID']], name)
  }
  for (const digest of [
    'sha256:xyz',
    'sha256:',
    `sha256:${'A'.repeat(64)}`,
    `md5:${'a'.repeat(32)}`,
    'sha256:..%2f..',
    '..%2f..%2fpasswd',
    `sha256:${'a'.repeat(63)}`,
  ]) {
    const answer = await registry.request('GET', `/v2/a/b/blobs/${digest}`)
    assert.deepEqual([answer.status, answer.codes()], [400, ['DIGEST_INVALID']], digest)
    assert.equal(
      (await registry.request('POST', `/v2/a/b/blobs/uploads/?digest=${digest}`, { body: 'x' })).status,
      400,
      digest,
    )
  }
  await registry.blob('a/b', CONTENT)
  assert.equal((await registry.request('HEAD', `/v2/a/b/blobs/${DIGEST.replace(':', '%3A')}`)).status, 200)
})

test('A02: an upload is not found under another repository, by a forged or guessed ID', async () => {
  await using registry = await startRegistry()
  const location = (await registry.request('POST', '/v2/a/b/blobs/uploads/')).headers.location!
  const id = location.split('/').at(-1)!
  for (const path of [
    `/v2/c/d/blobs/uploads/${id}`,
    `/v2/a/b/blobs/uploads/${'0'.repeat(32)}`,
    '/v2/a/b/blobs/uploads/%2e%2e',
    `${location}x`,
  ]) {
    assert.equal((await registry.request('GET', path)).status, 404, path)
    assert.equal((await registry.request('PATCH', path, { body: 'x' })).status, 404, path)
  }
})

async function storedObjects(directory: string): Promise<string[]> {
  const entries = await readdir(`${directory}/objects`, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name)
}

/** Paths of the objects that this process has open. */
async function openObjects(directory: string): Promise<string[]> {
  const links = await readdir('/proc/self/fd')
  const paths = await Promise.all(links.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => '')))
  return paths.filter((path) => path.startsWith(directory) && /\/[0-9a-f]{32}$/.test(path))
}

test('clients that go away before the first byte leave no object open', async () => {
  await using registry = await startRegistry()
  // What only a garbage collection closes is not left open either, but node warns of it.
  const collected: string[] = []
  const onWarning = ({ message }: Error) => /garbage collection/.test(message) && collected.push(message)
  process.on('warning', onWarning)
  using _ = { [Symbol.dispose]: () => process.off('warning', onWarning) }
  const digest = await registry.blob('a/b', Buffer.alloc(8 * 1024 * 1024, 'x'))
  const [host, port] = registry.address.split(':')
  const ask = `GET /v2/a/b/blobs/${digest} HTTP/1.1\r\nHost: registry\r\n\r\n`
  for (let turn = 0; turn < 40; turn++) {
    const socket = connect(Number(port), host)
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.on('error', () => undefined)
    socket.write(ask, () => (turn % 2 ? socket.resetAndDestroy() : setImmediate(() => socket.resetAndDestroy())))
    await closed
  }
  // Its answer comes after what the server does for the others.
  let left: string[] = ['unknown']
  for (let tries = 0; left.length > 0 && tries < 200; tries++) {
    assert.equal((await registry.request('GET', '/v2/')).status, 200)
    left = await openObjects(registry.directory)
  }
  assert.deepEqual([left, collected], [[], []])
})

test('clients that go away in the middle of a blob are no failures of the registry', async () => {
  const reports: string[] = []
  await using registry = await startRegistry({ report: (error) => reports.push(String(error)) })
  const digest = await registry.blob('a/b', Buffer.alloc(8 * 1024 * 1024, 'x'))
  const [host, port] = registry.address.split(':')
  const ask = `GET /v2/a/b/blobs/${digest} HTTP/1.1\r\nHost: registry\r\n\r\n`
  for (let turn = 0; turn < 40; turn++) {
    const socket = connect(Number(port), host)
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.on('error', () => undefined)
    socket.write(ask)
    // It has read the beginning, and so much more is on its way that writes have to wait.
    socket.once('data', () => {
      socket.pause()
      setTimeout(() => (turn % 2 ? socket.resetAndDestroy() : socket.destroy()), turn % 7)
    })
    await closed
  }
  for (let left = 1; left > 0; left = (await openObjects(registry.directory)).length) {
    assert.equal((await registry.request('GET', '/v2/')).status, 200)
  }
  assert.deepEqual(reports, [])
})

test('a large blob is verified as a small one is, in one piece and in several', async () => {
  await using registry = await startRegistry()
  const content = Buffer.alloc(3 * 1024 * 1024 + 17, 'large')
  const damaged = Buffer.from(content)
  damaged[2_000_000]! ^= 1
  const path = (digest: string) => `/v2/a/b/blobs/uploads/?digest=${digest}`
  const refused = await registry.request('POST', path(sha256(content)), { headers: HEADERS, body: damaged })
  assert.deepEqual([refused.status, refused.codes()], [400, ['DIGEST_INVALID']])
  for (const digest of [sha256(content), sha512(content)]) {
    const { headers } = await registry.request('POST', '/v2/a/b/blobs/uploads/?digest-algorithm=sha512')
    for (let at = 0; at < content.length; at += 700_000) {
      const body = content.subarray(at, at + 700_000)
      const range = `${at}-${at + body.length - 1}`
      const sent = await registry.request('PATCH', headers.location!, {
        headers: { ...HEADERS, 'Content-Range': range },
        body,
      })
      assert.equal(sent.status, 202)
    }
    const done = await registry.request('PUT', `${headers.location}?digest=${digest}`)
    assert.deepEqual([done.status, done.headers['docker-content-digest']], [201, digest])
    assert.ok((await registry.request('GET', `/v2/a/b/blobs/${digest}`)).body.equals(content))
  }
})
