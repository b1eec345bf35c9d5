import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type Clock, systemClock } from '#base'
import { digestOf } from '#blob'
import type { Digest } from '#spec'
import { type MetaPlace, postgresPlace, sqlitePlace } from '../../test/kit/meta-places.ts'
import { startPostgres, withoutPostgres } from '../../test/kit/postgres.ts'
import { INDEX_TYPE, sha256, startRegistry, type TestRegistry } from '../../test/kit/registry-client.ts'
import { temporaryDirectory } from '../../test/kit/temporary.ts'
import { collectInTurn } from './collect.ts'
import type { MetaStore, NewManifest } from './meta/index.ts'
import { createFileObjects, type ObjectStore } from './objects/index.ts'
import { createUploads } from './uploads/index.ts'

const HOUR = 3_600_000

function fakeClock(): Clock & { hours: number } {
  const began = Date.now()
  return {
    hours: 0,
    now() {
      return began + this.hours * HOUR
    },
    sleep: systemClock.sleep,
  }
}

async function objectsIn(directory: string): Promise<string[]> {
  const entries = await readdir(join(directory, 'objects'), { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name)
}

const status = async (registry: TestRegistry, path: string) => (await registry.request('GET', path)).status

test('a blob without a manifest stays for its lease, is then gone at once, and its bytes go after the grace', async () => {
  const clock = fakeClock()
  await using registry = await startRegistry({ clock, lease: 24 * HOUR })
  const digest = await registry.blob('a/b', 'lonely')
  clock.hours = 23
  assert.equal((await registry.registry.collectGarbage()).blobs, 0)
  assert.equal(await status(registry, `/v2/a/b/blobs/${digest}`), 200)
  clock.hours = 25
  assert.deepEqual(await registry.registry.collectGarbage(), {
    uploads: 0,
    tags: 0,
    manifests: 0,
    blobs: 1,
    bytes: 6,
    objects: 0,
  })
  assert.equal(await status(registry, `/v2/a/b/blobs/${digest}`), 404)
  assert.equal((await objectsIn(registry.directory)).length, 1)
  clock.hours = 27
  assert.equal((await registry.registry.collectGarbage()).objects, 1)
  assert.deepEqual(await objectsIn(registry.directory), [])
})

test('a HEAD by somebody who may push renews the lease; one by a reader does not', async () => {
  const clock = fakeClock()
  const options = { clock, lease: 24 * HOUR, anonymous: 'pull' as const }
  await using registry = await startRegistry(options)
  await registry.registry.users.add('ann', 'password-of-ann')
  const login = 'ann:password-of-ann'
  const renewed = await registry.blob('ann/b', 'renewed', { login })
  const read = await registry.blob('ann/b', 'only read', { login })
  clock.hours = 20
  assert.equal((await registry.request('HEAD', `/v2/ann/b/blobs/${renewed}`, { login })).status, 200)
  assert.equal((await registry.request('HEAD', `/v2/ann/b/blobs/${read}`)).status, 200)
  clock.hours = 30
  await registry.registry.collectGarbage()
  assert.equal(await status(registry, `/v2/ann/b/blobs/${renewed}`), 200)
  assert.equal(await status(registry, `/v2/ann/b/blobs/${read}`), 404)
})

test('a manifest keeps its blobs for ever, tagged or not; after its deletion they go when their lease is over', async () => {
  const clock = fakeClock()
  await using registry = await startRegistry({ clock, lease: HOUR })
  const { digest, layer, config } = await registry.image('a/b', 'one')
  clock.hours = 1000
  await registry.registry.collectGarbage()
  for (const blob of [layer, config]) assert.equal(await status(registry, `/v2/a/b/blobs/${blob}`), 200)
  await registry.request('DELETE', `/v2/a/b/manifests/${digest}`)
  assert.equal(await status(registry, '/v2/a/b/tags/list'), 200)
  assert.equal((await registry.registry.collectGarbage({ grace: 0 })).blobs, 2)
  assert.deepEqual(await objectsIn(registry.directory), [])
  assert.equal(await status(registry, '/v2/a/b/tags/list'), 404, 'an empty repository goes')
})

test('untagged manifests go only when asked for, and never what a tag, an index or a subject holds', async () => {
  const clock = fakeClock()
  await using registry = await startRegistry({ clock, lease: HOUR })
  const tagged = await registry.image('a/b', 'tagged', { tag: '1' })
  const loose = await registry.image('a/b', 'loose')
  const child = await registry.image('a/b', 'child')
  const referrer = await registry.image('a/b', 'referrer', { subject: tagged.descriptor })
  const index = JSON.stringify({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests: [child.descriptor] })
  await registry.request('PUT', '/v2/a/b/manifests/index', { headers: { 'Content-Type': INDEX_TYPE }, body: index })
  clock.hours = 48
  const fresh = await registry.image('a/b', 'fresh')
  assert.equal((await registry.registry.collectGarbage()).manifests, 0)
  assert.equal((await registry.registry.collectGarbage({ untaggedOlderThan: 24 * HOUR })).manifests, 1)
  const there = async (image: { digest: string }) =>
    (await status(registry, `/v2/a/b/manifests/${image.digest}`)) === 200
  assert.deepEqual(await Promise.all([tagged, child, referrer, fresh, loose].map(there)), [
    true,
    true,
    true,
    true,
    false,
  ])
  await registry.request('DELETE', '/v2/a/b/manifests/index')
  const untagged = { untaggedOlderThan: 24 * HOUR }
  assert.equal((await registry.registry.collectGarbage(untagged)).manifests, 0, 'the tag can be set back')
  clock.hours += 7 * 24 - 1
  assert.equal((await registry.registry.collectGarbage(untagged)).manifests, 1, 'the fresh one of then')
  clock.hours++
  assert.equal((await registry.registry.collectGarbage(untagged)).manifests, 2, 'index, then child')
  assert.equal(await there(child), false)
})

test('tags that no policy keeps go with a collection, in all repositories of the pattern; a dry run names them', async () => {
  const clock = fakeClock()
  await using registry = await startRegistry({ clock })
  const { policies, collectGarbage } = registry.registry
  const repositories = ['other', ...Array.from({ length: 101 }, (_, number) => `team/r${number}`)]
  for (const repository of repositories) {
    await registry.image(repository, 'old', { tag: 'old' })
    clock.hours += 1 / 60
    await registry.image(repository, 'new', { tag: 'new' })
  }
  await policies.keep('team/*', { last: 1 })
  const unkept = await policies.try()
  assert.deepEqual(
    unkept.map(({ repository, tag }) => `${repository}:${tag}`).toSorted(),
    repositories
      .slice(1)
      .map((name) => `${name}:old`)
      .toSorted(),
  )
  assert.equal(await status(registry, '/v2/team/r0/manifests/old'), 200)
  assert.equal((await collectGarbage({ untaggedOlderThan: 0 })).tags, 101)
  assert.equal(await status(registry, '/v2/team/r100/manifests/old'), 404)
  assert.equal(await status(registry, `/v2/team/r0/manifests/${unkept[0]!.digest}`), 200, 'it can be set back')
  assert.equal(await status(registry, '/v2/team/r0/manifests/new'), 200)
  assert.equal(await status(registry, '/v2/other/manifests/old'), 200)
  clock.hours += 7 * 24
  const { tags, manifests } = await collectGarbage({ untaggedOlderThan: 0 })
  assert.deepEqual([tags, manifests], [0, 101])
})

test('what was condemned and is pushed again gets new bytes under a new key, which the old deletion cannot hit', async () => {
  const clock = fakeClock()
  await using registry = await startRegistry({ clock, lease: HOUR })
  const digest = await registry.blob('a/b', 'again')
  clock.hours = 2
  await registry.registry.collectGarbage()
  await registry.blob('a/b', 'again')
  assert.equal((await objectsIn(registry.directory)).length, 2)
  clock.hours = 2.9
  await registry.image('a/b', 'keeper', { tag: '1' })
  await registry.registry.collectGarbage()
  clock.hours = 3.5
  assert.equal((await registry.registry.collectGarbage()).objects, 1, 'the old one')
  assert.equal(await status(registry, `/v2/a/b/blobs/${digest}`), 404, 'its own lease is over')
})

test('an abandoned upload is dropped after a day', async () => {
  const clock = fakeClock()
  await using registry = await startRegistry({ clock })
  const location = (await registry.request('POST', '/v2/a/b/blobs/uploads/')).headers.location!
  await registry.request('PATCH', location, { body: 'half' })
  clock.hours = 20
  await registry.request('PATCH', location, { body: 'more' })
  clock.hours = 30
  assert.equal((await registry.registry.collectGarbage()).uploads, 0)
  clock.hours = 45
  assert.deepEqual(await registry.registry.collectGarbage(), {
    uploads: 1,
    tags: 0,
    manifests: 0,
    blobs: 0,
    bytes: 0,
    objects: 1,
  })
  assert.equal(await status(registry, location), 404)
  assert.deepEqual(await objectsIn(registry.directory), [])
})

test('concurrent pushes of one blob all succeed, and one copy of the bytes stays', async () => {
  await using registry = await startRegistry()
  const content = Buffer.alloc(300_000, 'same')
  const repositories = ['a', 'b', 'c', 'a', 'b', 'a']
  const digests = await Promise.all(repositories.map((name) => registry.blob(name, content)))
  assert.deepEqual(new Set(digests), new Set([sha256(content)]))
  await registry.registry.collectGarbage()
  assert.equal((await objectsIn(registry.directory)).length, 6, 'one of them may be read just now')
  await registry.registry.collectGarbage({ grace: 0 })
  assert.equal((await objectsIn(registry.directory)).length, 1)
  for (const name of ['a', 'b', 'c']) {
    assert.deepEqual((await registry.request('GET', `/v2/${name}/blobs/${digests[0]}`)).body, content)
  }
})

/** A registry without its door, on metadata whose time the test sets. */
async function parts(create: () => Promise<MetaPlace>) {
  const place = await create()
  const directory = await temporaryDirectory('bale-collect')
  const began = Date.now()
  await place.setTime(began)
  const replicas = [await place.open(), await place.open()]
  const objects = createFileObjects(join(directory.path, 'objects'))
  const [one, two] = replicas.map((meta) => {
    const uploads = createUploads({ meta, objects, clock: systemClock, lease: HOUR, grace: HOUR })
    return {
      meta,
      objects,
      async push(repository: string, content: string): Promise<Digest> {
        const upload = await uploads.begin({ repository, principal: 'test' })
        await using session = await uploads.open(upload)
        await session!.append(chunksOf(content))
        const digest = digestOf(content)
        await session!.commit(digest)
        return digest
      },
    }
  })
  return {
    directory: directory.path,
    replicas: [one!, two!] as const,
    setHours: (hours: number) => place.setTime(began + hours * HOUR),
    async [Symbol.asyncDispose]() {
      for (const meta of replicas) await meta.close()
      await place[Symbol.asyncDispose]()
      await directory[Symbol.asyncDispose]()
    },
  }
}

async function* chunksOf(content: string) {
  yield Buffer.from(content)
}

test('a collection that dies between deleting bytes and forgetting them is finished by the next one', async () => {
  await using under = await parts(sqlitePlace)
  const [replica, other] = under.replicas
  await replica.push('a/b', 'one')
  await replica.push('a/b', 'two')
  await under.setHours(2)
  let deleted = 0
  const dying: ObjectStore = {
    ...replica.objects,
    async delete(key) {
      await replica.objects.delete(key)
      if (++deleted === 1) throw new Error('killed')
    },
  }
  await assert.rejects(collectInTurn({ ...replica, objects: dying }, { grace: 0 }), /killed/)
  assert.equal((await collectInTurn(other, { grace: 0 })).objects, 2)
  assert.deepEqual(await objectsIn(under.directory), [])
})

test('one process collects at a time, and the turn of one that died is over after a while', async () => {
  await using under = await parts(sqlitePlace)
  const [replica, other] = under.replicas
  await replica.meta.takeTurn('collection', 'somebody', 120_000)
  await assert.rejects(collectInTurn(other), { code: 'LOCKED' })
  await under.setHours(1)
  await collectInTurn(other)
  await collectInTurn(replica)
})

/** A small generator of numbers, so that a failing sequence can be repeated. */
function seeded(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const postgres = withoutPostgres()
const server = postgres ? undefined : await startPostgres()
after(() => server?.[Symbol.asyncDispose]())

for (const [name, create, skip] of [
  ['SQLite', sqlitePlace, false],
  ['PostgreSQL', () => postgresPlace(server!), postgres],
] as const) {
  test(`${name}: whatever the order of pushes, mounts, deletes and collections of two replicas, a stored manifest never misses a blob`, {
    skip,
  }, async () => {
    await using under = await parts(create)
    const manifests = new Map<string, { repository: string; blobs: Digest[] }>()
    const answers = { stored: 0, refused: 0 }
    let hours = 0
    for (let seed = 1; seed <= 4; seed++) {
      const random = seeded(seed)
      const repositories = ['a', 'b']
      for (let step = 0; step < 120; step++) {
        const replica = under.replicas[random(2)]!
        const { meta } = replica
        const repository = repositories[random(2)]!
        const content = `blob ${random(4)}`
        const digest = digestOf(content)
        switch (random(9)) {
          case 0:
          case 1:
            await replica.push(repository, content)
            break
          case 2:
            await meta.mountBlob(repository, digest, { from: repositories[random(2)]!, lease: HOUR })
            break
          case 3:
            await meta.findBlob(repository, digest, { lease: HOUR })
            break
          case 4:
          case 5: {
            const manifest = imageOf([digest, digestOf(`blob ${random(4)}`)], { seed, repository })
            const objection = await meta.putManifest(repository, manifest)
            answers[objection ? 'refused' : 'stored']++
            const blobs = manifest.blobs.map((one) => one.digest)
            if (!objection) manifests.set(manifest.digest, { repository, blobs })
            break
          }
          case 6: {
            const [first] = manifests
            if (first) {
              await meta.deleteManifest(first[1].repository, first[0] as Digest, 'test')
              manifests.delete(first[0])
            }
            break
          }
          case 7:
            await meta.unlinkBlob(repository, digest)
            break
          case 8:
            hours += random(3) / 4
            await under.setHours(hours)
            await collectInTurn(replica, { grace: random(2) * HOUR })
        }
        await missesNothing(under.replicas[random(2)]!, manifests, `seed ${seed} step ${step}`)
      }
    }
    assert.ok(answers.stored > 20 && answers.refused > 20, `the sequence tries both: ${JSON.stringify(answers)}`)
  })
}

/** A manifest of blobs of six bytes. */
function imageOf(blobs: Digest[], more: object): NewManifest {
  const bytes = Buffer.from(JSON.stringify({ ...more, blobs }))
  const digest = digestOf(bytes)
  return {
    ...{ digest, mediaType: 'x/y', bytes, children: [], tags: [], actor: 'test' },
    descriptor: { mediaType: 'x/y', digest, size: bytes.length },
    blobs: blobs.map((one) => ({ digest: one, size: 6, optional: false })),
  }
}

async function missesNothing(
  { meta, objects }: { meta: MetaStore; objects: ObjectStore },
  manifests: Map<string, { repository: string; blobs: Digest[] }>,
  when: string,
): Promise<void> {
  const needed = [...manifests.values()].flatMap((one) => one.blobs.map((blob) => `${one.repository} ${blob}`))
  for (const [name, digest] of [...new Set(needed)].map((text) => text.split(' ') as [string, Digest])) {
    const found = await meta.findBlob(name, digest)
    assert.ok(found, `${when}: ${digest} is missing in ${name}`)
    const bytes = Buffer.concat(await Array.fromAsync(objects.read(found.key)))
    assert.equal(digestOf(bytes), digest)
  }
}
