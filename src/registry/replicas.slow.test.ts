/** Two replicas on one PostgreSQL database and one bucket of Ceph, behind haproxy, which sends each request to the next one. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { systemClock } from '#base'
import { startCeph, withoutCeph } from '../../test/kit/ceph.ts'
import { type CheckedRegistry, distributionSuite } from '../../test/kit/distribution-checks.ts'
import { startHaproxy, withoutHaproxy } from '../../test/kit/haproxy.ts'
import { startPostgres, withoutPostgres } from '../../test/kit/postgres.ts'
import { pushTars } from '../../test/kit/push-tars.ts'
import { clientOf, sha256 } from '../../test/kit/registry-client.ts'
import { debianAdvisory, debianLayer, putBundle } from '../../test/kit/scan-place.ts'
import { temporaryDirectory } from '../../test/kit/temporary.ts'
import { until } from '../../test/kit/until.ts'
import { openPostgresMeta } from './meta/index.ts'
import { createS3Objects } from './objects/index.ts'
import { administerRegistry, openRegistry, type RegistrySettings } from './registry.ts'
import { listenWith, type ServedRegistry } from './serve.ts'

const skip = withoutPostgres() || withoutCeph() || withoutHaproxy()
const shared = skip ? undefined : { postgres: await startPostgres(), ceph: await startCeph() }
after(async () => {
  await shared?.ceph[Symbol.asyncDispose]()
  await shared?.postgres[Symbol.asyncDispose]()
})

/** A database and a bucket, and a way to serve them once more. */
async function shop() {
  const { postgres, ceph } = shared!
  const url = await postgres.database()
  const { endpoint, region, accessKeyId, secretAccessKey } = ceph
  const bucket = await ceph.makeBucket()
  const secret = randomBytes(32)
  const serve = async (settings: RegistrySettings = {}): Promise<ServedRegistry> => {
    const objects = createS3Objects({ endpoint, region, bucket, accessKeyId, secretAccessKey, partSize: 5 << 20 })
    const meta = await openPostgresMeta({ url })
    const close = async () => {
      await meta.close()
      await objects[Symbol.asyncDispose]()
    }
    const registry = await openRegistry({ meta: { ...meta, close }, objects, secret }, settings)
    return await listenWith(registry, { port: 0 })
  }
  return {
    serve,
    /** What of the bucket nothing knows. */
    async unknown() {
      await using objects = createS3Objects({ endpoint, region, bucket, accessKeyId, secretAccessKey })
      await using admin = administerRegistry({
        meta: await openPostgresMeta({ url }),
        objects,
        secret: async () => secret,
      })
      return (await admin.check()).unknown
    },
  }
}

async function two(settings: RegistrySettings = {}) {
  const { serve, unknown } = await shop()
  const served = [await serve(settings), await serve(settings)] as const
  const [one, other] = served.map(({ address }) => clientOf(address))
  return {
    one: one!,
    other: other!,
    served,
    unknown,
    async [Symbol.asyncDispose]() {
      for (const replica of served) await replica[Symbol.asyncDispose]()
    },
  }
}

async function balanced(settings: RegistrySettings): Promise<CheckedRegistry> {
  const replicas = await two(settings)
  const balancer = await startHaproxy(replicas.served.map(({ address }) => address))
  await replicas.served[0].registry.users.add('ann', 'password-of-ann')
  await replicas.served[1].registry.users.grant('ann', 'conformance/**', 'admin')
  return {
    url: `http://${balancer.address}`,
    login: 'anonymous',
    async [Symbol.asyncDispose]() {
      await balancer[Symbol.asyncDispose]()
      await replicas[Symbol.asyncDispose]()
    },
  }
}

const ANN = 'ann:password-of-ann'
if (skip) test('two replicas', { skip }, () => undefined)
else {
  distributionSuite('two replicas: anonymous pushes', () => balanced({ anonymous: 'push' }))
  distributionSuite('two replicas: Basic', async () => ({ ...(await balanced({})), login: { basic: ANN } }))
  distributionSuite('two replicas: tokens', async () => ({ ...(await balanced({})), login: { token: ANN } }))
}

test('an upload goes on at another replica, in pieces of any size, and is verified there', { skip }, async () => {
  await using replicas = await two({ anonymous: 'push' })
  const { one, other } = replicas
  const content = randomBytes(12_000_000)
  const begun = await one.request('POST', '/v2/a/b/blobs/uploads/')
  const location = String(begun.headers['location'])
  const borders = [0, 1, 4_000_000, 11_111_111, content.length]
  for (const [turn, start] of borders.slice(0, -1).entries()) {
    const body = content.subarray(start, borders[turn + 1])
    const answer = await (turn % 2 ? one : other).request('PATCH', location, { body })
    assert.equal(answer.status, 202)
    assert.equal(answer.headers['range'], `0-${borders[turn + 1]! - 1}`)
  }
  const wrong = await other.request('PUT', `${location}?digest=${sha256('else')}`)
  assert.equal(wrong.status, 400)
  const again = await one.request('POST', '/v2/a/b/blobs/uploads/')
  const place = String(again.headers['location'])
  await other.request('PATCH', place, { body: content.subarray(0, 7_000_000) })
  const finished = await one.request('PUT', `${place}?digest=${sha256(content)}`, { body: content.subarray(7_000_000) })
  assert.equal(finished.status, 201)
  const read = await other.request('GET', `/v2/a/b/blobs/${sha256(content)}`)
  assert.ok(read.body.equals(content))
  const part = await one.request('GET', `/v2/a/b/blobs/${sha256(content)}`, {
    headers: { range: 'bytes=5242870-5242890' },
  })
  assert.ok(part.body.equals(content.subarray(5_242_870, 5_242_891)))
})

test('what one replica finds, rules or excepts holds at the other one at once, also while everything is matched again', {
  skip,
}, async () => {
  await using temporary = await temporaryDirectory('bale-gate')
  const advisories = join(temporary.path, 'advisories.sqlite')
  await putBundle(advisories, [debianAdvisory('CVE-2024-1', 'openssl')])
  await using replicas = await two({ anonymous: 'push', scanning: { advisories } })
  const { one, other } = replicas
  const [first, second] = replicas.served.map(({ registry }) => registry)
  const policy = await second!.policies.gate('acme/**', { unscanned: { wait: 60_000 } })
  const bad = await pushTars(one, 'acme/web', 'bad', [debianLayer({ openssl: '3.0-1' })])
  await pushTars(other, 'acme/web', 'good', [debianLayer({ zlib: '1.2-1' })])
  const get = (client: typeof one, path: string) => client.request('GET', `/v2/acme/web/${path}`)
  // Nobody has looked at them yet: each waits until one of the replicas has.
  const waited = await Promise.all([
    get(other, 'manifests/bad'),
    get(one, 'manifests/good'),
    get(one, `blobs/${bad.layer}`),
  ])
  assert.deepEqual(
    waited.map(({ status }) => status),
    [403, 200, 403],
  )
  assert.match(
    waited[0]!.body.toString(),
    /policy \d+ of acme\/\*\* blocks acme\/web@sha256:[0-9a-f]{64}: 1 critical: CVE-2024-1; report/,
  )
  const both = async () => [(await get(one, 'manifests/bad')).status, (await get(other, 'manifests/bad')).status]
  const exception = await first!.exceptions.add('CVE-2024-1', {
    pattern: 'acme/web',
    reason: 'not reachable',
    lasts: 3_600_000,
  })
  assert.deepEqual(await both(), [200, 200])
  await second!.exceptions.remove(exception)
  assert.deepEqual(await both(), [403, 403])
  await first!.images.release('acme/web:bad', 'checked')
  assert.deepEqual(await both(), [200, 200])
  await second!.images.clear('acme/web:bad', 'no more')
  // A bundle takes the place of the other one, and a thousand pulls go on meanwhile.
  await putBundle(advisories, [debianAdvisory('CVE-2024-2', 'zlib')], '2026-12-01T00:00:00.000Z')
  let turn = 0
  const pulls = async (path: string): Promise<Set<number>> => {
    const found = new Set<number>()
    for (let at = 0; at < 50; at++) found.add((await get(turn++ % 2 ? one : other, path)).status)
    return found
  }
  const seen = await Promise.all(
    Array.from({ length: 20 }, (_, at) => pulls(at % 2 ? 'manifests/bad' : 'manifests/good')),
  )
  assert.deepEqual(
    [...new Set(seen.flatMap((statuses) => [...statuses]))].filter((status) => status !== 200 && status !== 403),
    [],
  )
  await until('the new advisories count', async () => (await get(one, 'manifests/good')).status === 403)
  assert.deepEqual(await both(), [200, 200])
  await first!.policies.remove(policy)
  assert.equal((await get(other, 'manifests/good')).status, 200)
})

test('nothing that an upload put into the bucket is unknown, however it ended', { skip }, async () => {
  await using replicas = await two({ anonymous: 'push' })
  const { one, other } = replicas
  const content = randomBytes(6_000_000)
  const begin = async () => String((await one.request('POST', '/v2/a/b/blobs/uploads/')).headers['location'])
  const wrong = await other.request('PUT', `${await begin()}?digest=${sha256('else')}`, { body: content })
  assert.equal(wrong.status, 400)
  const small = await one.request('PUT', `${await begin()}?digest=${sha256('else')}`, { body: 'small' })
  assert.equal(small.status, 400)
  const left = await begin()
  await other.request('PATCH', left, { body: content.subarray(0, 10) })
  await one.request('PATCH', left, { body: content.subarray(10) })
  const canceled = await begin()
  await other.request('PATCH', canceled, { body: content })
  assert.equal((await one.request('DELETE', canceled)).status, 204)
  assert.deepEqual(await replicas.unknown(), { objects: 0, bytes: 0 })
})

test('the same writer’s place is not given twice: two replicas write one upload one after the other', {
  skip,
}, async () => {
  await using replicas = await two({ anonymous: 'push' })
  const { one, other } = replicas
  const begun = await one.request('POST', '/v2/a/b/blobs/uploads/')
  const location = String(begun.headers['location'])
  const bodies = [Buffer.alloc(6_000_000, 'a'), Buffer.alloc(6_000_000, 'b')]
  const answers = await Promise.all(
    bodies.map((body, turn) => [one, other][turn]!.request('PATCH', location, { body })),
  )
  assert.deepEqual(answers.map(({ status }) => status).toSorted(), [202, 416])
  const won = bodies[answers.findIndex(({ status }) => status === 202)]!
  const finished = await other.request('PUT', `${location}?digest=${sha256(won)}`)
  assert.equal(finished.status, 201)
})

test('clocks of replicas may be minutes apart: tokens and leases are the database’s', { skip }, async () => {
  const { serve } = await shop()
  const late = { ...systemClock, now: () => Date.now() - 600_000 }
  await using one = await serve({ clock: late })
  await using other = await serve()
  await one.registry.users.add('ann', 'password-of-ann')
  for (const [issuer, reader] of [
    [one, other],
    [other, one],
  ] as const) {
    const scope = 'repository:ann/x:pull,push'
    const login = ANN
    const issued = await clientOf(issuer.address).request('GET', `/token?service=bale-registry&scope=${scope}`, {
      login,
    })
    const { token } = JSON.parse(issued.body.toString()) as { token: string }
    const headers = { authorization: `Bearer ${token}` }
    assert.equal((await clientOf(reader.address).request('GET', '/v2/ann/x/tags/list', { headers })).status, 404)
  }
})

test('guesses are counted by all replicas together', { skip }, async () => {
  await using replicas = await two()
  await replicas.served[0].registry.users.add('ann', 'password-of-ann')
  const statuses: number[] = []
  for (let turn = 0; turn < 14; turn++) {
    const { one, other } = replicas
    statuses.push((await (turn % 2 ? one : other).request('GET', '/v2/', { login: `ann:wrong ${turn}` })).status)
  }
  assert.deepEqual(statuses, [...Array(10).fill(401), ...Array(4).fill(429)])
})

test('one replica collects what the other one wrote, and nothing that is needed', { skip }, async () => {
  await using replicas = await two({ anonymous: 'push', lease: 0 })
  const { one, other, served } = replicas
  const image = await one.image('a/b', 'x'.repeat(6_000_000), { tag: 'kept' })
  const lonely = await other.blob('a/b', randomBytes(6_000_000))
  const collected = await Promise.all(
    served.map(({ registry }) => registry.collectGarbage({ grace: 0 }).catch((error: { code: string }) => error.code)),
  )
  assert.ok(collected.every((one) => one === 'LOCKED' || typeof one === 'object'))
  await served[1].registry.collectGarbage({ grace: 0 })
  assert.equal((await one.request('HEAD', `/v2/a/b/blobs/${lonely}`)).status, 404)
  for (const digest of [image.config, image.layer]) {
    assert.equal((await other.request('GET', `/v2/a/b/blobs/${digest}`)).status, 200)
  }
})

test('with redirects the bytes of a blob come from the bucket, by an address that opens alone', { skip }, async () => {
  await using replicas = await two({ anonymous: 'push', redirect: true })
  const content = randomBytes(100_000)
  const digest = await replicas.one.blob('a/b', content)
  const answer = await replicas.other.request('GET', `/v2/a/b/blobs/${digest}`)
  assert.equal(answer.status, 307)
  assert.equal(answer.headers['docker-content-digest'], digest)
  const place = new URL(String(answer.headers['location']))
  assert.equal(place.origin, shared!.ceph.endpoint)
  const direct = await clientOf(place.host).request('GET', place.pathname + place.search)
  assert.ok(direct.body.equals(content))
  place.searchParams.set('X-Amz-Expires', '1000')
  assert.equal((await clientOf(place.host).request('GET', place.pathname + place.search)).status, 403)
  assert.equal((await replicas.other.request('HEAD', `/v2/a/b/blobs/${digest}`)).status, 200)
})

test('a replica that is being stopped says that it is not ready, one without its database neither', {
  skip,
}, async () => {
  await using own = await startPostgres()
  const objects = createS3Objects({ ...shared!.ceph, bucket: await shared!.ceph.makeBucket() })
  const meta = await openPostgresMeta({ url: await own.database(), patience: 300 })
  const registry = await openRegistry({ meta, objects, secret: randomBytes(32) }, { anonymous: 'push' })
  await using served = await listenWith(registry, { port: 0 })
  const { request } = clientOf(served.address)
  assert.equal((await request('GET', '/readyz')).status, 200)
  await own.kill()
  const away = await request('GET', '/readyz')
  assert.deepEqual([away.status, away.codes(), away.headers['retry-after']], [503, ['UNAVAILABLE'], '2'])
  assert.equal((await request('GET', '/livez')).status, 200)
  const push = await request('POST', '/v2/a/b/blobs/uploads/')
  assert.deepEqual([push.status, push.codes()], [503, ['UNAVAILABLE']])
  await own.start()
  await until('the replica is ready again', async () => (await request('GET', '/readyz')).status === 200)
  registry.drain()
  assert.equal((await request('GET', '/readyz')).status, 503)
  await objects[Symbol.asyncDispose]()
})
