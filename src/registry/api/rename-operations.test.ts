/** Renames by HTTP: whose they are, and what they must not get around. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startRegistry } from '../../../test/kit/registry-client.ts'

const ROOT = 'root:password-of-root'
const ANN = 'ann:password-of-ann'

async function company() {
  const registry = await startRegistry({ anonymous: 'none' })
  const { users, organisations } = registry.registry
  await users.add('root', 'password-of-root', { admin: true })
  await users.add('ann', 'password-of-ann')
  for (const name of ['acme', 'umbrella', 'other']) {
    await organisations.add(name, { owner: name === 'other' ? undefined : 'ann' })
  }
  const call = async (login: string, method: string, path: string, body?: object) => {
    const json = body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
    const answer = await registry.request(method, `/api/v1${path}`, { login, ...json })
    return { status: answer.status, json: answer.status === 204 ? {} : answer.json() }
  }
  const rename = async (login: string, from: string, name: string, more: object = {}) => {
    const path = `/repositories/${encodeURIComponent(from)}/name`
    const { status, json } = await call(login, 'PUT', path, { name, ...more })
    return [status, ...(status === 204 ? [] : [json['detail']])]
  }
  return { ...registry, call, rename }
}

test('whoever administers both names renames, sees the redirects between them, and ends them', async () => {
  await using registry = await company()
  const { call, rename } = registry
  for (const name of ['acme/web', 'other/web', 'top']) await registry.image(name, name, { tag: 'v1', login: ROOT })
  const who =
    'ann may not do this: renames.rename is for administrators, owners of the organisation or the user below whose name both are, the old name and the new one'
  for (const [from, to] of [
    ['acme/web', 'other/site'],
    ['other/web', 'acme/site'],
    ['other/none', 'acme/site'],
    ['acme/web', 'site'],
    ['top', 'acme/site'],
  ] as const) {
    assert.deepEqual(await rename(ANN, from, to), [403, who])
  }
  assert.deepEqual(await rename(ANN, 'acme/web', 'umbrella/site', { redirect: 3_600_000 }), [204])
  assert.deepEqual(await rename(ROOT, 'top', 'other/top', { redirect: 3_600_000 }), [204])
  assert.deepEqual(await rename(ROOT, 'other/web', 'acme/from-other', { redirect: 3_600_000 }), [204])
  const names = async (login: string) =>
    ((await call(login, 'GET', '/redirects')).json['items'] as { name: string; to: string }[]).map(
      ({ name, to }) => `${name} ${to}`,
    )
  assert.deepEqual(await names(ROOT), ['acme/web umbrella/site', 'other/web acme/from-other', 'top other/top'])
  assert.deepEqual(await names(ANN), ['acme/web umbrella/site'])
  const line = (await call(ROOT, 'GET', '/audit?action=repository.rename&actor=user:ann')).json['items'] as object[]
  assert.deepEqual(
    line.map((one) => ({ ...one, id: 0, at: 0 })),
    [{ id: 0, at: 0, actor: 'user:ann', address: '127.0.0.1', action: 'repository.rename' }].map((one) => ({
      ...one,
      target: 'acme/web',
      outcome: 'done',
      detail: 'umbrella/site',
    })),
  )
  assert.equal((await call(ANN, 'DELETE', '/redirects/other%2Fweb')).status, 403)
  assert.equal((await call(ANN, 'DELETE', '/redirects/acme%2Fweb')).status, 204)
  assert.equal((await call(ANN, 'DELETE', '/redirects/acme%2Fweb')).status, 404)
})

test('owners do not get around rules of administrators by a rename, and their own do not hinder them', async () => {
  await using registry = await company()
  const { rename } = registry
  const { policies, quotas } = registry.registry
  await registry.image('acme/web', 'one', { tag: 'v1', login: ROOT })
  const refused = [403, 'administrators have ruled about such repositories: only they may rename them']
  const own = await policies.immutable('acme/*', 'v*')
  await policies.types('**', { block: ['application/x'] })
  await quotas.set('acme/**', { tags: 9 })
  assert.deepEqual(await rename(ANN, 'acme/web', 'acme/site'), [204])
  await policies.remove(own)
  const rules: [string, string, () => Promise<number>][] = [
    ['acme/site', 'acme/web', () => policies.immutable('**', 'v*')],
    ['acme/none', 'acme/web', () => policies.immutable('**', 'v*')],
    ['acme/site', 'acme/prod', () => policies.types('*/prod', { block: ['application/y'] })],
    ['acme/site', 'acme/web', () => policies.keep('*/site', { last: 1 })],
    ['acme/site', 'acme/web', () => policies.gate('*/site')],
    ['acme/site', 'acme/web', () => policies.gate('*/web')],
  ]
  for (const [from, to, rule] of rules) {
    const id = await rule()
    assert.deepEqual(await rename(ANN, from, to), refused, `${from} ${to}`)
    await policies.remove(id)
  }
  await quotas.set('acme/site', { tags: 9 })
  assert.deepEqual(await rename(ANN, 'acme/site', 'acme/web'), refused)
  assert.deepEqual(await rename(ROOT, 'acme/site', 'acme/web'), [204])
})
