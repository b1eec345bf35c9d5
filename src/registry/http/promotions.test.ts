/** Promotion as a client sees it afterwards. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startRegistry, type TestRegistry } from '../../../test/kit/registry-client.ts'

async function promote({ registry }: TestRegistry, source: string, target: string, how = {}): Promise<string[]> {
  const lines: string[] = []
  for await (const one of registry.promotions.promote(source, target, how)) {
    const what = one.refusal?.code ?? (one.promoted!.changed ? 'copied' : 'there')
    lines.push(`${one.source} ${one.target} ${what}`)
  }
  return lines
}

test('tags that match, of all repositories below, are promoted under the same names, each by itself', async () => {
  await using registry = await startRegistry()
  for (const [repository, tag] of [
    ['team/web', 'v1'],
    ['team/web', 'v2'],
    ['team/web', 'dev'],
    ['team/a/b', 'v1'],
  ] as const) {
    await registry.image(repository, `${repository} ${tag}`, { tag })
  }
  await registry.image('prod/web', 'other', { tag: 'v2' })
  await registry.registry.policies.immutable('prod/**', '*')
  const all = [
    'team/a/b:v1 prod/a/b:v1 copied',
    'team/web:v1 prod/web:v1 copied',
    'team/web:v2 prod/web:v2 TAG_IMMUTABLE',
  ]
  assert.deepEqual(await promote(registry, 'team/**:v*', 'prod/**', { dryRun: true }), all)
  assert.equal((await registry.request('GET', '/v2/prod/web/manifests/v1')).status, 404)
  assert.deepEqual(await promote(registry, 'team/*:v*', 'prod/*'), all.slice(1))
  assert.deepEqual(await promote(registry, 'team/**:v1', 'prod/**'), [all[0], 'team/web:v1 prod/web:v1 there'])
  const there = await registry.request('GET', '/v2/prod/web/manifests/v1')
  const { layers } = there.json<{ layers: { digest: string }[] }>()
  const layer = await registry.request('GET', `/v2/prod/web/blobs/${layers[0]!.digest}`)
  assert.equal(layer.body.toString(), 'layer of team/web v1')
  assert.deepEqual(await promote(registry, 'team/web:dev', 'team/web:stable'), ['team/web:dev team/web:stable copied'])
  const digest = there.headers['docker-content-digest']
  assert.deepEqual(await promote(registry, `team/web@${digest}`, 'free'), [`team/web@${digest} free copied`])
})

test('meaningless sources and targets, and missing sources, are refused by name', async () => {
  await using registry = await startRegistry()
  for (const [source, target] of [
    ['team/web', 'prod/web'],
    ['team/*:v1', 'prod/web'],
    ['team/**:v1', 'prod/*'],
    ['*/web:v1', '*/app'],
    ['team/web:v*', 'prod/web:v1'],
    ['team/web:1', 'Prod/web'],
    ['team/web@sha256:x', 'prod/web'],
    ['te*:1', 'pr*'],
  ] as const) {
    await assert.rejects(promote(registry, source, target), { code: 'INVALID_REFERENCE', message: /^cannot promote / })
  }
  for (const source of ['team/web:1', 'team/web:v*', 'team/*:1']) {
    const target = source.includes('/*') ? 'prod/*' : 'prod/web'
    await assert.rejects(promote(registry, source, target), { code: 'MANIFEST_NOT_FOUND' })
  }
})
