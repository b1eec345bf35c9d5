/** What policies mean to clients. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Answer, MANIFEST_TYPE, startRegistry } from '../../../test/kit/registry-client.ts'

const refusal = (answer: Answer) => {
  const [error] = answer.json<{ errors: { code: string; message: string }[] }>().errors
  return [answer.status, error!.code, error!.message]
}

test('an immutable tag is pushed once; other bytes, its deletion and that of its manifest are 412 DENIED', async () => {
  await using registry = await startRegistry()
  const id = await registry.registry.policies.immutable('team/*', 'v*', { except: ['v0*'] })
  const words = `tag v1 of team/web is immutable: policy ${id} protects v* in team/*`
  const one = await registry.image('team/web', 'one', { tag: 'v1' })
  const again = await registry.image('team/web', 'one', { tag: 'v1' })
  assert.deepEqual([one.answer.status, again.answer.status], [201, 201])
  const two = await registry.image('team/web', 'two', { tag: 'v1' })
  assert.deepEqual(refusal(two.answer), [412, 'DENIED', words])
  const head = await registry.request('HEAD', '/v2/team/web/manifests/v1')
  assert.equal(head.headers['docker-content-digest'], one.digest)
  assert.equal((await registry.request('HEAD', `/v2/team/web/manifests/${two.digest}`)).status, 404)
  for (const reference of ['v1', one.digest]) {
    assert.deepEqual(refusal(await registry.request('DELETE', `/v2/team/web/manifests/${reference}`)), [
      412,
      'DENIED',
      words,
    ])
  }
  const byDigest = await registry.request('PUT', `/v2/team/web/manifests/${two.digest}?tag=x&tag=v1`, {
    headers: { 'Content-Type': MANIFEST_TYPE },
    body: two.bytes,
  })
  assert.deepEqual(refusal(byDigest), [412, 'DENIED', words])
  assert.equal((await registry.request('HEAD', '/v2/team/web/manifests/x')).status, 404, 'no tag of it is set')
  for (const tag of ['v0.1', 'latest']) {
    await registry.image('team/web', 'one', { tag })
    assert.equal((await registry.image('team/web', 'two', { tag })).answer.status, 201)
    assert.equal((await registry.request('DELETE', `/v2/team/web/manifests/${tag}`)).status, 202)
  }
  await registry.registry.policies.remove(id)
  assert.equal((await registry.image('team/web', 'two', { tag: 'v1' })).answer.status, 201)
})

test('patterns that are none, and policies that are not there, are refused by name', async () => {
  await using registry = await startRegistry()
  const { policies } = registry.registry
  const invalid = (message: RegExp) => ({ code: 'INVALID_ARGUMENT', message })
  await assert.rejects(policies.immutable('Team', 'v*'), invalid(/not a pattern of repositories: Team/))
  for (const glob of ['', 'a/b', '**', 'v[0-9]', 'x'.repeat(129), '*-'.repeat(9)]) {
    await assert.rejects(policies.immutable('team', glob), invalid(/not a pattern of tags: /))
    await assert.rejects(policies.immutable('team', '*', { except: [glob] }), invalid(/not a pattern of tags: /))
  }
  await assert.rejects(policies.keep('Team', { last: 1 }), invalid(/not a pattern of repositories: Team/))
  await assert.rejects(policies.keep('team', { tags: ['a/b'] }), invalid(/not a pattern of tags: a\/b/))
  await assert.rejects(policies.keep('team', {}), invalid(/would keep no tags at all/))
  for (const number of [0, -1, 1.5, Number.NaN, Infinity]) {
    await assert.rejects(policies.keep('team', { last: number }), invalid(/not a number of tags to keep/))
    await assert.rejects(policies.keep('team', { within: number }), invalid(/not a period to keep tags for/))
  }
  await assert.rejects(policies.remove(7), { code: 'NOT_FOUND', message: /there is no policy 7/ })
  assert.deepEqual(await policies.list(), [])
})

test('a deleted tag is set back to a digest of its history, which names who changed it', async () => {
  await using registry = await startRegistry()
  const { tags } = registry.registry
  const one = await registry.image('a/b', 'one', { tag: 'latest' })
  const two = await registry.image('a/b', 'two', { tag: 'latest' })
  await registry.request('DELETE', '/v2/a/b/manifests/latest')
  await tags.restore('a/b', 'latest', one.digest)
  const head = await registry.request('HEAD', '/v2/a/b/manifests/latest')
  assert.deepEqual([head.status, head.headers['docker-content-digest']], [200, one.digest])
  await registry.request('DELETE', `/v2/a/b/manifests/${two.digest}`)
  const history = await tags.history('a/b', 'latest')
  assert.deepEqual(
    history.map(({ digest, actor, there }) => [digest, actor, there]),
    [
      [one.digest, 'operator', true],
      [undefined, 'anonymous', false],
      [two.digest, 'anonymous', false],
      [one.digest, 'anonymous', true],
    ],
  )
  const older = await tags.history('a/b', 'latest', { before: history[1]!.id, limit: 1 })
  assert.deepEqual(older, [history[2]])
  await assert.rejects(tags.restore('a/b', 'latest', two.digest), { code: 'MANIFEST_NOT_FOUND' })
  await assert.rejects(tags.restore('a/b', 'other', one.digest), { code: 'NOT_FOUND' })
  await assert.rejects(tags.restore('a/b', 'latest', 'sha256:x'), { code: 'INVALID_DIGEST' })
  await assert.rejects(tags.history('a/b', '../x'), { code: 'INVALID_REFERENCE' })
})

test('media types and bases that policies do not admit are 412 DENIED in their words; what is there already stays', async () => {
  await using registry = await startRegistry()
  const { policies } = registry.registry
  const base = await registry.image('base/os', 'os', { tag: '1' })
  const before = await registry.image('team/web', 'before', { tag: '1' })
  const types = await policies.types('team/*', { block: ['text/*'] })
  const bases = await policies.base('team/*', { allow: ['base/os:1'] })
  const artifact = await registry.image('team/web', 'os', { tag: 'about', artifactType: 'text/plain' })
  assert.deepEqual(refusal(artifact.answer), [
    412,
    'DENIED',
    `policy ${types} of team/* blocks the media type text/plain`,
  ])
  const other = await registry.image('team/web', 'other', { tag: '2' })
  assert.deepEqual(refusal(other.answer), [
    412,
    'DENIED',
    `policy ${bases} of team/* allows images based on base/os:1 alone`,
  ])
  assert.equal((await registry.image('team/web', 'os', { tag: '2' })).answer.status, 201)
  assert.equal((await registry.request('GET', `/v2/team/web/manifests/${before.digest}`)).status, 200)
  assert.equal(base.answer.status, 201)
})

test('policies about content that are empty or name something invalid are refused by name', async () => {
  await using registry = await startRegistry()
  const { policies } = registry.registry
  const invalid = (message: RegExp) => ({ code: 'INVALID_ARGUMENT', message })
  await assert.rejects(policies.types('Team', { block: ['a/b'] }), invalid(/not a pattern of repositories: Team/))
  await assert.rejects(policies.types('team', {}), invalid(/would neither allow nor block anything/))
  await assert.rejects(policies.base('team', {}), invalid(/would neither allow nor block anything/))
  for (const type of ['', 'a b', '**', '*/'.repeat(9)]) {
    await assert.rejects(policies.types('team', { allow: [type] }), invalid(/not a pattern of media types: /))
  }
  await assert.rejects(policies.base('team', { allow: ['base/os'] }), { code: 'INVALID_REFERENCE' })
  await assert.rejects(policies.base('team', { block: ['base/os:1'] }), { code: 'MANIFEST_NOT_FOUND' })
  assert.deepEqual(await policies.list(), [])
})
