import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { renameSync, statSync, writeFileSync } from 'node:fs'
import { request as send } from 'node:http'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { test } from 'node:test'
import { readTextSync } from '#host/file'
import { startRegistry } from '../../../test/kit/registry-client.ts'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'
import { until } from '../../../test/kit/until.ts'
import { readConfiguration, type ServeOptions, serveConfigured } from '../index.ts'
import { openRequestLog } from './request-log.ts'

type Line = Record<string, unknown>

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** A registry and the lines of its log. */
async function logged(options: Partial<ServeOptions> = {}) {
  let text = ''
  const requestLog = new PassThrough().setEncoding('utf8')
  requestLog.on('data', (more) => {
    text += more
  })
  const registry = await startRegistry({ requestLog, ...options })
  const lines = () =>
    text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Line)
  return Object.assign(registry, {
    text: () => text,
    /** When there are so many. */
    lines: async (count: number) => await until(`${count} lines are there`, () => lines().length >= count && lines()),
  })
}

test('each request is a line of JSON, without its query and what its client showed to log in', async () => {
  await using registry = await logged({ anonymous: 'none' })
  await registry.registry.users.add('ann', 'word of ann', { admin: true })
  const before = Date.now()
  const login = 'ann:word of ann'
  await registry.request('GET', '/v2/?secret=1', { login })
  const form = await registry.request('POST', '/token', {
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: 'grant_type=password&username=ann&password=word+of+ann&scope=repository:a/b:pull',
  })
  const { token } = form.json<{ token: string }>()
  await registry.request('GET', '/v2/a/b/tags/list', { token })
  await registry.request('GET', '/v2/', { login: 'ann:wrong word' })
  await registry.request('GET', `http://ann:hidden@127.0.0.1/v2/?q`)
  await registry.request('GET', '/nothing#here')
  const lines = await registry.lines(6)
  assert.deepEqual(
    lines.map(({ method, path, status, user }) => [method, path, status, user]),
    [
      ['GET', '/v2/', 200, 'ann'],
      ['POST', '/token', 200, 'ann'],
      ['GET', '/v2/a/b/tags/list', 404, 'ann'],
      ['GET', '/v2/', 401, undefined],
      ['GET', '/v2/', 404, undefined],
      ['GET', '/nothing', 404, undefined],
    ],
  )
  for (const { id, time, milliseconds, address, bytesOut, aborted } of lines) {
    assert.match(String(id), UUID)
    assert.ok(Date.parse(String(time)) >= before - 1000 && Date.parse(String(time)) <= Date.now() + 1000)
    assert.ok(Number.isInteger(milliseconds) && Number(bytesOut) > 100)
    assert.deepEqual([address, aborted], ['127.0.0.1', undefined])
  }
  assert.doesNotMatch(registry.text(), /word|hidden|secret/)
  assert.ok(!registry.text().includes(token))
})

test('a short plain X-Request-Id of the client is kept, any other gives way to a UUID; the answer always names it', async () => {
  await using registry = await logged()
  const answered = async (id: string | string[], path = '/v2/') =>
    (await registry.request('GET', path, { headers: { 'X-Request-Id': id } })).headers['x-request-id']
  assert.equal(await answered('build-7_a.B'), 'build-7_a.B')
  assert.equal(await answered('of-a-refusal', '/nothing'), 'of-a-refusal')
  for (const id of ['x'.repeat(65), 'two words', '{"a":1}', ['a', 'b']]) {
    assert.match(String(await answered(id)), UUID)
  }
  const lines = await registry.lines(6)
  assert.deepEqual(
    lines.slice(0, 2).map(({ id }) => id),
    ['build-7_a.B', 'of-a-refusal'],
  )
})

test('a report of a failure names the request', async () => {
  const told: string[] = []
  await using registry = await startRegistry({ report: ({ message }, what) => void told.push(`${what}: ${message}`) })
  const digest = await registry.blob('a/b', 'content')
  await using place = await temporaryDirectory('bale-moved')
  renameSync(join(registry.directory, 'objects'), join(place.path, 'objects'))
  await registry.request('GET', `/v2/a/b/blobs/${digest}?query`, { headers: { 'X-Request-Id': 'the-one' } })
  assert.match(told.join('\n'), /\(request the-one\): .*is missing/)
})

test('the address is the one that trusted proxies forward', async () => {
  await using registry = await logged({ trustedProxies: ['127.0.0.1'] })
  await registry.request('GET', '/v2/', { headers: { 'X-Forwarded-For': '192.0.2.7' } })
  assert.equal((await registry.lines(1))[0]!['address'], '192.0.2.7')
})

test('bytes are those of one request, also on a connection with several; an answer that breaks off is marked', async () => {
  await using registry = await logged()
  const content = randomBytes(1_000_000)
  const digest = await registry.blob('a/b', content)
  const [host, port] = registry.address.split(':')
  const socket = createConnection({ host, port: Number(port) })
  const get = `GET /v2/a/b/blobs/${digest} HTTP/1.1\r\nHost: x\r\n`
  socket.write(`${get}Range: bytes=0-9\r\n\r\n`)
  await once(socket, 'data')
  socket.write(`${get}Connection: close\r\n\r\n`)
  await socket.resume().toArray()
  const big = await registry.blob('a/b', Buffer.alloc(64 << 20))
  const outgoing = send({ host, port, path: `/v2/a/b/blobs/${big}`, agent: false }).end()
  const [response] = await once(outgoing, 'response')
  response.destroy()
  const [pushed, range, whole, , broken] = await registry.lines(5)
  assert.deepEqual([pushed!['status'], range!['status'], whole!['status']], [201, 206, 200])
  assert.ok(Number(range!['bytesOut']) < 1000, String(range!['bytesOut']))
  const over = Number(whole!['bytesOut']) - content.length
  assert.ok(over > 0 && over < 1000, String(over))
  assert.equal(broken!['aborted'], true)
  assert.ok(Number(broken!['bytesOut']) < 64 << 20)
})

test('a file is added to, and a new one begins after the old one was given another name and a reload', async () => {
  await using place = await temporaryDirectory('bale-log')
  const path = join(place.path, 'requests.log')
  writeFileSync(path, 'before\n')
  writeFileSync(
    join(place.path, 'registry.yaml'),
    'listen: { address: "127.0.0.1:0" }\ndirectory: data\nanonymous: push\nlog: { requests: requests.log }\n',
  )
  const linesOf = (name: string) => readTextSync(join(place.path, name)).trim().split('\n')
  {
    const configuration = await readConfiguration(join(place.path, 'registry.yaml'))
    await using served = await serveConfigured(configuration, { environment: {} })
    assert.equal(served.reloads, true)
    await fetch(`${served.url}/v2/`)
    await until('the line is there', () => linesOf('requests.log').length === 2)
    renameSync(path, `${path}.1`)
    await served.reload()
    await fetch(`${served.url}/livez`)
  }
  assert.deepEqual([linesOf('requests.log.1')[0], linesOf('requests.log.1').length], ['before', 2])
  assert.equal(JSON.parse(linesOf('requests.log')[0]!).path, '/livez', 'stopping writes what waits')
  assert.equal(statSync(path).mode & 0o007, 0)
})

test('requests are answered when the log cannot be written, and the operator is told; one that cannot be opened stops the start', async () => {
  const told: string[] = []
  const report = (failure: Error, what: string) => void told.push(`${what}: ${failure.message}`)
  await using registry = await startRegistry({ requestLog: '/dev/full', report })
  assert.equal((await registry.request('GET', '/v2/')).status, 200)
  await until('the operator is told', () => told.length > 0)
  assert.match(told[0]!, /^writing the request log: ENOSPC/)
  assert.equal((await registry.request('GET', '/v2/')).status, 200)
  await assert.rejects(startRegistry({ requestLog: '/nowhere/requests.log' }), { code: 'ENOENT' })
})

test('a reader that stands still costs lines, not memory, and the operator is told how many', async () => {
  const told: string[] = []
  let goOn: () => void = () => assert.fail('nothing was written')
  const slow = new Writable({
    highWaterMark: 1,
    write(_chunk, _encoding, done) {
      goOn = done
    },
  })
  const log = await openRequestLog(slow, (failure) => void told.push(String(failure)))
  const line = { time: 0, id: 'i', method: 'GET', path: `/${'x'.repeat(1000)}`, route: undefined, status: 200 }
  const rest = {
    bytesIn: 1,
    bytesOut: 1,
    milliseconds: 1,
    address: '::1',
    user: undefined,
    claimed: undefined,
    aborted: false,
  }
  const one = () => log.observe({ kind: 'request-ended', ...line, ...rest })
  one()
  await until('the reader has the first line', () => slow.writableLength > 0)
  for (let count = 0; count < 10_000; count++) one()
  goOn()
  await until('the reader has the rest', () => slow.writableLength > 1_000_000)
  assert.ok(slow.writableLength < 9 << 20)
  const closed = log[Symbol.asyncDispose]()
  goOn()
  await closed
  assert.match(told.join(), /^Error: \d{4} lines were lost/)
})
