import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { clientOf } from '../../../test/kit/registry-client.ts'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'
import { until } from '../../../test/kit/until.ts'
import { readConfiguration, type ServeOptions, serveConfigured, serveRegistry, type TracingOptions } from '../index.ts'

interface Span {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  kind: number
  flags: number
  startTimeUnixNano: string
  endTimeUnixNano: string
  attributes: { key: string; value: Record<string, unknown> }[]
  status: { code?: number }
}

/** A collector that takes what is sent to it, or answers as it is told. */
async function startCollector() {
  const documents: string[] = []
  const requests: IncomingMessage[] = []
  const state = { answer: { status: 200, body: '{"partialSuccess":{}}' }, silent: false }
  const server = createServer(async (request, response) => {
    requests.push(request)
    const document = await text(request)
    if (state.silent) return
    if (state.answer.status === 200) documents.push(document)
    response.writeHead(state.answer.status, { 'content-type': 'application/json' }).end(state.answer.body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    state,
    requests,
    documents,
    spans: () => documents.flatMap(spansIn),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const NANOSECONDS = /^\d{19}$/

/** The spans of a document, which is checked against the JSON mapping of OTLP. */
function spansIn(document: string): Span[] {
  const { resourceSpans, ...none } = JSON.parse(document)
  assert.deepEqual(none, {})
  return resourceSpans.flatMap(({ resource, scopeSpans }: { resource: Span; scopeSpans: { spans: Span[] }[] }) => {
    assert.equal(attribute(resource, 'service.name'), 'bale-registry')
    return scopeSpans.flatMap(({ spans }) => spans.map(checked))
  })
}

function checked(span: Span): Span {
  assert.match(span.traceId, /^[0-9a-f]{32}$/)
  assert.match(span.spanId, /^[0-9a-f]{16}$/)
  if (span.parentSpanId !== undefined) assert.match(span.parentSpanId, /^[0-9a-f]{16}$/)
  assert.match(span.startTimeUnixNano, NANOSECONDS)
  assert.match(span.endTimeUnixNano, NANOSECONDS)
  assert.ok(BigInt(span.endTimeUnixNano) >= BigInt(span.startTimeUnixNano))
  assert.ok(Math.abs(Number(BigInt(span.startTimeUnixNano) / 1_000_000n) - Date.now()) < 120_000)
  assert.ok([2, 3].includes(span.kind) && [undefined, 2].includes(span.status.code))
  for (const { key, value } of span.attributes) {
    const [[kind, content], ...more] = Object.entries(value) as [[string, unknown]]
    assert.ok(key && more.length === 0 && ['stringValue', 'intValue', 'doubleValue'].includes(kind), key)
    if (kind !== 'doubleValue') assert.equal(typeof content, 'string', `${key}: 64 bits are a text in JSON`)
  }
  return span
}

function attribute({ attributes }: Pick<Span, 'attributes'>, name: string): unknown {
  const value = attributes.find(({ key }) => key === name)?.value
  return value && Object.values(value)[0]
}

/** A registry that sends traces to a collector. */
async function traced(tracing: Partial<TracingOptions> & { endpoint: string }, options: Partial<ServeOptions> = {}) {
  const place = await temporaryDirectory('bale-tracing')
  const told: string[] = []
  const served = await serveRegistry({
    directory: join(place.path, 'r'),
    port: 0,
    anonymous: 'push',
    metrics: { host: '127.0.0.1', port: 0 },
    report: ({ message }, what) => void told.push(`${what}: ${message}`),
    tracing: { sample: 1, every: 20, ...tracing },
    ...options,
  })
  return {
    ...clientOf(served.address),
    served,
    told,
    directory: join(place.path, 'r'),
    async dropped(reason: string): Promise<number> {
      const scraped = await (await fetch(served.metricsUrl!)).text()
      return Number(new RegExp(`bale_registry_spans_dropped_total{reason="${reason}"} (\\d+)`).exec(scraped)![1])
    },
    async [Symbol.asyncDispose]() {
      await served[Symbol.asyncDispose]()
      await place[Symbol.asyncDispose]()
    },
  }
}

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const PARENT = '00f067aa0ba902b7'
const parent = (flags: string) => ({ traceparent: `00-${TRACE}-${PARENT}-${flags}` })

test('a request is a span of its client’s trace, and what it asks of the database and the store are spans below it', async () => {
  await using collector = await startCollector()
  await using registry = await traced(collector)
  const headers = { ...parent('01'), 'X-Request-Id': 'mine', 'User-Agent': 'docker/29' }
  const digest = await registry.blob('team/web', 'content')
  const read = await registry.request('GET', `/v2/team/web/blobs/${digest}?x=1`, { headers })
  assert.equal(read.body.toString(), 'content')
  const server = await until('the request is sent', () =>
    collector.spans().find((span) => span.kind === 2 && span.traceId === TRACE),
  )
  assert.deepEqual([server.name, server.parentSpanId, server.flags], ['GET /v2/{name}/blobs/{digest}', PARENT, 0x301])
  const attributes = Object.fromEntries(server.attributes.map(({ key }) => [key, attribute(server, key)]))
  for (const size of ['http.request.size', 'http.response.size']) {
    assert.ok(Number(attributes[size]) > 50, size)
    delete attributes[size]
  }
  assert.deepEqual(attributes, {
    'url.scheme': 'http',
    'url.path': `/v2/team/web/blobs/${digest}`,
    'network.protocol.version': '1.1',
    'user_agent.original': 'docker/29',
    'http.request.method': 'GET',
    'http.route': '/v2/{name}/blobs/{digest}',
    'http.response.status_code': '200',
    'client.address': '127.0.0.1',
    'bale.request_id': 'mine',
  })
  const below = await until('what is below it is sent', () => {
    const found = collector.spans().filter(({ parentSpanId }) => parentSpanId === server.spanId)
    // They may come one by one, and with more than these two.
    const sent = new Set(found.map(({ name }) => name))
    return sent.has('database findBlob') && sent.has('objects read') && found
  })
  for (const span of below) {
    assert.deepEqual([span.traceId, span.kind, span.flags], [TRACE, 3, 0x101])
    assert.ok(BigInt(span.startTimeUnixNano) >= BigInt(server.startTimeUnixNano))
  }
  // The push was no part of a trace: it has one of its own.
  const push = await until('the push is sent', () => collector.spans().find(({ name }) => name.startsWith('POST')))
  assert.equal(push.parentSpanId, undefined)
  assert.notEqual(push.traceId, TRACE)
  const ofPush = collector.spans().filter(({ parentSpanId }) => parentSpanId === push.spanId)
  assert.ok(ofPush.some(({ name }) => name === 'objects write'))
})

test('requests at once have each their own spans below them', async () => {
  await using collector = await startCollector()
  await using registry = await traced(collector)
  const ids = Array.from({ length: 16 }, (_, number) => (number + 1).toString(16).padStart(32, '0'))
  await Promise.all(
    ids.map((id) =>
      registry.request('GET', `/v2/a/b${id}/tags/list`, { headers: { traceparent: `00-${id}-${PARENT}-01` } }),
    ),
  )
  const all = () => collector.spans().filter(({ traceId }) => ids.includes(traceId))
  await until('all are sent', () => all().filter(({ kind }) => kind === 2).length === ids.length)
  for (const id of ids) {
    const own = all().filter(({ traceId }) => traceId === id)
    const [server] = own.filter(({ kind }) => kind === 2)
    assert.ok(own.filter(({ kind }) => kind === 3).every(({ parentSpanId }) => parentSpanId === server!.spanId))
    assert.equal(own.filter(({ name }) => name === 'database listTags').length, 1)
  }
})

test('who is no part of a trace is traced by the ratio, who is as the client says, probes never; what is no traceparent counts for nothing', async () => {
  await using collector = await startCollector()
  await using registry = await traced({ ...collector, sample: 0 })
  const ask = (headers: Record<string, string>, path = '/v2/') => registry.request('GET', path, { headers })
  await ask({})
  await ask(parent('00'))
  for (const wrong of [
    `00-${'0'.repeat(32)}-${PARENT}-01`,
    `00-${TRACE}-${PARENT}-01-x`,
    `ff-${TRACE}-${PARENT}-01`,
    'x',
  ])
    await ask({ traceparent: wrong })
  await ask(parent('01'), '/readyz')
  await ask({ traceparent: `01-${TRACE}-${PARENT}-03-of-a-later-version` })
  await until('one is sent', () => collector.spans().length > 0)
  await registry.served[Symbol.asyncDispose]()
  assert.deepEqual(
    collector.spans().map(({ traceId, kind }) => [traceId, kind]),
    [[TRACE, 2]],
  )
})

test('failures are failures of their spans: of the request that ended with 500, and of what it asked', async () => {
  await using collector = await startCollector()
  await using registry = await traced(collector)
  {
    using database = new DatabaseSync(join(registry.directory, 'registry.db'))
    database.exec('ALTER TABLE repositories RENAME TO gone')
  }
  await registry.request('GET', '/v2/a/b/tags/list', { headers: parent('01') })
  await registry.request('GET', '/v2/a/b/nothing', { headers: parent('01') })
  const spans = await until('both are sent', () => {
    const found = collector.spans()
    return found.filter(({ kind }) => kind === 2).length === 2 && found
  })
  const facts = spans.map((span) => [span.name, span.status.code, attribute(span, 'error.type')])
  assert.deepEqual(
    facts.toSorted(),
    [
      ['GET /v2/{name}/tags/list', 2, '500'],
      ['GET', undefined, undefined],
      ['database listTags', 2, 'OTHER'],
    ].toSorted(),
  )
})

test('a collector that does not answer, refuses or takes a part: requests go on, and what is lost is counted and told', async () => {
  await using collector = await startCollector()
  await using registry = await traced(collector)
  collector.state.answer = { status: 400, body: 'no' }
  await registry.request('GET', '/v2/')
  await until('it is counted', async () => (await registry.dropped('refused')) > 0)
  assert.match(registry.told[0]!, /^sending traces: 127\.0\.0\.1:\d+ did not take traces: status 400$/)
  collector.state.answer = { status: 200, body: '{"partialSuccess":{"rejectedSpans":"1","errorMessage":"too long"}}' }
  const before = await registry.dropped('refused')
  await registry.request('GET', '/v2/')
  await until('it is counted', async () => (await registry.dropped('refused')) > before)
  assert.match(registry.told[1]!, /1 spans were refused: too long/)
  collector.state.silent = true
  const began = performance.now()
  for (let count = 0; count < 20; count++) assert.equal((await registry.request('GET', '/v2/')).status, 200)
  assert.ok(performance.now() - began < 5000)
})

test('what comes faster than it is sent is dropped and counted, and the queue stays as long as it may be', async () => {
  await using collector = await startCollector()
  await using registry = await traced(collector)
  collector.state.silent = true
  await registry.request('GET', '/v2/')
  await until('the collector is asked', () => collector.requests.length > 0)
  // Of each there are several spans.
  for (let round = 0; round < 90; round++) {
    await Promise.all(Array.from({ length: 32 }, () => registry.request('GET', '/v2/a/b/tags/list')))
  }
  collector.state.silent = false
  collector.state.answer = { status: 400, body: '' }
  await until('it is counted', async () => (await registry.dropped('full')) > 0)
})

test('a collector that nobody is at: requests go on, the registry ends in time, and the operator knows', async () => {
  const { endpoint, ...collector } = await startCollector()
  await collector[Symbol.asyncDispose]()
  await using registry = await traced({ endpoint })
  assert.equal((await registry.request('GET', '/v2/')).status, 200)
  await until('it is counted', async () => (await registry.dropped('unreachable')) > 0)
  assert.match(registry.told[0]!, /^sending traces: .*nothing listens there/)
})

test('a configuration file names the collector and its headers', async () => {
  await using collector = await startCollector()
  await using place = await temporaryDirectory('bale-tracing')
  const write = (name: string, text: string) => writeFileSync(join(place.path, name), text, { mode: 0o600 })
  write('headers', 'Authorization: Bearer one\nX-Tenant: two\n')
  const tracing = { endpoint: `${collector.endpoint}/otlp`, sample: 1, 'headers-file': 'headers' }
  write('r.yaml', JSON.stringify({ directory: 'data', listen: { address: '127.0.0.1:0' }, tracing }))
  {
    await using served = await serveConfigured(await readConfiguration(join(place.path, 'r.yaml')), { environment: {} })
    await clientOf(served.address).request('GET', '/v2/')
  }
  // What waits when the registry ends is sent.
  assert.deepEqual(
    collector.spans().map(({ name }) => name),
    ['GET /v2/'],
  )
  const [{ url, headers }] = collector.requests as [IncomingMessage]
  assert.deepEqual([url, headers.authorization, headers['x-tenant']], ['/otlp/v1/traces', 'Bearer one', 'two'])
  assert.equal(headers['content-type'], 'application/json')
})

test('A20: neither credentials nor queries nor content are in a trace, and the headers of the file are sent with it alone', async () => {
  await using collector = await startCollector()
  const canary = 'canary-6b1f'
  await using registry = await traced(
    { ...collector, headers: { authorization: `Bearer ${canary}` } },
    { anonymous: 'none' },
  )
  await registry.served.registry.users.add('ann', `${canary} of ann`, { admin: true })
  const login = `ann:${canary} of ann`
  await registry.blob('team/web', `content ${canary}`, { login })
  await registry.request('GET', `/token?service=${canary}&scope=${canary}&account=${canary}`, { login })
  await registry.request('GET', '/v2/', { token: `${canary}.x.y` })
  await registry.request('GET', '/v2/', { login: `ann:wrong ${canary}`, headers: { Cookie: canary, Referer: canary } })
  const { status, json } = await registry.request('GET', '/token', { login })
  assert.equal(status, 200)
  const { token } = json<{ token: string }>()
  await registry.request('GET', '/v2/_catalog', { token })
  await until('all are sent', () => collector.spans().some(({ name }) => name === 'GET /v2/_catalog'))
  const user = collector.spans().find(({ name }) => name === 'GET /v2/_catalog')!
  assert.equal(attribute(user, 'user.name'), 'ann')
  await registry.served[Symbol.asyncDispose]()
  for (const document of collector.documents) {
    assert.ok(!document.includes(canary), document)
    assert.ok(!document.includes(token))
  }
  assert.equal(collector.requests[0]!.headers.authorization, `Bearer ${canary}`)
  assert.equal(collector.requests[0]!.url, '/v1/traces')
})
