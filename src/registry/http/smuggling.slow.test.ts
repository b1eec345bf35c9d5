/** A17: requests as no client of ours writes them, by sockets. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { startRegistry, type TestRegistry } from '../../../test/kit/registry-client.ts'

/** All that comes back for these bytes, until the server closes or nothing comes any more. */
async function raw({ address }: TestRegistry, bytes: string | Buffer): Promise<string> {
  const [host, port] = address.split(':') as [string, string]
  const socket = connect(Number(port), host)
  socket.setTimeout(500, () => socket.destroy())
  socket.on('error', () => undefined)
  socket.write(bytes)
  const parts: Buffer[] = []
  await new Promise<void>((resolve) => {
    socket.on('data', (part: Buffer) => parts.push(part))
    socket.on('close', () => resolve())
  })
  return Buffer.concat(parts).toString('latin1')
}

const statuses = (answer: string) =>
  [...answer.matchAll(/^HTTP\/1\.[01] (\d{3})/gm)].map(([, status]) => Number(status))

/** A request that would be answered with 200, as the body of the first. */
const SECOND = 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n'
const POST = 'POST /v2/a/b/blobs/uploads/ HTTP/1.1\r\n'

const REFUSED: Record<string, string> = {
  'both lengths': `${POST}Host: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SECOND}`,
  'both lengths, the other first': `${POST}Host: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${SECOND}`,
  'two lengths that differ': `${POST}Host: x\r\nContent-Length: 0\r\nContent-Length: 33\r\n\r\n${SECOND}`,
  'two lengths that are the same': `${POST}Host: x\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n${SECOND}`,
  'a list of lengths': `${POST}Host: x\r\nContent-Length: 0, 33\r\n\r\n${SECOND}`,
  'a length with a sign': `${POST}Host: x\r\nContent-Length: +0\r\n\r\n${SECOND}`,
  'a negative length': `${POST}Host: x\r\nContent-Length: -1\r\n\r\n${SECOND}`,
  'a length in hex': `${POST}Host: x\r\nContent-Length: 0x0\r\n\r\n${SECOND}`,
  'an encoding that is not chunked': `${POST}Host: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${SECOND}`,
  'chunked, but not at the end': `${POST}Host: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${SECOND}`,
  'chunked twice': `${POST}Host: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n${SECOND}`,
  'a blank before the colon': `${POST}Host: x\r\nContent-Length : 33\r\n\r\n${SECOND}`,
  'a folded header': `${POST}Host: x\r\nX-A: b\r\n Content-Length: 33\r\n\r\n${SECOND}`,
  'a NUL in a header': `${POST}Host: x\r\nX-A: b\0c\r\n\r\n${SECOND}`,
  'a NUL in the target': `GET /v2/\0 HTTP/1.1\r\nHost: x\r\n\r\n${SECOND}`,
  'a bare CR in a header': `${POST}Host: x\r\nX-A: b\rContent-Length: 33\r\n\r\n${SECOND}`,
  'lines that end in LF alone': `GET /v2/ HTTP/1.1\nHost: x\n\n${SECOND}`,
  'no host': `GET /v2/ HTTP/1.1\r\n\r\n${SECOND}`,
  'two hosts': `GET /v2/ HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n${SECOND}`,
  'HTTP/0.9': 'GET /livez\r\n\r\n',
  'another version': `GET /livez HTTP/3.0\r\nHost: x\r\n\r\n${SECOND}`,
  'a method that is none': `GE T /livez HTTP/1.1\r\nHost: x\r\n\r\n${SECOND}`,
  'a chunk whose size is none': `${POST}Host: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n${SECOND}`,
  'a chunk that is longer than it says': `${POST}Host: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n${SECOND}`,
  'a chunk extension with a line break': `${POST}Host: x\r\nTransfer-Encoding: chunked\r\n\r\n1;a\nb\r\nx\r\n0\r\n\r\n${SECOND}`,
  'a size above 64 bits': `${POST}Host: x\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000001\r\nx\r\n0\r\n\r\n${SECOND}`,
}

test('A17: a request that two readers could read in two ways is refused, and nothing after it is read', async () => {
  await using registry = await startRegistry()
  const wrong: string[] = []
  for (const [what, bytes] of Object.entries(REFUSED)) {
    const found = statuses(await raw(registry, bytes))
    // The answer to a body that turns out to be wrong may be on its way already.
    const refused = found.every((status) => status === 400 || status === 202) && found.length <= 2
    if (!refused) wrong.push(`${what}: ${found}`)
  }
  assert.deepEqual(wrong, [])
  assert.deepEqual(statuses(await raw(registry, SECOND)), [200], 'and it still serves')
})

test('A17: chunk extensions, trailers and a target in absolute form change nothing', async () => {
  await using registry = await startRegistry()
  const body = `${POST}Host: x\r\nTransfer-Encoding: chunked\r\n\r\n1;a=b\r\nx\r\n0\r\nX-Trailer: y\r\n\r\n`
  assert.deepEqual(statuses(await raw(registry, body + SECOND)), [202, 200])
  const absolute = (target: string) => raw(registry, `GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`)
  for (const target of [
    'http://x/v2/',
    'http://evil.example/v2/',
    '//evil.example/v2/',
    'http://a:b@x/livez',
    '*',
    '/v2/../livez',
    '/v2/%2e%2e/livez',
  ]) {
    assert.deepEqual(statuses(await absolute(target)), [404], target)
  }
})

test('A17: no header of a request chooses where a client is sent, with a login or without', async () => {
  await using registry = await startRegistry({ anonymous: 'none' })
  const answers = async (headers: string, target = '/v2/') =>
    await raw(registry, `GET ${target} HTTP/1.1\r\nHost: registry.example\r\n${headers}\r\n`)
  const spoofs = [
    'X-Forwarded-Host',
    'X-Forwarded-Proto',
    'X-Forwarded-Server',
    'Forwarded',
    'X-Original-URL',
    'X-Rewrite-URL',
    'X-Host',
  ]
  const all = spoofs.map((name) => `${name}: evil.example\r\n`).join('')
  for (const target of ['/v2/', '/token', '/v2/a/b/tags/list', '/v2/_catalog']) {
    const answer = await answers(all, target)
    assert.match(answer, /realm="http:\/\/registry\.example\/token"/)
    assert.doesNotMatch(answer, /evil/)
  }
  for (const host of ['x"y', 'a b', 'x/y', 'u@x', 'x,y', 'x\ty', 'x%0d%0aSet-Cookie:a', '[::1', 'x:99999999', '.']) {
    const answer = await raw(registry, `GET /v2/ HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
    assert.deepEqual(statuses(answer), [400], host)
  }
})

test('A17: a head that is too long or has too many lines is refused', async () => {
  await using registry = await startRegistry()
  const long = `GET /v2/ HTTP/1.1\r\nHost: x\r\nX-A: ${'a'.repeat(40_000)}\r\n\r\n`
  assert.deepEqual(statuses(await raw(registry, long)), [431])
  const many = `GET /v2/ HTTP/1.1\r\nHost: x\r\n${'A: b\r\n'.repeat(10_000)}\r\n`
  assert.deepEqual(statuses(await raw(registry, many)), [431])
})
