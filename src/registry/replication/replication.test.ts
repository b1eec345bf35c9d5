import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Answer,
  INDEX_TYPE,
  MANIFEST_TYPE,
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
  const [task, ...others] = await here.registry.replications.tasks()
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
