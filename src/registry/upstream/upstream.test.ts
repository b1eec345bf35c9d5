import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { systemClock } from '#base'
import type { RegistryEvent } from '#registry'
import { type CuttingProxy, cuttingProxy } from '../../../test/kit/cutting-proxy.ts'
import { type Answer, startRegistry, type TestRegistry } from '../../../test/kit/registry-client.ts'
import type { UpstreamSettings } from './index.ts'

interface Cache extends AsyncDisposable {
  upstream: TestRegistry
  /** Between both: what the upstream is asked, and what goes wrong. */
  way: CuttingProxy
  cache: TestRegistry
  reports: string[]
  events: RegistryEvent[]
  /** Lets so many milliseconds pass for the cache. */
  pass(milliseconds: number): void
  /** Method and path, without `/v2/`, of what the upstream was asked since the last look. */
  asked(): string[]
  get(path: string, headers?: Record<string, string>): Promise<Answer>
}

interface CacheOptions extends Partial<UpstreamSettings> {
  mirror?: string
  anonymous?: 'none' | 'pull'
}

/** A registry, and one that is its cache below `docker.io`, which everybody may pull. */
async function cached({ mirror, anonymous = 'pull', ...settings }: CacheOptions = {}): Promise<Cache> {
  await using opened = new AsyncDisposableStack()
  const upstream = opened.use(await startRegistry())
  const way = opened.use(await cuttingProxy(`http://${upstream.address}`))
  const [reports, events]: [string[], RegistryEvent[]] = [[], []]
  const time = { passed: 0 }
  const cache = opened.use(
    await startRegistry({
      anonymous,
      mirror,
      upstreams: [{ prefix: 'docker.io', url: way.url, ...settings }],
      clock: { ...systemClock, now: () => Date.now() + time.passed },
      report: (failure) => reports.push(failure.message),
      observe: (event) => events.push(event),
    }),
  )
  const parts = opened.move()
  let seen = 0
  return {
    ...{ upstream, way, cache, reports, events },
    pass: (milliseconds) => {
      time.passed += milliseconds
    },
    asked() {
      const news = way.seen.slice(seen)
      seen = way.seen.length
      return news.map((line) => line.replace(' /v2/', ' '))
    },
    get: (path, headers) => cache.request('GET', path, { headers }),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}

const HOUR = 3_600_000
const answeredBy = ({ events }: Cache) =>
  events.flatMap((event) => (event.kind === 'cache-answered' ? [`${event.what} ${event.outcome}`] : []))

test('an image comes from its upstream once, and from here after that', async () => {
  await using under = await cached()
  const image = await under.upstream.image('team/web', 'one', { tag: '1' })
  for (const _ of [1, 2]) {
    const manifest = await under.get('/v2/docker.io/team/web/manifests/1')
    assert.deepEqual([manifest.status, manifest.headers['docker-content-digest']], [200, image.digest])
    assert.equal(manifest.headers['content-type'], 'application/vnd.oci.image.manifest.v1+json')
    assert.ok(manifest.body.equals(image.bytes))
    const layer = await under.get(`/v2/docker.io/team/web/blobs/${image.layer}`)
    assert.deepEqual([layer.status, layer.body.toString()], [200, 'layer of one'])
  }
  assert.deepEqual(under.asked(), ['GET team/web/manifests/1', `GET team/web/blobs/${image.layer}`])
  assert.deepEqual(answeredBy(under), ['manifest miss', 'blob miss', 'manifest hit', 'blob hit'])
  const byDigest = await under.get(`/v2/docker.io/team/web/manifests/${image.digest}`)
  assert.ok(byDigest.body.equals(image.bytes))
  assert.deepEqual(under.asked(), [])
  assert.deepEqual(under.reports, [])
})

test('twenty clients that pull one image at once make one request for each part of it', async () => {
  await using under = await cached()
  const content = randomBytes(5 << 20).toString('base64')
  const image = await under.upstream.image('team/web', content, { tag: '1' })
  const pull = async () => {
    const manifest = await under.get('/v2/docker.io/team/web/manifests/1')
    const blobs = [image.config, image.layer].map((digest) => under.get(`/v2/docker.io/team/web/blobs/${digest}`))
    const [config, layer] = await Promise.all(blobs)
    assert.deepEqual([manifest.status, config!.status, layer!.status], [200, 200, 200])
    assert.ok(layer!.body.equals(Buffer.from(`layer of ${content}`)))
  }
  await Promise.all(Array.from({ length: 20 }, pull))
  assert.deepEqual(under.asked().sort(), [
    ...[image.config, image.layer].sort().map((digest) => `GET team/web/blobs/${digest}`),
    'GET team/web/manifests/1',
  ])
})

test('a tag is asked for again after its time: unchanged by HEAD, changed and taken, gone and gone here', async () => {
  await using under = await cached({ tagsFreshFor: HOUR })
  const one = await under.upstream.image('team/web', 'one', { tag: '1' })
  const tag = '/v2/docker.io/team/web/manifests/1'
  await under.get(tag)
  under.pass(HOUR - 1000)
  await under.get(tag)
  assert.deepEqual(under.asked(), ['GET team/web/manifests/1'])
  under.pass(2000)
  assert.equal((await under.get(tag)).headers['docker-content-digest'], one.digest)
  assert.equal((await under.get(tag)).headers['docker-content-digest'], one.digest)
  assert.deepEqual(under.asked(), ['HEAD team/web/manifests/1'])
  const two = await under.upstream.image('team/web', 'two', { tag: '1' })
  under.pass(HOUR)
  assert.equal((await under.get(tag)).headers['docker-content-digest'], two.digest)
  assert.deepEqual(under.asked(), ['HEAD team/web/manifests/1', 'GET team/web/manifests/1'])
  await under.upstream.request('PUT', '/v2/team/web/manifests/1', {
    headers: { 'Content-Type': 'application/vnd.oci.image.manifest.v1+json' },
    body: one.bytes,
  })
  under.pass(HOUR)
  assert.equal((await under.get(tag)).headers['docker-content-digest'], one.digest)
  assert.deepEqual(under.asked(), ['HEAD team/web/manifests/1'], 'its manifest was here')
  await under.upstream.request('DELETE', '/v2/team/web/manifests/1')
  under.pass(HOUR)
  assert.equal((await under.get(tag)).status, 404)
  assert.equal((await under.get(`/v2/docker.io/team/web/manifests/${two.digest}`)).status, 200)
  assert.deepEqual(answeredBy(under), [
    'manifest miss',
    'manifest hit',
    'manifest confirmed',
    'manifest hit',
    'manifest miss',
    'manifest miss',
    'manifest hit',
  ])
})

for (const [name, how] of [
  ['429', { act: 'answer', status: 429, headers: { 'Retry-After': '30' } }],
  ['503', { act: 'answer', status: 503 }],
  ['connections that break', { act: 'reset' }],
] as const) {
  test(`what is here is served when the upstream answers with ${name}, for its time, and the operator hears of it once`, async () => {
    await using under = await cached({ tagsFreshFor: HOUR, serveStaleFor: 2 * HOUR })
    const image = await under.upstream.image('team/web', 'one', { tag: '1' })
    const tag = '/v2/docker.io/team/web/manifests/1'
    await under.get(tag)
    under.way.add({ how, last: 1000 })
    under.pass(1.5 * HOUR)
    for (const _ of [1, 2]) {
      const stale = await under.get(tag)
      assert.deepEqual([stale.status, stale.headers['docker-content-digest']], [200, image.digest])
      assert.equal(stale.headers['warning'], '111 - "Revalidation Failed"')
      assert.ok(Number(stale.headers['age']) >= 1.5 * 3600 && Number(stale.headers['age']) < 1.6 * 3600)
    }
    assert.equal(under.reports.length, 1)
    assert.match(
      under.reports[0]!,
      /^docker\.io does not give team\/web at the moment: .*; what was fetched before is served$/,
    )
    under.asked()
    await under.get(tag)
    assert.deepEqual(under.asked(), [], 'it is not asked again at once')
    under.pass(2 * HOUR)
    const late = await under.get(tag)
    assert.equal(late.status, name === '429' ? 429 : 502)
    assert.match(late.json<{ errors: { message: string }[] }>().errors[0]!.message, /^docker\.io /)
  })
}
