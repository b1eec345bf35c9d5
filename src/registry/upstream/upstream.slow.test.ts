/** Caches as they are used: by skopeo with its settings for mirrors, and by several replicas. */
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { systemClock } from '#base'
import {
  createFileObjects,
  listenWith,
  openConfiguredAdmin,
  openPostgresMeta,
  openRegistry,
  readConfiguration,
  type ServedRegistry,
  serveConfigured,
} from '#registry'
import { cachedRegistry } from '../../../test/kit/cached-registry.ts'
import { cuttingProxy } from '../../../test/kit/cutting-proxy.ts'
import { startDockerRegistry, withoutDockerRegistry } from '../../../test/kit/docker-registry.ts'
import { startPostgres, withoutPostgres } from '../../../test/kit/postgres.ts'
import { clientOf, sha256, startRegistry } from '../../../test/kit/registry-client.ts'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'

const execute = promisify(execFile)
const withoutSkopeo =
  spawnSync('skopeo', ['--version']).error === undefined ? false : 'skopeo is not installed (apt-get install skopeo)'

test('skopeo pulls by its setting for mirrors, and goes on doing so while the registry is away', {
  skip: withoutSkopeo,
}, async () => {
  await using under = await cachedRegistry()
  await using place = await temporaryDirectory('bale-skopeo')
  const image = await under.upstream.image('library/web', 'one', { tag: '1' })
  const settings = join(place.path, 'registries.conf')
  const { address } = under.cache
  await writeFile(
    settings,
    `[[registry]]
prefix = "docker.io"
location = "127.0.0.1:1"
insecure = true

[[registry.mirror]]
location = "${address}/docker.io"
insecure = true
`,
  )
  const pull = async (name: string) => {
    const options = ['--registries-conf', settings, 'copy', '--src-no-creds', 'docker://docker.io/library/web:1']
    await execute('skopeo', [...options, `dir:${join(place.path, name)}`])
    return sha256(await readFile(join(place.path, name, 'manifest.json')))
  }
  assert.equal(await pull('one'), image.digest)
  under.way.add({ last: 999, how: { act: 'answer', status: 429 } })
  under.pass(2 * 3_600_000)
  assert.equal(await pull('two'), image.digest)
})

test('an upstream that never answers is waited for once, and what is here is served', async () => {
  await using under = await cachedRegistry()
  const image = await under.upstream.image('library/web', 'one', { tag: '1' })
  const pull = () => under.get('/v2/docker.io/web/manifests/1')
  await pull()
  under.way.add({ last: 99, how: { act: 'hold' } })
  under.pass(2 * 3_600_000)
  const began = performance.now()
  const [first, second] = await Promise.all([pull(), pull()])
  const third = await pull()
  assert.ok(performance.now() - began < 60_000)
  for (const { status, headers } of [first, second, third]) {
    assert.deepEqual([status, headers['docker-content-digest']], [200, image.digest])
    assert.equal(headers['warning'], '111 - "Revalidation Failed"')
  }
  assert.equal(under.reports.length, 1)
})

test('an image of docker-registry comes through the cache with all its platforms', {
  skip: withoutSkopeo || withoutDockerRegistry(),
}, async () => {
  await using upstream = await startDockerRegistry()
  await using under = await cachedRegistry({ url: `http://${upstream.host}` })
  await using place = await temporaryDirectory('bale-skopeo')
  const one = await under.upstream.image('a/b', 'amd64', { tag: '1' })
  const two = await under.upstream.image('a/b', 'arm64', { tag: '2' })
  const platforms = [one, two].map(({ descriptor }, at) => ({
    ...descriptor,
    platform: { os: 'linux', architecture: ['amd64', 'arm64'][at] },
  }))
  const type = 'application/vnd.oci.image.index.v1+json'
  const index = JSON.stringify({ schemaVersion: 2, mediaType: type, manifests: platforms })
  await under.upstream.request('PUT', '/v2/a/b/manifests/all', { headers: { 'Content-Type': type }, body: index })
  const insecure = ['--src-tls-verify=false', '--dest-tls-verify=false', '--all', '--preserve-digests']
  const from = `docker://${under.upstream.address}/a/b:all`
  await execute('skopeo', ['copy', ...insecure, from, `docker://${upstream.host}/a/b:all`])
  await execute('skopeo', [
    ...['copy', '--all', '--src-tls-verify=false', '--src-no-creds'],
    ...[`docker://${under.cache.address}/docker.io/a/b:all`, `dir:${join(place.path, 'all')}`],
  ])
  assert.equal(sha256(await readFile(join(place.path, 'all', 'manifest.json'))), sha256(index))
  const before = upstream.requests().length
  const child = await under.get(`/v2/docker.io/a/b/manifests/${two.digest}`)
  assert.ok(child.body.equals(two.bytes))
  assert.equal(upstream.requests().length, before)
})

test('upstreams of a configuration file are served with their login, and collected beside the server', async () => {
  await using upstream = await startRegistry({ anonymous: 'none' })
  await upstream.registry.users.add('cache', 'password-of-cache')
  await upstream.registry.users.grant('cache', '**', 'write')
  const image = await upstream.image('team/web', 'one', { tag: '1', login: 'cache:password-of-cache' })
  await using place = await temporaryDirectory('bale-configured')
  const file = join(place.path, 'registry.yaml')
  await writeFile(
    file,
    `listen: { address: '127.0.0.1:0' }
directory: data
anonymous: pull
mirror: docker.io
upstreams:
  - prefix: docker.io
    registry: http://${upstream.address}
    username: cache
    password-env: PASSWORD
    cache-for: 2h
`,
  )
  const configuration = await readConfiguration(file)
  const time = { passed: 0 }
  const clock = { ...systemClock, now: () => Date.now() + time.passed }
  const surroundings = { environment: { PASSWORD: 'password-of-cache' }, clock }
  {
    await using served = await serveConfigured(configuration, surroundings)
    const answer = await clientOf(served.address).request('GET', '/v2/team/web/manifests/1')
    assert.deepEqual([answer.status, sha256(answer.body)], [200, image.digest])
  }
  await using admin = await openConfiguredAdmin(configuration, surroundings)
  assert.equal((await admin.collectGarbage()).manifests, 0)
  time.passed = 3 * 3_600_000
  assert.equal((await admin.collectGarbage()).manifests, 1)
})

test('each of two replicas asks once at the most; what one has fetched the other has too', {
  skip: withoutPostgres(),
}, async () => {
  await using opened = new AsyncDisposableStack()
  const upstream = opened.use(await startRegistry())
  const way = opened.use(await cuttingProxy(`http://${upstream.address}`))
  const place = opened.use(await temporaryDirectory('bale-replicas'))
  const postgres = opened.use(await startPostgres())
  const url = await postgres.database()
  const secret = randomBytes(32)
  const replica = async (): Promise<ServedRegistry> => {
    const parts = { meta: await openPostgresMeta({ url }), objects: createFileObjects(join(place.path, 'o')), secret }
    const upstreams = [{ prefix: 'docker.io', url: way.url }]
    const registry = await openRegistry(parts, { anonymous: 'pull', upstreams, clock: systemClock })
    return opened.use(await listenWith(registry, { port: 0 }))
  }
  const clients = [await replica(), await replica()].map(({ address }) => clientOf(address))
  const image = await upstream.image('team/web', randomBytes(3 << 20).toString('base64'), { tag: '1' })
  const pull = async (client: (typeof clients)[number]) => {
    const manifest = await client.request('GET', '/v2/docker.io/team/web/manifests/1')
    const layer = await client.request('GET', `/v2/docker.io/team/web/blobs/${image.layer}`)
    assert.deepEqual([manifest.status, sha256(manifest.body), sha256(layer.body)], [200, image.digest, image.layer])
  }
  await Promise.all(Array.from({ length: 10 }, (_, at) => pull(clients[at % 2]!)))
  for (const line of [`GET /v2/team/web/blobs/${image.layer}`, 'GET /v2/team/web/manifests/1']) {
    const times = way.seen.filter((seen) => seen === line).length
    assert.ok(times === 1 || times === 2, `${line}: ${times} times`)
  }
  const before = way.seen.length
  await clients[0]!.request('GET', `/v2/docker.io/team/web/blobs/${image.config}`)
  const config = await clients[1]!.request('GET', `/v2/docker.io/team/web/blobs/${image.config}`)
  assert.equal(sha256(config.body), image.config)
  assert.equal(way.seen.length, before + 1)
})
