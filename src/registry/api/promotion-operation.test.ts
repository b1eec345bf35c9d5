/** Promotions by HTTP: judged as pulls and pushes of the caller, image by image. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startRegistry } from '../../../test/kit/registry-client.ts'

const ROOT = 'root:password-of-root'
const ANN = 'ann:password-of-ann'

interface Told {
  source: string
  target: string
  promoted?: { digest: string; changed: boolean; bytes: number }
  refusal?: { code: string; detail: string }
}

async function company() {
  const registry = await startRegistry({ anonymous: 'none' })
  const { users } = registry.registry
  await users.add('root', 'password-of-root', { admin: true })
  await users.add('ann', 'password-of-ann')
  const promote = async (login: string, body: object, query = '') => {
    const answer = await registry.request('POST', `/api/v1/promotions${query}`, {
      login,
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    })
    const {
      items = [],
      next,
      code,
      detail,
    } = answer.json<{ items?: Told[]; next?: string; code?: string; detail?: string }>()
    const words = items.map(({ source, target, refusal }) => `${source} ${target} ${refusal?.code ?? 'promoted'}`)
    return { status: answer.status, items, words, next, code, detail }
  }
  return { ...registry, promote }
}

test('one image is promoted by who may pull it and push there, and judged as its push', async () => {
  await using registry = await company()
  const { promote } = registry
  const { users, policies, quotas, accessTokens } = registry.registry
  const { digest } = await registry.image('team/web', 'one', { tag: 'v1', login: ROOT })
  const refused = { status: 403, code: 'DENIED' }
  const denied = async (login: string, source: string, target: string) => {
    const { status, code, detail } = await promote(login, { source, target })
    assert.deepEqual({ status, code }, refused, `${source} ${target}`)
    return detail
  }
  const details = new Set([
    await denied(ANN, 'team/web:v1', 'ann/web'),
    await denied(ANN, 'team/none:v1', 'ann/web'),
    await denied(ANN, 'ann/none:v1', 'team/web'),
    await denied(ANN, `team/web@${digest}`, 'ann/web'),
  ])
  assert.equal(details.size, 1)
  await users.grant('ann', 'team/web', 'read')
  const [one] = (await promote(ANN, { source: 'team/web:v1', target: 'ann/web' })).items
  assert.deepEqual(
    [one!.source, one!.target, one!.promoted!.digest, one!.promoted!.changed],
    ['team/web:v1', 'ann/web:v1', digest, true],
  )
  const [again] = (await promote(ANN, { source: 'team/web:v1', target: 'ann/web' })).items
  assert.equal(again!.promoted!.changed, false)
  await denied(ANN, 'ann/web:v1', 'team/web:v2')
  const missing = await promote(ANN, { source: 'team/web:none', target: 'ann/web' })
  assert.deepEqual([missing.status, missing.code], [404, 'MANIFEST_NOT_FOUND'])
  const secret = await accessTokens.add('ann', 'narrow', { role: 'write', pattern: 'ann/**' })
  await denied(`ann:${secret}`, 'team/web:v1', 'ann/web')
  assert.deepEqual((await promote(`ann:${secret}`, { source: 'ann/web:v1', target: 'ann/site' })).words, [
    'ann/web:v1 ann/site:v1 promoted',
  ])
  const reader = await accessTokens.add('ann', 'reader', { role: 'read' })
  await denied(`ann:${reader}`, 'ann/web:v1', 'ann/other')
  const two = await registry.image('ann/new', 'two', { tag: 'v1', login: ROOT })
  await policies.immutable('ann/web', 'v*')
  const source = `ann/new@${two.digest}`
  assert.deepEqual((await promote(ANN, { source, target: 'ann/web:v1' })).words, [`${source} ann/web:v1 TAG_IMMUTABLE`])
  await policies.types('ann/typed', { block: ['*'] })
  assert.deepEqual((await promote(ANN, { source, target: 'ann/typed:x' })).words, [
    `${source} ann/typed:x POLICY_VIOLATED`,
  ])
  await policies.base('ann/based', { allow: ['team/web:v1'] })
  assert.deepEqual((await promote(ANN, { source, target: 'ann/based:x' })).words, [
    `${source} ann/based:x POLICY_VIOLATED`,
  ])
  await quotas.set('ann/full', { bytes: 1 })
  const full = (await promote(ANN, { source, target: 'ann/full:x' })).items[0]!.refusal!
  assert.equal(full.code, 'QUOTA_EXCEEDED')
  assert.match(full.detail, /^the quota of ann\/full is 1B/)
  const line = (
    await registry.request('GET', '/api/v1/audit?action=image.promote&target=ann/site', { login: ROOT })
  ).json<{
    items: object[]
  }>().items
  assert.deepEqual(
    line.map((entry) => ({ ...entry, id: 0, at: 0 })),
    [
      {
        id: 0,
        at: 0,
        actor: 'user:ann',
        address: '127.0.0.1',
        action: 'image.promote',
        target: 'ann/site',
        outcome: 'done',
        detail: `ann/web@${digest}`,
      },
    ],
  )
  await promote(ANN, { source, target: 'ann/full:dry', dryRun: true })
  const refusals = (
    await registry.request('GET', '/api/v1/audit?action=image.promote&outcome=refused', { login: ROOT })
  ).json<{ items: { actor: string; address: string; target: string; detail: string }[] }>().items
  assert.deepEqual(
    refusals.map(({ actor, address, target, detail }) => [actor, address, target, detail.split(': ')[1]]),
    [
      ['user:ann', '127.0.0.1', 'ann/full:x', 'QUOTA_EXCEEDED'],
      ['user:ann', '127.0.0.1', 'ann/based:x', 'POLICY_VIOLATED'],
      ['user:ann', '127.0.0.1', 'ann/typed:x', 'POLICY_VIOLATED'],
      ['user:ann', '127.0.0.1', 'ann/web:v1', 'TAG_IMMUTABLE'],
    ],
    'what a dry run says is no refusal',
  )
  const bearer = (await registry.request('GET', '/token?scope=registry:api:*', { login: ANN })).json<{
    token: string
  }>().token
  const answer = await registry.request('POST', '/api/v1/promotions', {
    token: bearer,
    body: JSON.stringify({ source: 'ann/web:v1', target: 'ann/by-token' }),
    headers: { 'content-type': 'application/json' },
  })
  assert.equal(answer.status, 200)
})

test('of many images, those that the caller may not pull are not there, and those it may not push are refused; pages go on', async () => {
  await using registry = await company()
  const { promote } = registry
  const { users } = registry.registry
  for (const name of ['a', 'b', 'secret', 'z']) {
    for (const tag of ['v1', 'v2', 'x']) await registry.image(`team/${name}`, name + tag, { tag, login: ROOT })
  }
  for (const name of ['a', 'b', 'z']) await users.grant('ann', `team/${name}`, 'read')
  for (const name of ['a', 'secret', 'z']) await users.grant('ann', `prod/${name}`, 'write')
  const all = { source: 'team/*:v*', target: 'prod/*' }
  const expected = [
    'team/a:v1 prod/a:v1 promoted',
    'team/a:v2 prod/a:v2 promoted',
    'team/b:v1 prod/b:v1 DENIED',
    'team/b:v2 prod/b:v2 DENIED',
    'team/z:v1 prod/z:v1 promoted',
    'team/z:v2 prod/z:v2 promoted',
  ]
  assert.deepEqual((await promote(ANN, { ...all, dryRun: true })).words, expected)
  for (const limit of [1, 2, 4]) {
    const words: string[] = []
    for (let next: string | undefined = '', pages = 0; next !== undefined; pages++) {
      assert.ok(pages < 9)
      const page = await promote(ANN, all, `?limit=${limit}${next === '' ? '' : `&after=${encodeURIComponent(next)}`}`)
      assert.equal(page.status, 200)
      words.push(...page.words)
      next = page.next
    }
    assert.deepEqual(words, expected, `${limit} at once`)
  }
  for (const [query, words] of [
    ['?after=team/secret:v1', expected.slice(4)],
    ['?after=other/x:v1', expected],
    ['?after=zzz/x:v1', []],
  ] as const) {
    const { status, words: found } = await promote(ANN, all, query)
    assert.deepEqual([status, found], [200, words], query)
  }
  const single = { source: 'team/a:v1', target: 'prod/a' }
  assert.deepEqual((await promote(ANN, single, '?limit=1')).next, 'team/a:v1')
  assert.deepEqual((await promote(ANN, single, '?after=team/a:v1')).words, [], 'it is done')
  assert.equal((await promote(ANN, all, '?after=x')).code, 'INVALID_REFERENCE')
  assert.equal((await promote(ANN, { source: 'team/**:*', target: 'team/all/**' })).code, 'INVALID_REFERENCE')
  const none = await promote(ANN, { source: 'secret/*:v*', target: 'prod/*' })
  assert.deepEqual([none.status, none.code], [404, 'MANIFEST_NOT_FOUND'])
})
