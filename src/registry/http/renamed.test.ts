/** Former names of repositories, as clients see them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Answer, startRegistry } from '../../../test/kit/registry-client.ts'

const DAY = 86_400_000
const LOGINS = { root: 'root:password of root', reader: 'reader:password of reader', other: 'other:password of other' }
const denied = (answer: Answer) => [answer.status, answer.json<{ errors: { message: string }[] }>().errors[0]!.message]

/** `acme/web` was renamed to `acme/site`; a reader may pull the new one, others nothing. */
async function renamedRegistry() {
  const registry = await startRegistry({ anonymous: 'none' })
  const { users, renames } = registry.registry
  await users.add('root', 'password of root', { admin: true })
  for (const name of ['reader', 'other'] as const) await users.add(name, `password of ${name}`)
  const image = await registry.image('acme/web', 'one', { tag: '1', login: LOGINS.root })
  await registry.image('acme/web', 'about', { subject: image.descriptor, login: LOGINS.root })
  await renames.rename('acme/web', 'acme/site', { redirect: DAY })
  await users.grant('reader', 'acme/site', 'read')
  return { registry, image }
}

test('pulls by a former name are answered in place, by the rights that the caller has on the new one', async () => {
  const { registry, image } = await renamedRegistry()
  await using _ = registry
  for (const login of [LOGINS.root, LOGINS.reader]) {
    const manifest = await registry.request('GET', '/v2/acme/web/manifests/1', { login })
    assert.deepEqual([manifest.status, manifest.headers['docker-content-digest']], [200, image.digest])
    const layer = await registry.request('GET', `/v2/acme/web/blobs/${image.layer}`, { login })
    assert.equal(layer.body.toString(), 'layer of one')
    const tags = await registry.request('GET', '/v2/acme/web/tags/list', { login })
    assert.deepEqual(tags.json(), { name: 'acme/web', tags: ['1'] })
    const referrers = await registry.request('GET', `/v2/acme/web/referrers/${image.digest}`, { login })
    assert.equal(referrers.json<{ manifests: unknown[] }>().manifests.length, 1)
    assert.equal((await registry.request('GET', '/v2/acme/web/manifests/2', { login })).status, 404)
  }
  const never = async (path: string, login: string) => {
    const { status, body } = await registry.request('GET', path, { login })
    return [status, body.toString().replaceAll('acme/never', 'acme/web')]
  }
  const path = (name: string) => `/v2/acme/${name}/manifests/1`
  assert.deepEqual(
    await never(path('web'), LOGINS.other),
    await never(path('never'), LOGINS.other),
    'as if there were none (A01)',
  )
  assert.equal((await registry.request('GET', path('web'))).status, 401)
  await registry.registry.visibility.publish('acme/site')
  assert.equal((await registry.request('GET', path('web'))).status, 200)
  await registry.registry.renames.end('acme/web')
  assert.equal((await registry.request('GET', path('web'), { login: LOGINS.root })).status, 404)
})

test('a token for a former name is for those who may read the new one, and pulls by that name alone', async () => {
  const { registry } = await renamedRegistry()
  await using _ = registry
  const tokenOf = async (login: string, name: string) => {
    const answer = await registry.request('GET', `/token?service=bale&scope=repository:acme/${name}:pull,push`, {
      login,
    })
    return answer.json<{ token: string }>().token
  }
  const pull = async (name: string, token: string) => {
    const { status, headers } = await registry.request('GET', `/v2/acme/${name}/manifests/1`, { token })
    return [status, /scope="([^"]*)"/.exec(headers['www-authenticate'] ?? '')?.[1]]
  }
  const token = await tokenOf(LOGINS.reader, 'web')
  assert.deepEqual(await pull('web', token), [200, undefined])
  assert.deepEqual(await pull('site', token), [401, 'repository:acme/site:pull'])
  assert.deepEqual(
    await pull('web', await tokenOf(LOGINS.reader, 'site')),
    [200, undefined],
    'a token for either name is good',
  )
  const [status] = await pull('web', await tokenOf(LOGINS.other, 'web'))
  assert.equal(status, 403)
})

test('pushes to a former name are refused, with the new one for those who may read it', async () => {
  const { registry, image } = await renamedRegistry()
  await using _ = registry
  const words = 'acme/web was renamed to acme/site: push to that'
  const push = (login: string) => registry.request('POST', '/v2/acme/web/blobs/uploads/', { login })
  for (const login of [LOGINS.root, LOGINS.reader]) {
    assert.deepEqual(denied(await push(login)), [403, words])
    const deletion = await registry.request('DELETE', `/v2/acme/web/manifests/${image.digest}`, { login })
    assert.deepEqual(denied(deletion), [403, words])
  }
  assert.deepEqual(denied(await push(LOGINS.other)), [403, 'other may not push acme/web'])
  await registry.registry.users.grant('other', 'acme/web', 'write')
  assert.deepEqual(denied(await push(LOGINS.other)), [
    403,
    'repository acme/web was renamed; nothing is pushed under its former name',
  ])
  assert.equal((await registry.request('GET', '/v2/acme/site/manifests/1', { login: LOGINS.root })).status, 200)
})

test('names that are none, taken or not there are refused by name', async () => {
  const { registry } = await renamedRegistry()
  await using _ = registry
  const { renames } = registry.registry
  await registry.image('acme/app', 'one', { tag: '1', login: LOGINS.root })
  await assert.rejects(renames.rename('acme/site', 'Acme'), { code: 'INVALID_REFERENCE' })
  await assert.rejects(renames.rename('acme/none', 'acme/x'), { code: 'NOT_FOUND' })
  await assert.rejects(renames.rename('acme/site', 'acme/site'), { code: 'INVALID_ARGUMENT' })
  for (const taken of ['acme/site', 'acme/web'])
    await assert.rejects(renames.rename('acme/app', taken), { code: 'CONFLICT' })
  for (const redirect of [-1, 0.5, Infinity]) {
    await assert.rejects(renames.rename('acme/app', 'acme/x', { redirect }), /not a period to redirect for/)
  }
  await assert.rejects(renames.end('acme/app'), { code: 'NOT_FOUND', message: 'acme/app is not redirected' })
  assert.deepEqual(
    (await renames.list()).map(({ name, to }) => [name, to]),
    [['acme/web', 'acme/site']],
  )
})
