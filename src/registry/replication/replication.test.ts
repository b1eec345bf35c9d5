import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freePort } from '../../../test/kit/free-port.ts'
import { hookReceiver } from '../../../test/kit/hook-receiver.ts'
import { planServer } from '../../../test/kit/planned-server.ts'
import {
  type Answer,
  INDEX_TYPE,
  MANIFEST_TYPE,
  sha256,
  startRegistry,
  type TestRegistry,
} from '../../../test/kit/registry-client.ts'
import { until } from '../../../test/kit/until.ts'
import type { ServeOptions } from '../serve-watched.ts'
import type { ReplicationSettings } from './index.ts'

type Wanted = Partial<ReplicationSettings>

/** Two registries: a rule of `here` pushes to `there`, or pulls from it. */
async function pair(
  wanted: Wanted = {},
  options: { here?: Partial<ServeOptions>; there?: Partial<ServeOptions> } = {},
) {
  await using opened = new AsyncDisposableStack()
  const reports: string[] = []
  const there = opened.use(await startRegistry(options.there))
  const rule: ReplicationSettings = {
    ...{ name: 'site', direction: 'push', url: `http://${there.address}`, repositories: ['**'] },
    ...(wanted.direction !== 'pull' && { onPush: true }),
    ...wanted,
  }
  const report = (failure: Error, what: string) => void reports.push(`${what}: ${failure.message}`)
  const here = opened.use(await startRegistry({ replication: [rule], report, ...options.here }))
  const parts = opened.move()
  return { here, there, rule, reports, [Symbol.asyncDispose]: () => parts.disposeAsync() }
}

const head = async (registry: TestRegistry, repository: string, reference: string) => {
  const answer = await registry.request('HEAD', `/v2/${repository}/manifests/${reference}`)
  return answer.status === 200 ? String(answer.headers['docker-content-digest']) : undefined
}

const tasksOf = ({ registry }: TestRegistry, filter?: Parameters<typeof registry.replications.tasks>[0]) =>
  Array.fromAsync(registry.replications.tasks(filter))

/** Until a tag is what it is to be. */
const arrived = (registry: TestRegistry, repository: string, tag: string, digest: string | undefined) =>
  until(`${repository}:${tag} is ${digest}`, async () => (await head(registry, repository, tag)) === digest)

/** Until a rule has nothing to do. */
const idle = ({ registry }: TestRegistry) =>
  until('nothing waits or runs', async () =>
    (await registry.replications.list()).every(({ tasks }) => tasks.waiting + tasks.running === 0),
  )

const ok = (answer: Answer, status = 201) => assert.equal(answer.status, status, answer.body.toString())

test('a push is replicated byte for byte, and what became of it is on record', async () => {
  await using under = await pair({ stripPrefix: 'team', toPrefix: 'mirror', repositories: ['team/**'] })
  const { here, there } = under
  const image = await here.image('team/web', 'one', { tag: '1' })
  await here.image('other/web', 'two', { tag: '1' })
  await arrived(there, 'mirror/web', '1', image.digest)
  await idle(here)
  const got = await there.request('GET', '/v2/mirror/web/manifests/1')
  assert.deepEqual(got.body, image.bytes)
  assert.equal(got.headers['content-type'], MANIFEST_TYPE)
  assert.equal((await there.request('GET', `/v2/mirror/web/blobs/${image.layer}`)).body.toString(), 'layer of one')
  const [task, ...others] = await tasksOf(here)
  assert.deepEqual(others, [])
  const { rule, repository, reference, state, tries, digest, blobs } = task!
  assert.deepEqual(
    { rule, repository, reference, state, tries, digest, blobs },
    { rule: 'site', repository: 'team/web', reference: '1', state: 'done', tries: 1, digest: image.digest, blobs: 2 },
  )
  const repositories = await there.request('GET', '/v2/_catalog')
  assert.deepEqual(repositories.json(), { repositories: ['mirror/web'] })
  assert.deepEqual(under.reports, [])
})

/** An index of two platforms, the first of which has an SBOM; it is signed under a tag and by a referrer. */
async function signedIndex(registry: TestRegistry, repository: string, tag: string) {
  const platforms = [await registry.image(repository, 'amd64'), await registry.image(repository, 'arm64')]
  const manifests = platforms.map(({ descriptor }, at) => ({
    ...descriptor,
    platform: { os: 'linux', architecture: ['amd64', 'arm64'][at] },
  }))
  const index = JSON.stringify({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests })
  const sending = { headers: { 'Content-Type': INDEX_TYPE }, body: index }
  const answer = await registry.request('PUT', `/v2/${repository}/manifests/${tag}`, sending)
  ok(answer)
  const digest = String(answer.headers['docker-content-digest'])
  const descriptor = { mediaType: INDEX_TYPE, digest, size: index.length }
  return { digest, descriptor, index, platforms }
}

const referrersOf = async (registry: TestRegistry, repository: string, digest: string) =>
  (await registry.request('GET', `/v2/${repository}/referrers/${digest}`))
    .json<{ manifests: { digest: string; artifactType: string }[] }>()
    .manifests.map((one) => one.digest)

test('an index goes with its platforms, and what refers to any of them, also by a tag, before it or after', async () => {
  await using under = await pair({ tags: ['v*'] })
  const { here, there } = under
  const { digest, descriptor, index, platforms } = await signedIndex(here, 'a/b', 'v1')
  await arrived(there, 'a/b', 'v1', digest)
  const got = await there.request('GET', '/v2/a/b/manifests/v1', { headers: { Accept: INDEX_TYPE } })
  assert.equal(got.body.toString(), index)
  const sbom = await here.image('a/b', 'sbom', { subject: platforms[0]!.descriptor, artifactType: 'x/sbom' })
  const signature = await here.image('a/b', 'signature', { subject: descriptor, artifactType: 'x/signature' })
  const ofSbom = await here.image('a/b', 'signature of sbom', { subject: sbom.descriptor })
  const tagged = await here.image('a/b', 'cosign', { tag: `${digest.replace(':', '-')}.sig` })
  const unwanted = await here.image('a/b', 'other', { tag: 'latest' })
  const about = await here.image('a/b', 'about other', { subject: unwanted.descriptor })
  await here.image('a/b', 'cosign of other', { tag: `${unwanted.digest.replace(':', '-')}.sig` })
  await idle(here)
  assert.deepEqual(await referrersOf(there, 'a/b', platforms[0]!.digest), [sbom.digest])
  assert.deepEqual(await referrersOf(there, 'a/b', digest), [signature.digest])
  assert.deepEqual(await referrersOf(there, 'a/b', sbom.digest), [ofSbom.digest])
  const tags = (await there.request('GET', '/v2/a/b/tags/list')).json<{ tags: string[] }>().tags
  assert.deepEqual(tags, [`${digest.replace(':', '-')}.sig`, 'v1'])
  assert.equal(await head(there, 'a/b', tags[0]!), tagged.digest)
  assert.equal(await head(there, 'a/b', about.digest), undefined)

  // Another tag for all of it brings them from the beginning.
  await there.request('DELETE', `/v2/a/b/manifests/${digest}`)
  const again = { headers: { 'Content-Type': INDEX_TYPE }, body: index }
  ok(await here.request('PUT', '/v2/a/b/manifests/v2', again))
  await arrived(there, 'a/b', 'v2', digest)
  await idle(here)
  assert.deepEqual(await referrersOf(there, 'a/b', digest), [signature.digest])
  const tasks = await tasksOf(here)
  assert.deepEqual(tasks.map(({ reference }) => reference).toSorted(), [tags[0], 'v1', 'v2'])
  assert.deepEqual(under.reports, [])
})

test('without referrers, images alone go', async () => {
  await using under = await pair({ referrers: false })
  const { here, there } = under
  const image = await here.image('a/b', 'one', { tag: '1' })
  const signature = await here.image('a/b', 'signature', { subject: image.descriptor })
  await here.image('a/b', 'two', { tag: '2' })
  await until('the second tag is there', () => head(there, 'a/b', '2'))
  await idle(here)
  assert.equal(await head(there, 'a/b', '1'), image.digest)
  assert.equal(await head(there, 'a/b', signature.digest), undefined)
})

test('what a registry takes it gives: lists of blobs, and configs of any kind', async () => {
  await using under = await pair()
  const { here, there } = under
  const blob = await here.blob('a/cache', 'layer of a build cache')
  const config = await here.blob('a/cache', '{}')
  const list = JSON.stringify({
    schemaVersion: 2,
    mediaType: INDEX_TYPE,
    manifests: [
      { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: blob, size: 22 },
      { mediaType: 'application/vnd.buildkit.cacheconfig.v0', digest: config, size: 2 },
    ],
  })
  const foreign = { mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar', size: 7 }
  const odd = JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: config, size: 2 },
    layers: [
      { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: blob, size: 22 },
      { ...foreign, digest: sha256('not here'), urls: ['https://elsewhere.example/layer'] },
    ],
  })
  const put = (tag: string, type: string, body: string) =>
    here.request('PUT', `/v2/a/cache/manifests/${tag}`, { headers: { 'Content-Type': type }, body })
  ok(await put('list', INDEX_TYPE, list))
  ok(await put('odd', MANIFEST_TYPE, odd))
  await arrived(there, 'a/cache', 'list', sha256(list))
  // The foreign layer is not at the destination, which takes the manifest all the same.
  await arrived(there, 'a/cache', 'odd', sha256(odd))
  assert.equal((await there.request('GET', `/v2/a/cache/blobs/${blob}`)).body.toString(), 'layer of a build cache')
})

test('a deletion follows where the rule says so, but for what somebody else has put there', async () => {
  await using under = await pair({ deletes: true })
  const { here, there } = under
  const image = await here.image('a/b', 'one', { tag: '1' })
  await here.image('a/b', 'one', { tag: 'same' })
  await here.image('a/b', 'two', { tag: '2' })
  await idle(here)
  const own = await there.image('a/b', 'their own', { tag: '2' })
  for (const tag of ['1', '2']) ok(await here.request('DELETE', `/v2/a/b/manifests/${tag}`), 202)
  await arrived(there, 'a/b', '1', undefined)
  await idle(here)
  assert.equal(await head(there, 'a/b', 'same'), image.digest)
  assert.equal(await head(there, 'a/b', '2'), own.digest)
  const [failed] = await tasksOf(here, { state: 'failed' })
  assert.match(failed!.failure!, /^not deleted: 2 is sha256:\w+ there, and not what was replicated$/)
  assert.deepEqual(
    (await tasksOf(here)).map(({ reference, state }) => [reference, state]),
    [
      ['2', 'failed'],
      ['same', 'done'],
    ],
  )
})

test('a deletion does not follow by default, and is forgotten', async () => {
  await using under = await pair()
  const { here, there } = under
  const image = await here.image('a/b', 'one', { tag: '1' })
  await idle(here)
  ok(await here.request('DELETE', '/v2/a/b/manifests/1'), 202)
  await idle(here)
  assert.deepEqual(await tasksOf(here), [])
  assert.equal(await head(there, 'a/b', '1'), image.digest)
})

test('a storm of pushes of one tag is one task, and the last push is what arrives', async () => {
  await using under = await pair()
  const { here, there } = under
  let seen = 0
  let last = ''
  for (let number = 0; number < 40; number++) {
    last = (await here.image('a/b', `push ${number}`, { tag: 'latest' })).digest
    seen = Math.max(seen, (await tasksOf(here)).length)
  }
  await arrived(there, 'a/b', 'latest', last)
  await idle(here)
  assert.equal(seen, 1)
  const [task, ...others] = await tasksOf(here)
  assert.deepEqual([task!.state, task!.digest, others.length], ['done', last, 0])
})

test('two registries that push to each other come to rest', async () => {
  const port = await freePort()
  const back: ReplicationSettings = {
    ...{ name: 'back', direction: 'push', url: `http://127.0.0.1:${port}`, repositories: ['**'], onPush: true },
  }
  await using under = await pair({}, { here: { port }, there: { replication: [back] } })
  const { here, there } = under
  const image = await here.image('a/b', 'one', { tag: '1' })
  await arrived(there, 'a/b', '1', image.digest)
  await until('the way back is done', async () => {
    const [task] = await tasksOf(there)
    return task?.state === 'done' && task.bytes === 0
  })
  await idle(here)
  const other = await there.image('a/b', 'two', { tag: '1' })
  await arrived(here, 'a/b', '1', other.digest)
  await idle(here)
  await idle(there)
  assert.equal((await here.registry.tags.history('a/b', '1')).length, 2)
})

test('a destination that is away is left alone and not blamed on the tag; what waited goes when it is back', async () => {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const rule = { name: 'site', direction: 'push', url, repositories: ['**'], onPush: true } as const
  await using here = await startRegistry({ replication: [rule] })
  const image = await here.image('a/b', 'one', { tag: '1' })
  const [resting] = await until('the rule rests', async () => {
    const rules = await here.registry.replications.list()
    return rules[0]!.restsUntil !== undefined && rules
  })
  assert.match(resting!.failure!, /127\.0\.0\.1:\d+/)
  assert.ok(resting!.restsUntil! > Date.now() && resting!.restsUntil! < Date.now() + 60_000)
  const second = await here.image('c/d', 'two', { tag: '1' })
  await using there = await startRegistry({ port })
  assert.deepEqual((await here.registry.replications.list())[0]!.tasks, {
    waiting: 2,
    due: 1,
    running: 0,
    done: 0,
    failed: 0,
  })
  assert.equal(await here.registry.replications.retry({ rule: 'site' }), 1)
  await arrived(there, 'a/b', '1', image.digest)
  await arrived(there, 'c/d', '1', second.digest)
  await idle(here)
  const [status] = await here.registry.replications.list()
  assert.deepEqual([status!.restsUntil, status!.failure, status!.tasks.done], [undefined, undefined, 2])
})

test('what the destination refuses waits long, tells why, and holds up nothing else', async () => {
  await using under = await pair()
  const { here, there } = under
  await there.registry.policies.immutable('a/b', '1')
  const first = await here.image('a/b', 'one', { tag: '1' })
  await arrived(there, 'a/b', '1', first.digest)
  await here.image('a/b', 'two', { tag: '1' })
  const other = await here.image('a/b', 'three', { tag: '2' })
  await arrived(there, 'a/b', '2', other.digest)
  const task = await until('it was refused', async () => {
    const tasks = await tasksOf(here)
    return tasks.find(({ reference, failure }) => reference === '1' && failure !== undefined)
  })
  assert.deepEqual([task.state, task.tries, task.digest], ['waiting', 1, first.digest])
  assert.match(task.failure!, /refused manifest for 127\.0\.0\.1:\d+\/a\/b:1 with status 412: .*immutable/)
  assert.ok(task.dueAt > Date.now() + 30_000, 'it is not tried again soon')
  assert.equal(await head(there, 'a/b', '1'), first.digest)
  assert.match(under.reports[0]!, /^replication site: .* status 412/)
})

test('a login that is not accepted is told in words, and not tried for each tag', async () => {
  const login = { username: 'ann', password: 'not the password' }
  await using under = await pair({ login }, { there: { anonymous: 'none' } })
  const { here } = under
  await here.image('a/b', 'one', { tag: '1' })
  const [rule] = await until('the rule rests', async () => {
    const rules = await here.registry.replications.list()
    return rules[0]!.restsUntil !== undefined && rules
  })
  assert.match(rule!.failure!, /refused the login for a\/b: incorrect username or password/)
  assert.ok(rule!.restsUntil! > Date.now() + 30_000)
  await here.image('c/d', 'one', { tag: '1' })
  await idleButWaiting(here)
  const tries = (await tasksOf(here)).map((task) => task.tries)
  assert.deepEqual(tries, [0, 1])
})

const idleButWaiting = ({ registry }: TestRegistry) =>
  until('nothing runs', async () => (await registry.replications.list()).every(({ tasks }) => tasks.running === 0))

test('a rule pulls named repositories, and those of a pattern, into other names; the change is its own', async () => {
  await using under = await pair(
    {
      ...{ direction: 'pull', repositories: ['tools/*', 'base/debian'], tags: ['v*'], every: 3_600_000 },
      ...{ toPrefix: 'mirror', login: { username: 'reader', password: 'password-of-reader' } },
      ...{ name: 'tools' },
    },
    { there: { anonymous: 'none' }, here: { hooks: { allowAddresses: ['127.0.0.1'] } } },
  )
  const { here, there } = under
  await there.registry.users.add('ann', 'password-of-ann', { admin: true })
  const sending = { login: 'ann:password-of-ann' }
  await there.registry.users.add('reader', 'password-of-reader', { admin: true })
  const one = await there.image('tools/one', 'one', { tag: 'v1', ...sending })
  const two = await there.image('tools/two', 'two', { tag: 'v2', ...sending })
  const base = await there.image('base/debian', 'base', { tag: 'v12', ...sending })
  await there.image('base/alpine', 'not named', { tag: 'v3', ...sending })
  await there.image('tools/one', 'not wanted', { tag: 'latest', ...sending })
  const signature = await there.image('tools/one', 'signature', { subject: one.descriptor, ...sending })
  await using receiver = await hookReceiver()
  await here.registry.hooks.add('ci', { url: receiver.url, events: ['tag.*'] })
  await here.registry.replications.run('tools')
  await arrived(here, 'mirror/tools/one', 'v1', one.digest)
  await arrived(here, 'mirror/tools/two', 'v2', two.digest)
  await arrived(here, 'mirror/base/debian', 'v12', base.digest)
  await idle(here)
  assert.deepEqual(await referrersOf(here, 'mirror/tools/one', one.digest), [signature.digest])
  assert.deepEqual((await here.request('GET', '/v2/_catalog')).json(), {
    repositories: ['mirror/base/debian', 'mirror/tools/one', 'mirror/tools/two'],
  })
  const [line] = await Array.fromAsync(here.registry.audit.entries({ target: 'mirror/tools/two:v2' }))
  assert.deepEqual([line!.actor, line!.action, line!.detail], ['replication:tools', 'tag.set', two.digest])
  await until('the hook is told', () => receiver.told().length === 3)
  assert.deepEqual(receiver.told().toSorted(), [
    'tag.set mirror/base/debian:v12',
    'tag.set mirror/tools/one:v1',
    'tag.set mirror/tools/two:v2',
  ])
  const [run] = await Array.fromAsync(here.registry.audit.entries({ action: 'replication.*' }))
  assert.deepEqual([run!.actor, run!.action, run!.target], ['operator', 'replication.run', 'tools'])

  // What moves follows; what is there is not fetched again.
  const moved = await there.image('tools/one', 'one again', { tag: 'v1', ...sending })
  await here.registry.replications.run('tools')
  await arrived(here, 'mirror/tools/one', 'v1', moved.digest)
  await idle(here)
  const bytes = new Map((await tasksOf(here)).map((task) => [task.repository + task.reference, task.bytes]))
  assert.equal(bytes.get('tools/twov2'), 0)
  assert.ok(bytes.get('tools/onev1')! > 0)
  assert.deepEqual(under.reports, [])
})

test('what a rule pulls is judged as a push: a refusal tells why and is not tried again soon', async () => {
  await using under = await pair({ direction: 'pull', repositories: ['a/b', 'a/gone', 'c/d', 'e/f'] })
  const { here, there } = under
  const kept = await here.image('a/b', 'ours', { tag: '1' })
  await here.registry.policies.immutable('a/b', '1')
  await here.registry.policies.types('c/d', { allow: ['application/vnd.example.chart'] })
  await here.registry.quotas.set('e/f', { bytes: 10 })
  for (const repository of ['a/b', 'c/d', 'e/f']) await there.image(repository, 'theirs', { tag: '1' })
  await here.registry.replications.run('site')
  await until('all were refused', async () => (await tasksOf(here)).filter(({ failure }) => failure).length === 4)
  await idleButWaiting(here)
  const failures = new Map((await tasksOf(here)).map((task) => [task.repository, task]))
  assert.match(failures.get('a/b')!.failure!, /immutable/)
  assert.match(failures.get('c/d')!.failure!, /policy \d+ of c\/d does not allow the media type/)
  assert.match(failures.get('e/f')!.failure!, /quota/)
  assert.match(failures.get('')!.failure!, /tags of 127\.0\.0\.1:\d+\/a\/gone not found/)
  for (const { state, tries, dueAt } of failures.values()) {
    assert.deepEqual([state, tries, dueAt > Date.now() + 30_000], ['waiting', 1, true])
  }
  assert.equal(await head(here, 'a/b', '1'), kept.digest)
})

test('a registry that lists no repositories to a rule with a pattern is told in words', async () => {
  await using under = await pair({ direction: 'pull', repositories: ['a/**'] }, { there: { anonymous: 'none' } })
  const { here } = under
  await here.registry.replications.run('site')
  const [task] = await until('it failed', async () => {
    const tasks = await tasksOf(here)
    return tasks[0]?.failure !== undefined && tasks
  })
  assert.match(task!.failure!, /^the registry does not list its repositories: /)
})

test('a deletion at the source of a pull follows where the rule says so, but for a repository that is no longer shown', async () => {
  const login = { username: 'reader', password: 'password-of-reader' }
  await using under = await pair(
    { direction: 'pull', repositories: ['a/b', 'c/d'], deletes: true, login },
    { there: { anonymous: 'none' } },
  )
  const { here, there } = under
  await there.registry.users.add('ann', 'password-of-ann', { admin: true })
  await there.registry.users.add('reader', 'password-of-reader')
  for (const repository of ['a/b', 'c/d']) await there.registry.users.grant('reader', repository, 'read')
  const sending = { login: 'ann:password-of-ann' }
  for (const tag of ['1', '2', '3']) await there.image('a/b', tag, { tag, ...sending })
  const hidden = await there.image('c/d', 'hidden', { tag: '1', ...sending })
  await here.registry.replications.run('site')
  await until('all are here', async () => (await tasksOf(here, { state: 'done' })).length === 5)
  const own = await here.image('a/b', 'set here', { tag: '2' })
  for (const tag of ['1', '2']) ok(await there.request('DELETE', `/v2/a/b/manifests/${tag}`, sending), 202)
  await there.registry.users.revoke('reader', 'c/d')
  await here.registry.replications.run('site')
  await arrived(here, 'a/b', '1', undefined)
  await until('the repository was missed', async () =>
    (await tasksOf(here)).some(({ reference, failure }) => reference === '' && failure !== undefined),
  )
  await idleButWaiting(here)
  assert.ok(await head(here, 'a/b', '3'))
  assert.equal(await head(here, 'a/b', '2'), own.digest, 'it was set here')
  assert.equal(await head(here, 'c/d', '1'), hidden.digest, 'it may be there still')
  const [line] = await Array.fromAsync(here.registry.audit.entries({ action: 'tag.delete' }))
  assert.deepEqual([line!.actor, line!.target], ['replication:site', 'a/b:1'])
})

test('a registry that asks to wait is left alone for so long', async () => {
  await using busy = await planServer((_request, response) =>
    response.writeHead(429, { 'retry-after': '1800', 'content-type': 'text/plain' }).end('later'),
  )
  await using here = await startRegistry({
    replication: [{ name: 'busy', direction: 'push', url: busy.url, repositories: ['**'], onPush: true }],
  })
  await here.image('a/b', 'one', { tag: '1' })
  await here.image('c/d', 'one', { tag: '1' })
  const rule = await until('the rule rests', async () => {
    const [one] = await here.registry.replications.list()
    return one!.restsUntil !== undefined && one
  })
  const rest = rule.restsUntil! - Date.now()
  assert.ok(rest > 1_700_000 && rest <= 1_800_000, `${rest}`)
  assert.match(rule.failure!, /asks to retry later/)
})
