/** Requests whose bodies are not read to their end, come too slowly, or come on too many connections. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startRegistry, type TestRegistry } from '../../../test/kit/registry-client.ts'
import { until } from '../../../test/kit/until.ts'

function open(registry: TestRegistry): { socket: Socket; got: () => string } {
  const [host, port] = registry.address.split(':') as [string, string]
  const socket = connect(Number(port), host)
  let got = ''
  socket.on('data', (bytes) => {
    got += bytes
  })
  // The server ends it: that is what the tests are about.
  socket.on('error', () => socket.destroy())
  return { socket, got: () => got }
}

const PING = 'GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n'
const statuses = (text: string) => [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => match[1])

const CASES: [string, string, 'length' | 'chunked', number, string][] = [
  ['a manifest that is too large', 'PUT /v2/a/b/manifests/x', 'chunked', 6_000_000, '413'],
  ['a manifest that says it is too large', 'PUT /v2/a/b/manifests/x', 'length', 6_000_000, '413'],
  ['a form that is too large', 'POST /token', 'chunked', 300_000, '413'],
  ['a form that says it is too large', 'POST /token', 'length', 300_000, '413'],
  ['an unknown path', 'PUT /nothing', 'length', 500_000, '404'],
  ['an unsupported method', 'PATCH /v2/', 'chunked', 2_000_000, '405'],
  ['an unknown upload', `PATCH /v2/a/b/blobs/uploads/${'0'.repeat(32)}`, 'length', 20_000_000, '404'],
]
for (const [name, request, framing, size, status] of CASES) {
  test(`after ${name} the connection goes on, or is ended; it never hangs (${framing})`, async () => {
    await using registry = await startRegistry()
    const { socket, got } = open(registry)
    const ended = once(socket, 'close').then(() => true)
    const chunked = framing === 'chunked'
    socket.write(
      `${request} HTTP/1.1\r\nHost: x\r\n${chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${size}`}\r\n\r\n`,
    )
    const piece = Buffer.alloc(64 * 1024, 'x')
    for (let left = size; left > 0 && !socket.destroyed; left -= piece.length) {
      const part = piece.subarray(0, Math.min(left, piece.length))
      if (chunked) socket.write(`${part.length.toString(16)}\r\n`)
      if (!socket.write(part)) await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), ended])
      if (chunked) socket.write('\r\n')
    }
    if (!socket.destroyed) socket.write(chunked ? `0\r\n\r\n${PING}` : PING)
    await until('another answer, or the end', () => socket.destroyed || statuses(got()).length > 1 || undefined)
    assert.equal(statuses(got())[0], status, got().slice(0, 200))
    if (!socket.destroyed) assert.deepEqual(statuses(got()), [status, '200'])
    socket.destroy()
  })
}

test('a client that goes on sending after a refusal is cut off, also when it sends hardly anything', async () => {
  await using registry = await startRegistry({ anonymous: 'none' })
  const { socket, got } = open(registry)
  socket.write('PATCH /v2/a/b/blobs/uploads/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n')
  const drip = setInterval(() => socket.write('1\r\nx\r\n'), 200)
  await once(socket, 'close')
  clearInterval(drip)
  assert.deepEqual(statuses(got()), ['401'])
})

test('a body that drips is given up, one that moves is not, and what came of it can be resumed', async () => {
  await using registry = await startRegistry({ leastRate: { bytesPerSecond: 1000, period: 1000 } })
  const begin = async () => (await registry.request('POST', '/v2/a/b/blobs/uploads/')).headers.location!
  const [slow, quick] = [await begin(), await begin()]
  const send = (location: string, bytes: number) => {
    const { socket, got } = open(registry)
    socket.write(`PATCH ${location} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`)
    const timer = setInterval(() => socket.write(`${bytes.toString(16)}\r\n${'x'.repeat(bytes)}\r\n`), 100)
    return { socket, got, stop: () => clearInterval(timer) }
  }
  const dripping = send(slow, 1)
  const moving = send(quick, 4000)
  await once(dripping.socket, 'close')
  dripping.stop()
  moving.stop()
  assert.equal(moving.socket.destroyed, false)
  moving.socket.write('0\r\n\r\n')
  await until('the answer', () => statuses(moving.got()).length > 0 || undefined)
  assert.deepEqual(statuses(moving.got()), ['202'])
  moving.socket.destroy()
  await until('the upload is free again', async () => {
    const { headers } = await registry.request('GET', slow)
    const offset = headers.range === '0-0' ? 0 : Number(headers.range!.split('-')[1]) + 1
    const more = await registry.request('PATCH', slow, {
      body: 'more',
      headers: { 'Content-Range': `${offset}-${offset + 3}` },
    })
    return more.status === 202 || undefined
  })
})

test('a request without a body may take as long as it likes, and one that has just begun is not judged', async () => {
  await using registry = await startRegistry({ leastRate: { bytesPerSecond: 1000, period: 300 } })
  const digest = await registry.blob('a/b', Buffer.alloc(32 * 1024 * 1024, 'x'))
  const { socket } = open(registry)
  socket.pause()
  let size = 0
  socket.on('data', (bytes) => {
    size += bytes.length
  })
  socket.pause()
  socket.write(`GET /v2/a/b/blobs/${digest} HTTP/1.1\r\nHost: x\r\n\r\n`)
  for (let turn = 0; turn < 60; turn++) {
    const location = (await registry.request('POST', '/v2/a/b/blobs/uploads/')).headers.location!
    assert.equal((await registry.request('PATCH', location, { body: 'x' })).status, 202)
    assert.equal((await registry.request('GET', '/v2/')).status, 200)
    await sleep(25)
  }
  assert.equal(socket.destroyed, false)
  socket.resume()
  await until('all of it has come', () => size > 32 * 1024 * 1024 || undefined)
  socket.destroy()
})

test('one address has a quarter of the connections, so that others get in', async () => {
  await using registry = await startRegistry({ maxConnections: 8 })
  const first = open(registry)
  const second = open(registry)
  const third = open(registry)
  await once(third.socket, 'close')
  for (const { socket, got } of [first, second]) {
    socket.write(PING)
    await until('it is answered', () => statuses(got()).length > 0 || undefined)
    socket.destroy()
  }
  await until('a place is free again', () =>
    registry.request('GET', '/v2/').then(
      () => true,
      () => undefined,
    ),
  )
})
