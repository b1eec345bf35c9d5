/** A registry that several processes serve together, as they are killed, stopped and counted. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, renameSync, writeFileSync } from 'node:fs'
import { type ClientRequest, request as send } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { readTextSync } from '#host/file'
import { hookReceiver } from '../../../test/kit/hook-receiver.ts'
import { missingOf, startPushLoad } from '../../../test/kit/push-load.ts'
import { clientOf, sha256 } from '../../../test/kit/registry-client.ts'
import { selfSigned } from '../../../test/kit/self-signed.ts'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'
import { until } from '../../../test/kit/until.ts'
import { openRegistryAdmin, readConfiguration, serveConfigured, serveRegistry } from '../index.ts'

/** Two processes on a directory, open to all. */
async function group(more: object = {}, listen: object = {}) {
  await using opened = new AsyncDisposableStack()
  const place = opened.use(await temporaryDirectory('bale-workers'))
  const told: string[] = []
  const report = (failure: Error, what: string) => void told.push(`${what}: ${failure.message}`)
  const serve = async () => {
    const whole = {
      listen: { address: '127.0.0.1:0', workers: 2, ...listen },
      directory: 'r',
      anonymous: 'push',
      ...more,
    }
    writeFileSync(join(place.path, 'registry.yaml'), JSON.stringify(whole))
    return await serveConfigured(await readConfiguration(join(place.path, 'registry.yaml')), {
      environment: {},
      report,
    })
  }
  const served = opened.use(await serve())
  const parts = opened.move()
  return {
    ...clientOf(served.address),
    served,
    serve,
    told,
    path: place.path,
    directory: join(place.path, 'r'),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}

/** Processes of groups that this process has. */
function workers(): number[] {
  const children = readTextSync(`/proc/self/task/${process.pid}/children`).trim().split(' ').map(Number)
  return children.filter((pid) => pid > 0 && readTextSync(`/proc/${pid}/cmdline`).includes('worker-main'))
}

/** Kills one, and waits for the one that replaces it. */
async function killOne(registry: { told: readonly string[] }, pid: number): Promise<void> {
  const before = registry.told.length
  process.kill(pid, 'SIGKILL')
  await until('its end is told', () => registry.told.length > before)
  await until('there are two again', () => workers().length === 2)
}

/** Begins a chunked PATCH and leaves the request open. */
async function beginPatch(address: string, path: string, bytes: Uint8Array): Promise<ClientRequest> {
  const [hostname, port] = address.split(':')
  const outgoing = send({
    hostname,
    port,
    method: 'PATCH',
    path,
    agent: false,
    headers: { 'Transfer-Encoding': 'chunked' },
  })
  outgoing.on('error', () => outgoing.destroy())
  await new Promise((resolve) => outgoing.write(bytes, resolve))
  return outgoing
}

test('processes that are killed during pushes cost retries, and nothing that was answered', async () => {
  await using registry = await group()
  const load = startPushLoad(registry.served.address)
  for (const times of [4, 8, 12]) {
    await until('some images are pushed', () => load.pushed.length > times)
    await killOne(registry, workers()[times % 2]!)
  }
  const before = load.pushed.length
  await until('pushes go on', () => load.pushed.length > before + 4)
  await load.stop()
  assert.deepEqual(load.complaints, [])
  assert.deepEqual(await missingOf(registry.served.address, load.pushed), [])
  for (const line of registry.told)
    assert.match(line, /^serving: process \d+ ended \(SIGKILL\); another one is started/)
  await using admin = await openRegistryAdmin({ directory: registry.directory })
  assert.deepEqual((await admin.check()).damaged, [])
})

test('an upload that a killed process was writing is resumed as soon as it is replaced', async () => {
  await using registry = await group()
  const content = randomBytes(3_000_000)
  const location = (await registry.request('POST', '/v2/a/b/blobs/uploads/')).headers.location!
  await registry.request('PATCH', location, { body: content.subarray(0, 1_000_000) })
  const open = await beginPatch(registry.served.address, location, content.subarray(1_000_000, 2_000_000))
  await sleep(300)
  const locked = await registry.request('PATCH', location, {
    headers: { 'Content-Range': '1000000-1000000' },
    body: 'x',
  })
  assert.equal(locked.status, 416, 'another writer has it')
  const killed = performance.now()
  for (const pid of workers()) process.kill(pid, 'SIGKILL')
  open.destroy()
  const put = await until('the lock is free', async () => {
    const answer = await registry
      .request('PUT', `${location}?digest=${sha256(content)}`, {
        headers: { 'Content-Range': `1000000-${content.length - 1}` },
        body: content.subarray(1_000_000),
      })
      .catch(() => undefined)
    return answer?.status === 201 ? answer : undefined
  })
  assert.equal(put.status, 201)
  assert.ok(performance.now() - killed < 25_000, 'before the lock would have ended by itself')
  assert.deepEqual((await registry.request('GET', `/v2/a/b/blobs/${sha256(content)}`)).body, content)
})

test('an upload goes on at whichever process its next part comes to', async () => {
  await using registry = await group()
  const content = randomBytes(400_000)
  const location = (await registry.request('POST', '/v2/a/b/blobs/uploads/')).headers.location!
  // A connection that is open makes the next one come to the other process.
  const held: ReturnType<typeof connect>[] = []
  const [host, port] = registry.served.address.split(':')
  for (let at = 0; at < content.length; at += 100_000) {
    const part = await registry.request('PATCH', location, { body: content.subarray(at, at + 100_000) })
    assert.equal(part.status, 202)
    held.push(connect(Number(port), host))
    await once(held.at(-1)!, 'connect')
  }
  assert.equal((await registry.request('PUT', `${location}?digest=${sha256(content)}`)).status, 201)
  for (const socket of held) socket.destroy()
})

test('connections are counted for all processes together, and those of a killed one no longer', async () => {
  await using registry = await group({}, { 'max-connections': 12 })
  const [host, port] = registry.served.address.split(':')
  const open = async () => {
    const socket = connect(Number(port), host)
    socket.on('error', () => socket.destroy())
    await once(socket, 'connect')
    return socket
  }
  const held = [await open(), await open(), await open()]
  const fourth = await open()
  await once(fourth, 'close')
  assert.equal(
    held.some(({ closed }) => closed),
    false,
  )
  held.pop()!.destroy()
  const answered = () =>
    registry.request('GET', '/livez').then(
      ({ status }) => status === 200,
      () => false,
    )
  await until('there is a place again', answered)
  const again = await until('one more stays', async () => {
    const socket = await open()
    await sleep(100)
    return socket.closed ? undefined : socket
  })
  for (const pid of workers()) process.kill(pid, 'SIGKILL')
  await until('the places of the killed are free', answered)
  for (const socket of [...held, again]) socket.destroy()
})

test('limits of requests hold for all processes together', async () => {
  const limit = { who: 'everybody', per: 'address', what: 'pulls', most: 20, within: '1h' }
  await using registry = await group({ limits: { requests: [limit] } })
  await registry.image('a/b', 'content', { tag: '1' })
  // Open connections, of which each process has half.
  const [host, port] = registry.served.address.split(':')
  const sockets = Array.from({ length: 4 }, () => connect(Number(port), host))
  const pull = async (socket: ReturnType<typeof connect>) => {
    socket.write('GET /v2/a/b/manifests/1 HTTP/1.1\r\nHost: x\r\n\r\n')
    const [answer] = (await once(socket, 'data')) as [Buffer]
    return Number(answer.toString().split(' ')[1])
  }
  for (let round = 0; round < 5; round++) for (const socket of sockets) assert.equal(await pull(socket), 200)
  await until('both processes know of it', async () => {
    const answers: number[] = []
    for (const socket of sockets) answers.push(await pull(socket))
    return answers.every((status) => status === 429)
  })
  for (const socket of sockets) socket.destroy()
})

test('a change is told once, by one of the processes, and all of them show how many wait', async () => {
  await using receiver = await hookReceiver()
  await using registry = await group({
    metrics: { address: '127.0.0.1:0' },
    hooks: { 'allow-addresses': ['127.0.0.1'] },
  })
  const pending = async () =>
    (await (await fetch(registry.served.metricsUrl!)).text()).match(
      /^bale_registry_hook_deliveries_pending (\d+)$/m,
    )?.[1]
  await using admin = await openRegistryAdmin({ directory: registry.directory })
  receiver.reply = () => ({ status: 500 })
  await admin.hooks.add('ci', { url: receiver.url, events: ['tag.set'] })
  for (const tag of ['1', '2', '3']) await registry.image('a/b', tag, { tag })
  await until('the three are counted once', async () => (await pending()) === '3')
  receiver.reply = () => ({ status: 204 })
  for (const { id } of await admin.hooks.deliveries()) await admin.hooks.redeliver(id)
  const delivered = () => admin.hooks.deliveries({ state: 'delivered' })
  await until('they are delivered', async () => (await delivered()).length === 3)
  await until('none waits', async () => (await pending()) === '0')
})

test('metrics are the sums of all processes, and go on when one of them is replaced', async () => {
  await using registry = await group({ metrics: { address: '127.0.0.1:0' } })
  const value = async (sample: string) => {
    const text = await (await fetch(registry.served.metricsUrl!)).text()
    assert.equal(new Set(text.match(/^# TYPE \S+/gm)).size, text.match(/^# TYPE \S+/gm)!.length, 'each metric once')
    return Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${sample} `))
        ?.slice(sample.length + 1),
    )
  }
  const pings = 'bale_registry_requests_total{method="GET",route="ping",status="2xx"}'
  // Sockets that stay open, so that both processes get some.
  const [host, port] = registry.served.address.split(':')
  const sockets = Array.from({ length: 6 }, () => connect(Number(port), host))
  for (const socket of sockets) {
    socket.write('GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n')
    await once(socket, 'data')
  }
  await until('all are counted', async () => (await value(pings)) === 6)
  assert.equal(await value('bale_registry_request_duration_seconds_count{method="GET",route="ping"}'), 6)
  const [pid] = workers()
  await killOne(registry, pid!)
  assert.equal(await value(pings), 6)
  for (const socket of sockets) socket.destroy()
  await until('its successor is ready', async () => (await registry.request('GET', '/v2/')).status === 200)
  await until('that is counted', async () => (await value(pings)) >= 7)
  assert.ok((await value('process_resident_memory_bytes')) > 100_000_000)
})

test('all processes add whole lines to one request log, and open it anew when that is asked for', async () => {
  await using registry = await group({ log: { requests: 'requests.log' } })
  const path = join(registry.path, 'requests.log')
  const linesOf = (name: string) =>
    readTextSync(name)
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line).path)
  await Promise.all(Array.from({ length: 60 }, (_, number) => registry.request('GET', `/v2/a/b/tags/list?n=${number}`)))
  await until('there is a line for each', () => linesOf(path).length === 60)
  renameSync(path, `${path}.1`)
  await registry.served.reload()
  await Promise.all(Array.from({ length: 10 }, () => registry.request('GET', '/livez')))
  await until('the new file has them', () => linesOf(path).length === 10)
  assert.equal(linesOf(`${path}.1`).length, 60)
})

test('a directory has one group or one process that serves it, and is free when the group has ended', async () => {
  await using registry = await group()
  await assert.rejects(registry.serve(), { code: 'LOCKED' })
  await assert.rejects(serveRegistry({ directory: registry.directory, port: 0 }), { code: 'LOCKED' })
  await registry.image('a/b', 'content', { tag: '1' })
  await registry.served[Symbol.asyncDispose]()
  assert.equal(workers().length, 0)
  assert.deepEqual(
    readdirSync(registry.directory).filter((name) => name.endsWith('.lock')),
    [],
  )
  await using alone = await serveRegistry({ directory: registry.directory, port: 0, anonymous: 'pull' })
  assert.equal((await clientOf(alone.address).request('GET', '/v2/a/b/manifests/1')).status, 200)
})

test('a group that is stopped answers what it is at', async () => {
  await using registry = await group()
  const location = (await registry.request('POST', '/v2/a/b/blobs/uploads/')).headers.location!
  const open = await beginPatch(registry.served.address, location, Buffer.from('the beginning '))
  await sleep(200)
  const stopped = registry.served[Symbol.asyncDispose]()
  await until('it takes no more connections', () =>
    registry.request('GET', '/v2/').then(
      () => false,
      () => true,
    ),
  )
  const answered = once(open, 'response')
  open.end('and the end')
  const [response] = await answered
  response.resume()
  assert.deepEqual([response.statusCode, response.headers.range], [202, '0-24'])
  await stopped
})

test('what keeps a process from beginning is told as it is; a wrong start leaves none behind', async () => {
  const away = { metadata: { postgres: { url: 'postgres://bale@127.0.0.1:1/x' } }, 'secret-file': '../secret' }
  await using place = await temporaryDirectory('bale-workers')
  writeFileSync(join(place.path, 'secret'), 'ab'.repeat(32), { mode: 0o600 })
  const whole = {
    ...away,
    'secret-file': 'secret',
    listen: { address: '127.0.0.1:0', workers: 2 },
    objects: { directory: 'o' },
  }
  writeFileSync(join(place.path, 'registry.yaml'), JSON.stringify(whole))
  const configuration = await readConfiguration(join(place.path, 'registry.yaml'))
  await assert.rejects(serveConfigured(configuration, { environment: {} }), { code: 'UNAVAILABLE' })
  assert.equal(workers().length, 0)
})

test('TLS: all processes show the certificate, and the next one after a reload', async () => {
  await using place = await temporaryDirectory('bale-workers')
  const [key, certificate] = [join(place.path, 'key.pem'), join(place.path, 'cert.pem')]
  const put = (name: string) => {
    const own = selfSigned(name)
    writeFileSync(key, own.key, { mode: 0o600 })
    writeFileSync(certificate, own.cert)
  }
  put('first.example')
  await using registry = await group({}, { tls: { certificate, key } })
  const { connect: connectTls } = await import('node:tls')
  const [host, port] = registry.served.address.split(':')
  const names = async () => {
    const sockets = Array.from({ length: 4 }, () => connectTls({ host, port: Number(port), rejectUnauthorized: false }))
    const seen: unknown[] = []
    for (const socket of sockets) {
      if (!socket.getPeerCertificate().subject) await once(socket, 'secureConnect')
      seen.push(socket.getPeerCertificate().subject.CN)
    }
    for (const socket of sockets) socket.destroy()
    return new Set(seen)
  }
  assert.deepEqual(await names(), new Set(['first.example']))
  put('second.example')
  await registry.served.reload()
  assert.deepEqual(await names(), new Set(['second.example']))
})
