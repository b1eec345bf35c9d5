/** What quotas mean to clients. */
import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { openRegistryAdmin } from '#registry'
import { type Answer, sha256, startRegistry, type TestRegistry } from '../../../test/kit/registry-client.ts'

const refusal = (answer: Answer) => {
  const [error] = answer.json<{ errors: { code: string; message: string }[] }>().errors
  return [answer.status, error!.code, error!.message]
}
const used = async ({ registry }: TestRegistry) => (await registry.quotas.list())[0]!.used

test('a push that a quota has no room for is 403 DENIED with the numbers, and leaves nothing behind (A16)', async () => {
  await using registry = await startRegistry({ grace: 0 })
  await registry.registry.quotas.set('team/**', { bytes: 1000 })
  await registry.blob('team/web', 'x'.repeat(900))
  const words = 'the quota of team/** is 1000B: 900B are used, and this needs 101B more'
  const body = 'y'.repeat(101)
  const whole = await registry.request('POST', `/v2/team/app/blobs/uploads/?digest=${sha256(body)}`, { body })
  assert.deepEqual(refusal(whole), [403, 'DENIED', words])
  for (const headers of [{}, { 'Transfer-Encoding': 'chunked' }]) {
    const begun = await registry.request('POST', '/v2/team/app/blobs/uploads/')
    const upload = begun.headers.location!
    assert.deepEqual(refusal(await registry.request('PATCH', upload, { body, headers })), [403, 'DENIED', words])
    assert.equal((await registry.request('GET', upload)).status, 404)
  }
  await registry.blob('free/app', body)
  const mount = `/v2/team/app/blobs/uploads/?mount=${sha256(body)}&from=free/app`
  assert.deepEqual(refusal(await registry.request('POST', mount)), [403, 'DENIED', words])
  assert.deepEqual(await used(registry), { bytes: 900, tags: 0, repositories: 1 })
  await registry.registry.collectGarbage({ grace: 0 })
  assert.equal((await objectsOf(registry)).length, 2)
})

test('what a refused or cancelled upload had is free again; an unfinished one counts with what it brought (A16)', async () => {
  await using registry = await startRegistry()
  await registry.registry.quotas.set('team/**', { bytes: 1000 })
  const begun = await registry.request('POST', '/v2/team/app/blobs/uploads/')
  const upload = begun.headers.location!
  assert.equal((await registry.request('PATCH', upload, { body: 'x'.repeat(600) })).status, 202)
  assert.equal((await used(registry)).bytes, 600)
  const other = 'y'.repeat(401)
  const path = `/v2/team/app/blobs/uploads/?digest=${sha256(other)}`
  assert.equal((await registry.request('POST', path, { body: other })).status, 403)
  assert.equal((await registry.request('PATCH', upload, { body: 'x'.repeat(401) })).status, 403)
  assert.equal((await used(registry)).bytes, 0)
  assert.equal((await registry.request('POST', path, { body: other })).status, 201)
})

test('parallel uploads never exceed a quota that is nearly full (A16)', async () => {
  await using registry = await startRegistry()
  await registry.registry.quotas.set('**', { bytes: 100_000 })
  const bodies = Array.from({ length: 24 }, (_, number) => String(number).padEnd(9_000))
  const answers = await Promise.all(
    bodies.map((body, number) =>
      registry.request('POST', `/v2/r${number % 3}/x/blobs/uploads/?digest=${sha256(body)}`, {
        body,
        headers: number % 2 ? { 'Transfer-Encoding': 'chunked' } : {},
      }),
    ),
  )
  const done = answers.filter(({ status }) => status === 201).length
  assert.ok(done > 0 && done <= 11)
  assert.ok(answers.every(({ status }) => status === 201 || status === 403))
  assert.equal((await used(registry)).bytes, done * 9_000)
})

test('counts that somebody spoilt are told by a check, and mended by one that repairs', async () => {
  await using registry = await startRegistry()
  await registry.image('team/web', 'one', { tag: '1' })
  await registry.image('team/app', 'one', { tag: '1' })
  await registry.registry.quotas.set('team/**', { bytes: 10_000 })
  const right = await used(registry)
  const file = new DatabaseSync(join(registry.directory, 'registry.db'))
  file.exec(
    `INSERT INTO usage_deltas (repository, bytes, tags, repositories) VALUES ('team/web', 9000, 0, -3), ('gone/x', 1, 0, 0)`,
  )
  file.close()
  assert.equal((await used(registry)).bytes, right.bytes + 9000)
  await using admin = await openRegistryAdmin({ directory: registry.directory })
  assert.deepEqual((await admin.check()).miscounted, ['gone/x', 'team/web'])
  assert.deepEqual((await admin.check({ repair: true })).miscounted, ['gone/x', 'team/web'])
  assert.deepEqual((await admin.check()).miscounted, [])
  assert.deepEqual(await used(registry), right)
})

test('scopes that are not counted and limits that are none are refused by name', async () => {
  await using registry = await startRegistry()
  const { quotas } = registry.registry
  const invalid = (message: RegExp) => ({ code: 'INVALID_ARGUMENT', message })
  for (const scope of ['team/*', '*/web', 'te**', 'team/', 'a/**/b', '*']) {
    await assert.rejects(quotas.set(scope, { bytes: 1 }), invalid(/quotas are not counted for /))
  }
  await assert.rejects(quotas.set('Team', { bytes: 1 }), invalid(/not a pattern of repositories: Team/))
  await assert.rejects(quotas.set('team/**', {}), invalid(/no limit is given for team/))
  for (const limit of [-1, 1.5, Number.NaN, 2 ** 60]) {
    await assert.rejects(quotas.set('team/**', { tags: limit }), invalid(/not a limit of tags/))
  }
  await assert.rejects(quotas.remove('team/**'), { code: 'NOT_FOUND', message: /team\/\*\* has no quota/ })
})

async function objectsOf({ directory }: TestRegistry): Promise<string[]> {
  const all = await readdir(join(directory, 'objects'), { recursive: true, withFileTypes: true })
  return all.filter((entry) => entry.isFile()).map(({ name }) => name)
}
