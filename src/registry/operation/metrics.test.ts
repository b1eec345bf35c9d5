import assert from 'node:assert/strict'
import { renameSync, writeFileSync } from 'node:fs'
import { request as send } from 'node:http'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { readTextSync } from '#host/file'
import { hookReceiver } from '../../../test/kit/hook-receiver.ts'
import { clientOf, startRegistry } from '../../../test/kit/registry-client.ts'
import { scanPlace } from '../../../test/kit/scan-place.ts'
import { publish, scriptedRegistry } from '../../../test/kit/scripted-registry.ts'
import { selfSigned } from '../../../test/kit/self-signed.ts'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'
import { until } from '../../../test/kit/until.ts'
import { type ServeOptions, serveRegistry } from '../index.ts'
import { createCounter, createHistogram } from './exposition.ts'

const metrics = { host: '127.0.0.1', port: 0 }

/** A registry with metrics, and the values of its samples by name and labels as they are written. */
async function measured(options: Partial<ServeOptions> = {}) {
  const place = await temporaryDirectory('bale-metrics')
  const served = await serveRegistry({
    directory: join(place.path, 'r'),
    port: 0,
    anonymous: 'push',
    ...options,
    metrics,
  })
  const text = async () => await (await fetch(served.metricsUrl!)).text()
  return {
    ...clientOf(served.address),
    served,
    directory: join(place.path, 'r'),
    text,
    async value(sample: string): Promise<number | undefined> {
      const line = (await text()).split('\n').find((one) => one.startsWith(`${sample} `))
      return line === undefined ? undefined : Number(line.slice(sample.length + 1))
    },
    async [Symbol.asyncDispose]() {
      await served[Symbol.asyncDispose]()
      await place[Symbol.asyncDispose]()
    },
  }
}

/** Names of all metrics, from a scrape. */
const namesIn = (text: string) => [...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name!)

test('requests are counted by method, route and status class, with their time and bytes, and without names of repositories', async () => {
  await using registry = await measured()
  const digest = await registry.blob('secret-team/web', Buffer.alloc(100_000))
  await registry.request('GET', `/v2/secret-team/web/blobs/${digest}`)
  await registry.request('GET', `/v2/secret-team/web/blobs/${digest}`)
  await registry.request('GET', '/v2/secret-team/web/manifests/none')
  await registry.request('GET', '/v2/Bad/tags/list')
  await registry.request('PROPFIND', '/nothing')
  const { value } = registry
  await until(
    'all are counted',
    async () => await value('bale_registry_requests_total{method="other",route="none",status="4xx"}'),
  )
  const requests = (labels: string) => value(`bale_registry_requests_total{${labels}}`)
  assert.equal(await requests('method="POST",route="uploads",status="2xx"'), 1)
  assert.equal(await requests('method="GET",route="blob",status="2xx"'), 2)
  assert.equal(await requests('method="GET",route="manifest",status="4xx"'), 1)
  assert.equal(await requests('method="GET",route="none",status="4xx"'), 1)
  const time = 'bale_registry_request_duration_seconds'
  assert.equal(await value(`${time}_count{method="GET",route="blob"}`), 2)
  assert.equal(await value(`${time}_bucket{method="GET",route="blob",le="+Inf"}`), 2)
  assert.equal(await value(`${time}_bucket{method="GET",route="blob",le="60"}`), 2)
  assert.ok((await value(`${time}_sum{method="GET",route="blob"}`))! > 0)
  const near = (bytes: number | undefined, least: number) =>
    assert.ok(bytes! >= least && bytes! < least + 2000, `${bytes}`)
  near(await value('bale_registry_sent_bytes_total{route="blob"}'), 200_000)
  near(await value('bale_registry_received_bytes_total{route="uploads"}'), 100_000)
  assert.ok((await value('process_resident_memory_bytes'))! > 10_000_000)
  assert.doesNotMatch(await registry.text(), /secret-team|sha256/)
})

test('an upload is under way until its request has ended, however it ends', async () => {
  await using registry = await measured()
  const { value } = registry
  const location = (await registry.request('POST', '/v2/a/b/blobs/uploads/')).headers.location!
  const [host, port] = registry.served.address.split(':')
  const outgoing = send({ host, port, method: 'PATCH', path: location, headers: { 'Transfer-Encoding': 'chunked' } })
  outgoing.on('error', () => outgoing.destroy())
  outgoing.write('begin')
  await until('it is counted', async () => (await value('bale_registry_uploads_under_way')) === 1)
  outgoing.destroy()
  await until('it is no longer', async () => (await value('bale_registry_uploads_under_way')) === 0)
  await registry.request('POST', '/v2/BAD/blobs/uploads/')
  assert.equal(await value('bale_registry_uploads_under_way'), 0)
})

test('refused logins are counted by what was shown', async () => {
  await using registry = await measured({ anonymous: 'none' })
  await registry.served.registry.users.add('ann', 'word of ann')
  const refused = (labels: string) => registry.value(`bale_registry_logins_refused_total{${labels}}`)
  assert.equal(await refused('credential="password",reason="wrong"'), 0)
  for (let attempt = 0; attempt < 12; attempt++) await registry.request('GET', '/token', { login: 'ann:wrong word' })
  await registry.request('GET', '/v2/', { token: 'x.y.z' })
  await registry.request('GET', '/v2/')
  assert.equal(await refused('credential="password",reason="wrong"'), 10)
  assert.equal(await refused('credential="password",reason="limited"'), 2)
  assert.equal(await refused('credential="token",reason="wrong"'), 1)
})

test('collections are counted with their time and the bytes they removed', async () => {
  await using registry = await measured({ lease: 0 })
  const { value } = registry
  const last = 'bale_registry_collection_last_success_timestamp_seconds'
  assert.equal(await value(last), undefined)
  await registry.blob('a/b', Buffer.alloc(5000))
  const before = Date.now() / 1000 - 1
  await registry.served.registry.collectGarbage({ grace: 0 })
  assert.ok((await value(last))! >= before && (await value(last))! <= Date.now() / 1000 + 1)
  assert.equal(await value('bale_registry_collection_freed_bytes_total'), 5000)
  assert.equal(await value('bale_registry_collections_total{outcome="done"}'), 1)
  const both = [1, 2].map(() => registry.served.registry.collectGarbage())
  await Promise.allSettled(both)
  assert.equal(await value('bale_registry_collections_total{outcome="elsewhere"}'), 1)
  {
    using database = new DatabaseSync(join(registry.directory, 'registry.db'))
    database.exec('ALTER TABLE gc_queue RENAME TO gone')
  }
  await assert.rejects(registry.served.registry.collectGarbage())
  assert.equal(await value('bale_registry_collections_total{outcome="failed"}'), 1)
  assert.ok((await value('bale_registry_failures_total{part="database",code="OTHER"}'))! > 0)
})

test('failures of the object store are counted when it is read and when it is written', async () => {
  await using registry = await measured()
  const failures = () => registry.value('bale_registry_failures_total{part="objects",code="OTHER"}')
  const digest = await registry.blob('a/b', 'content')
  assert.equal(await failures(), undefined)
  renameSync(join(registry.directory, 'objects'), join(registry.directory, 'gone'))
  writeFileSync(join(registry.directory, 'objects'), 'no directory')
  await assert.rejects(registry.blob('a/b', 'more'))
  const written = (await failures())!
  assert.ok(written > 0)
  assert.equal((await registry.request('GET', `/v2/a/b/blobs/${digest}`)).status, 500)
  assert.equal(await failures(), written + 1)
})

test('attempts to deliver to hooks are counted by what came of them, and what is still to be delivered', async () => {
  await using receiver = await hookReceiver()
  await using registry = await measured({ hooks: { allowAddresses: ['127.0.0.1'] } })
  const attempts = (outcome: string) => registry.value(`bale_registry_hook_attempts_total{outcome="${outcome}"}`)
  assert.deepEqual([await attempts('delivered'), await attempts('failed'), await attempts('dead')], [0, 0, 0])
  await registry.served.registry.hooks.add('ci', { url: receiver.url })
  const replies = [{ status: 204 }, { status: 410 }, { status: 500 }]
  for (const reply of replies) {
    receiver.reply = () => reply
    const before = receiver.messages.length
    await registry.image('a/b', 'image', { tag: `t${reply.status}` })
    await until('it was told', () => receiver.messages.length > before)
  }
  await until('all are counted', async () => (await attempts('failed')) === 1)
  assert.deepEqual([await attempts('delivered'), await attempts('dead')], [1, 1])
  const pending = () => registry.value('bale_registry_hook_deliveries_pending')
  await until('what waits is counted', async () => (await pending()) === 1)
})

test('the expiry of the certificate is that of the one which is shown', async () => {
  const own = selfSigned('registry.example')
  await using registry = await measured({ tls: own })
  const left = (await registry.value('bale_registry_tls_certificate_expiry_timestamp_seconds'))! - Date.now() / 1000
  assert.ok(left > 86_400 && left <= 2 * 86_400)
})

test('metrics are served at their own address alone, and nothing else is there', async () => {
  await using registry = await measured()
  assert.equal((await registry.request('GET', '/metrics')).status, 404)
  const url = registry.served.metricsUrl!
  const scraped = await fetch(url)
  assert.equal(scraped.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
  for (const path of ['/v2/', '/', '/livez', '/metrics/x']) assert.equal((await fetch(new URL(path, url))).status, 404)
  assert.equal((await fetch(url, { method: 'POST' })).status, 405)
  const head = await fetch(url, { method: 'HEAD' })
  assert.deepEqual([head.status, await head.text()], [200, ''])
  const { host, port } = { host: '127.0.0.1', port: Number(new URL(url).port) }
  await using place = await temporaryDirectory('bale-metrics')
  const options = { directory: join(place.path, 'r'), port: 0 }
  await assert.rejects(serveRegistry({ ...options, metrics: { host, port } }), { code: 'CONFLICT' })
  await assert.rejects(serveRegistry({ ...options, port: 5000, metrics: { host, port: 5000 } }), {
    code: 'INVALID_ARGUMENT',
    message: /metrics need an address of their own/,
  })
})

test('without metrics there is no address', async () => {
  await using place = await temporaryDirectory('bale-metrics')
  await using served = await serveRegistry({ directory: join(place.path, 'r'), port: 0 })
  assert.equal(served.metricsUrl, undefined)
})

const deploy = resolve(import.meta.dirname, '../../../deploy/registry')

test('every metric and label that the dashboard asks for exists, and it shows all metrics', async () => {
  await using registry = await measured()
  const text = await registry.text()
  const known = namesIn(text)
  const dashboard = JSON.parse(readTextSync(join(deploy, 'grafana.json')))
  const asked: string[] = dashboard.panels.flatMap((panel: { targets: { expr: string }[] }) =>
    panel.targets.map(({ expr }) => expr),
  )
  asked.push(...dashboard.templating.list.map((one: { query: { query?: string } }) => one.query.query ?? ''))
  const names = asked.flatMap((expr) => expr.match(/\b(?:bale_registry|process|nodejs)_\w+/g) ?? [])
  const plain = names.map((name) => (known.includes(name) ? name : name.replace(/_(?:bucket|sum|count)$/, '')))
  assert.deepEqual([...new Set(plain)].sort(), known.toSorted())
  const labels = asked.flatMap((expr) => [
    ...[...expr.matchAll(/\b(\w+)=~?"/g)].map(([, label]) => label!),
    ...[...expr.matchAll(/ by \(([^)]*)\)/g)].flatMap(([, list]) => list!.split(', ')),
  ])
  assert.deepEqual(
    [...new Set(labels)].filter((label) => !LABELS.includes(label)),
    [],
  )
})

test('what upstreams were asked, and how clients were answered, is counted by the upstream’s prefix', async () => {
  await using upstream = await scriptedRegistry()
  upstream.intercept = (_request, response) => {
    response.setHeader('ratelimit-remaining', '76;w=21600')
    return false
  }
  publish(upstream, '1', { tars: [] })
  const upstreams = [{ prefix: 'docker.io', url: `http://${upstream.host}` }]
  await using registry = await measured({ upstreams })
  const { value } = registry
  for (const tag of ['1', '1', '2']) await registry.request('GET', `/v2/docker.io/a/b/manifests/${tag}`)
  const asked = (status: string) => `bale_registry_upstream_requests_total{upstream="docker.io",status="${status}"}`
  const answered = (outcome: string) =>
    `bale_registry_cache_answers_total{upstream="docker.io",what="manifest",outcome="${outcome}"}`
  assert.deepEqual([await value(asked('2xx')), await value(asked('4xx'))], [1, 1])
  assert.deepEqual([await value(answered('miss')), await value(answered('hit'))], [1, 1])
  assert.equal(await value('bale_registry_upstream_pulls_remaining{upstream="docker.io"}'), 76)
  upstream.intercept = (_request, response) => {
    response.writeHead(429).end()
    return true
  }
  await registry.request('GET', '/v2/docker.io/a/b/manifests/3')
  assert.equal(await value(asked('429')), 3)
})

test('what rules of replication do is counted by rule, and what is left to be done by state', async () => {
  await using there = await startRegistry()
  const rule = { name: 'site', direction: 'push', url: `http://${there.address}`, repositories: ['a/*'] } as const
  await using registry = await measured({ replication: [{ ...rule, onPush: true }] })
  await there.registry.policies.immutable('a/b', '2')
  await there.image('a/b', 'kept', { tag: '2' })
  await registry.image('a/b', 'one', { tag: '1' })
  await registry.image('a/b', 'two', { tag: '2' })
  const ended = (outcome: string) =>
    registry.value(`bale_registry_replications_total{rule="site",outcome="${outcome}"}`)
  await until('both were tried', async () => (await ended('done')) === 1 && (await ended('failed')) === 1)
  assert.ok((await registry.value('bale_registry_replication_bytes_total{rule="site"}'))! > 100)
  await until(
    'what waits is counted',
    async () => (await registry.value('bale_registry_replication_tasks{state="waiting"}')) === 1,
  )
  assert.equal(await registry.value('bale_registry_replication_tasks{state="failed"}'), 0)
})

/** `instance` is added by Prometheus. */
const LABELS = [
  'instance',
  'method',
  'route',
  'status',
  'le',
  'credential',
  'reason',
  'part',
  'code',
  'outcome',
  'upstream',
  'what',
  'rule',
  'state',
]

test('the documentation has all metrics and no other', async () => {
  await using registry = await measured()
  const page = readTextSync(resolve(import.meta.dirname, '../../../docs/registry/operate.md'))
  const rows = [...page.matchAll(/^\| `((?:bale_registry|process|nodejs)_\w+)` \|/gm)].map(([, name]) => name!)
  assert.deepEqual(rows.sort(), namesIn(await registry.text()).sort())
})

test('label values and explanations are escaped, buckets count everything below them', () => {
  const counter = createCounter('a_total', 'back\\slash\nline')
  counter.add({ label: 'quote " back \\ line \n' })
  assert.equal(
    counter.text(),
    '# HELP a_total back\\\\slash\\nline\n# TYPE a_total counter\na_total{label="quote \\" back \\\\ line \\n"} 1\n',
  )
  const histogram = createHistogram('b', 'h', [1, 2])
  for (const value of [0.5, 1, 1.5, 9]) histogram.observe({}, value)
  assert.equal(
    histogram.text(),
    '# HELP b h\n# TYPE b histogram\nb_bucket{le="1"} 2\nb_bucket{le="2"} 3\nb_bucket{le="+Inf"} 4\nb_sum 12\nb_count 4\n',
  )
})

test('scans are counted by what became of them, with what waits and the age of the advisories', async () => {
  await using place = await scanPlace()
  await place.putAdvisories([], '2026-11-30T10:00:00.000Z')
  await using registry = await measured({ scanning: { advisories: place.advisories } })
  const ended = (outcome: string) => registry.value(`bale_registry_scans_total{outcome="${outcome}"}`)
  assert.equal(await ended('scanned'), 0)
  // Its config names no layers.
  await registry.image('a/b', 'one', { tag: '1' })
  await until('it is given up', async () => (await ended('failed')) === 1)
  await until('that is counted', async () => (await registry.value('bale_registry_scan_images{state="failed"}')) === 1)
  assert.equal(await registry.value('bale_registry_scan_images{state="waiting"}'), 0)
  await until(
    'the advisories are open',
    async () => (await registry.value('bale_registry_advisories_timestamp_seconds')) !== undefined,
  )
  assert.equal(
    await registry.value('bale_registry_advisories_timestamp_seconds'),
    Date.parse('2026-11-30T10:00:00Z') / 1000,
  )
  assert.equal(await registry.value('bale_registry_scans_matched_total'), 0)
})
