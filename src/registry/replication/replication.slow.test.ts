/** Replication as operators run it: processes by configuration files, other registries, and what happens when some of them die. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import pg from 'pg'
import { type TestBale, testBale } from '../../../test/kit/bale.ts'
import { cuttingProxy } from '../../../test/kit/cutting-proxy.ts'
import { startDockerRegistry, withoutDockerRegistry } from '../../../test/kit/docker-registry.ts'
import { startPostgres, withoutPostgres } from '../../../test/kit/postgres.ts'
import { clientOf, INDEX_TYPE, sha256, startRegistry } from '../../../test/kit/registry-client.ts'
import { type Replica, servedFiles } from '../../../test/kit/replica.ts'
import { until } from '../../../test/kit/until.ts'
import { openConfiguredAdmin, type ReplicationStatus, readConfiguration } from '../index.ts'

const skip = withoutPostgres()
const postgres = skip ? undefined : await startPostgres()
after(() => postgres?.[Symbol.asyncDispose]())

const client = (host: string) => clientOf(host.replace('localhost', '127.0.0.1'))
const head = async (host: string, path: string) => {
  const answer = await client(host).request('HEAD', `/v2/${path}`, { headers: { Accept: `${INDEX_TYPE}, */*` } })
  return answer.status === 200 ? String(answer.headers['docker-content-digest']) : undefined
}

const adminOf = async ({ config }: Replica) =>
  await openConfiguredAdmin(await readConfiguration(config), { environment: {} })

/** An index of two platforms with an SBOM of the first, all in a repository of a registry. */
async function index(host: string, repository: string, tag: string) {
  const { image, request } = client(host)
  const platforms = [await image(repository, `${tag} amd64`), await image(repository, `${tag} arm64`)]
  const manifests = platforms.map(({ descriptor }, at) => ({
    ...descriptor,
    platform: { os: 'linux', architecture: ['amd64', 'arm64'][at] },
  }))
  const body = JSON.stringify({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests })
  const sbom = await image(repository, `${tag} sbom`, { subject: platforms[0]!.descriptor, artifactType: 'x/sbom' })
  const put = await request('PUT', `/v2/${repository}/manifests/${tag}`, {
    headers: { 'Content-Type': INDEX_TYPE },
    body,
  })
  assert.equal(put.status, 201, put.body.toString())
  return { digest: sha256(body), body, platforms, sbom }
}

const password = 'password-of-root'

async function addRoot(bale: TestBale, { config, address }: Replica) {
  const add = ['registry', 'user', 'add', '--config', config, '--admin', '--password-stdin', 'root']
  await bale.run(add, { input: password })
  await bale.run(['login', '-u', 'root', '--password-stdin', address], { input: password })
}

test('a rule with a login in a file replicates to another bale, and an administrator watches and retries it', async () => {
  await using bale = await testBale()
  await using files = await servedFiles()
  const there = await files.replica({ directory: 'there' })
  await there.start()
  await addRoot(bale, there)
  writeFileSync(join(files.directory, 'password'), `${password}\n`, { mode: 0o600 })
  const rule = {
    ...{ name: 'site', direction: 'push', registry: `http://${there.address}`, repositories: ['team/*'], tags: ['v*'] },
    ...{ username: 'root', 'password-file': 'password', 'to-prefix': 'mirror', on: 'push' },
  }
  const here = await files.replica({ directory: 'here', replication: [rule] })
  await here.start()
  await addRoot(bale, here)
  const login = `root:${password}`
  const { image } = clientOf(here.address)
  const one = await image('team/web', 'one', { tag: 'v1', login })
  const got = async (tag: string) => {
    const answer = await clientOf(there.address).request('GET', `/v2/mirror/team/web/manifests/${tag}`, { login })
    return answer.status === 200 ? answer.body.toString() : undefined
  }
  await until('the push is replicated', async () => (await got('v1')) === one.bytes.toString())

  // Away, and back.
  await there.kill()
  const two = await image('team/web', 'two', { tag: 'v2', login })
  const over = (...args: string[]) => bale.try(['registry', 'replication', ...args, '--server', here.address])
  const away = await over('run', '--watch', 'site')
  assert.equal(away.code, 1, away.stdout)
  assert.match(away.stdout, /\d waiting, 0 running, 1 done, 0 failed; .*ECONNREFUSED|refused/)
  assert.match((await over('ls')).stdout, /site +push +team\/\* .* rests until .*: /)
  await there.start()
  const back = await over('retry', 'site')
  assert.match(back.stdout, /^Tasks that are tried again: [12]$/m)
  await until('the second push is replicated', async () => (await got('v2')) === two.bytes.toString())
  const watched = await over('run', '--watch', 'site')
  assert.deepEqual([watched.code, watched.stderr], [0, ''])
  assert.match(watched.stdout, /0 waiting, 0 running, 3 done, 0 failed\n$/)
  const tasks = await bale.run(['registry', 'replication', 'tasks', '--config', here.config, '--state', 'done', 'site'])
  assert.match(tasks, /site +all \(compared\) +done/)
  assert.match(tasks, /site +team\/web:v2 +done +1 +\d+/)
  assert.deepEqual((await over('run', 'none')).code, 1)
  const log = await bale.run(['registry', 'audit', '--config', here.config, '--action', 'replication.*'])
  assert.match(log, /user:root \(127\.0\.0\.1\) replication\.run site/)
})

const withoutDebian = withoutDockerRegistry()

test("an index goes to Debian's docker-registry with its platforms and SBOM; what is there is not sent again", {
  skip: withoutDebian,
}, async () => {
  await using there = await startDockerRegistry()
  const url = `http://${there.host}`
  await using here = await startRegistry({
    replication: [
      { name: 'd', direction: 'push', url, repositories: ['**'], tags: ['v*'], onPush: true, deletes: true },
    ],
  })
  const v1 = await index(here.address, 'a/b', 'v1')
  await until('it is there', async () => (await head(there.host, 'a/b/manifests/v1')) === v1.digest)
  const list = `a/b/manifests/${v1.platforms[0]!.digest.replace(':', '-')}`
  await until('its list of referrers is there', async () => await head(there.host, list))
  const { body } = await client(there.host).request('GET', `/v2/${list}`, { headers: { Accept: INDEX_TYPE } })
  const { manifests } = JSON.parse(body.toString()) as { manifests: { digest: string; artifactType: string }[] }
  assert.deepEqual(
    manifests.map((one) => [one.digest, one.artifactType]),
    [[v1.sbom.digest, 'x/sbom']],
  )
  const stored = await client(there.host).request('GET', `/v2/a/b/manifests/v1`, { headers: { Accept: INDEX_TYPE } })
  assert.equal(stored.body.toString(), v1.body)

  // In another repository of the same registry, its blobs are mounted.
  const before = there.requests().length
  const again = await here.registry.promotions
    .promote('a/b:v1', 'c/d', { referrers: true })
    [Symbol.asyncIterator]()
    .next()
  assert.equal(again.value?.refusal, undefined)
  await until('it is there, too', async () => (await head(there.host, 'c/d/manifests/v1')) === v1.digest)
  const later = there.requests().slice(before)
  assert.ok(later.some((request) => /^POST \/v2\/c\/d\/blobs\/uploads\/\?.*mount=/.test(request)))
  assert.deepEqual(
    later.filter((request) => /^PUT .*\/blobs\//.test(request)),
    [],
  )

  // It deletes manifests alone.
  const deleted = await here.request('DELETE', '/v2/a/b/manifests/v1')
  assert.equal(deleted.status, 202)
  const task = await until('the deletion was refused, or done', async () => {
    if ((await head(there.host, 'a/b/manifests/v1')) === undefined) return 'done'
    const tasks = await Array.fromAsync(here.registry.replications.tasks())
    return tasks.find(({ repository, state }) => repository === 'a/b' && state === 'failed')
  })
  if (task !== 'done') assert.match(task.failure!, /^not deleted: the registry deletes no tag alone: /)
})

test("a rule pulls from Debian's docker-registry all that its catalog lists", { skip: withoutDebian }, async () => {
  await using there = await startDockerRegistry()
  await using filler = await startRegistry({
    replication: [{ name: 'fill', direction: 'push', url: `http://${there.host}`, repositories: ['**'], onPush: true }],
  })
  const pushed = await index(filler.address, 'x/tools', 'v1')
  for (let number = 0; number < 5; number++) await filler.image(`x/n${number}`, `${number}`, { tag: 'v1' })
  await filler.image('z/other', 'other', { tag: 'v1' })
  await until('all are there', async () => {
    const [{ tasks }] = (await filler.registry.replications.list()) as [ReplicationStatus]
    return tasks.waiting + tasks.running === 0
  })
  await using here = await startRegistry({
    replication: [
      {
        ...{ name: 'd', direction: 'pull', url: `http://${there.host}`, repositories: ['x/*'], every: 3_600_000 },
        ...{ stripPrefix: 'x', toPrefix: 'y' },
      },
    ],
  })
  await until('the index is here', async () => (await head(here.address, 'y/tools/manifests/v1')) === pushed.digest)
  for (let number = 0; number < 5; number++) {
    await until(`n${number} is here`, async () => await head(here.address, `y/n${number}/manifests/v1`))
  }
  const got = await here.request('GET', '/v2/y/tools/manifests/v1', { headers: { Accept: INDEX_TYPE } })
  assert.equal(got.body.toString(), pushed.body)
  const { platforms, sbom } = pushed
  const listed = await here.request('GET', `/v2/y/tools/referrers/${platforms[0]!.digest}`)
  assert.deepEqual(
    listed.json<{ manifests: { digest: string }[] }>().manifests.map(({ digest }) => digest),
    [sbom.digest],
  )
  const { tags } = (await here.request('GET', '/v2/y/tools/tags/list')).json<{ tags: string[] }>()
  assert.deepEqual(tags, ['v1'], 'its list of referrers is of no use here')
  const { repositories } = (await here.request('GET', '/v2/_catalog')).json<{ repositories: string[] }>()
  assert.deepEqual(repositories, ['y/n0', 'y/n1', 'y/n2', 'y/n3', 'y/n4', 'y/tools'])
})

test('two replicas share the work; what one had begun when it was killed the other ends, and sends nothing twice', {
  skip,
}, async () => {
  await using there = await startRegistry()
  await using between = await cuttingProxy(`http://${there.address}`)
  await using files = await servedFiles()
  const url = await postgres!.database()
  const rule = { name: 'site', direction: 'push', registry: between.url, repositories: ['**'], on: 'push' }
  const place = {
    ...{ anonymous: 'push', replication: [rule], 'secret-file': 'secret' },
    ...{ metadata: { postgres: { url } }, objects: { directory: 'objects' } },
  }
  const replicas = [await files.replica(place), await files.replica(place)] as const
  for (const replica of replicas) await replica.start()
  await using admin = await adminOf(replicas[0])
  const tasks = () => Array.fromAsync(admin.replications.tasks())
  const digests = new Map<string, string>()
  await Promise.all(
    Array.from({ length: 20 }, async (_, number) => {
      const { digest } = await clientOf(replicas[number % 2]!.address).image(`r/${number % 5}`, `image ${number}`, {
        tag: `t${number}`,
      })
      digests.set(`r/${number % 5}/manifests/t${number}`, digest)
    }),
  )
  await until('all are done', async () => (await tasks()).every(({ state }) => state === 'done'))
  for (const [path, digest] of digests) assert.equal(await head(there.address, path), digest)
  assert.ok((await tasks()).every(({ tries }) => tries === 1))

  const puts = () => between.seen.filter((request) => /^PUT \/v2\/a\/b\/blobs\//.test(request))
  const held = between.add({ method: 'PUT', path: /^\/v2\/a\/b\/blobs\//, first: 1, how: { act: 'hold' } })
  const image = await clientOf(replicas[0].address).image('a/b', 'in the middle', { tag: '1' })
  await until('a blob is on its way', () => held.struck() === 1)
  const database = new pg.Client({ connectionString: url })
  await database.connect()
  try {
    // Either of them has it.
    for (const replica of replicas) await replica.kill()
    await replicas[1].start()
    const [task] = await tasks()
    assert.deepEqual([task!.repository, task!.state, task!.tries], ['a/b', 'running', 1], 'its lease is not over')
    assert.equal(await head(there.address, 'a/b/manifests/1'), undefined)
    await database.query('UPDATE replication_tasks SET due_at = due_at - 30000 WHERE token IS NOT NULL')
    await until('it is there', async () => (await head(there.address, 'a/b/manifests/1')) === image.digest)
  } finally {
    await database.end()
  }
  await until('it is on record', async () => (await tasks())[0]!.state === 'done')
  assert.equal((await tasks())[0]!.tries, 2)
  const sent = puts().map((request) => /sha256(?:%3A|:)(\w+)/.exec(request)![1])
  assert.equal(new Set(sent).size, 2)
  assert.ok(sent.length <= 3, `only what was on its way may have been sent again: ${sent}`)
})
