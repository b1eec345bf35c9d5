/** Refresh tokens of docker's token specification, over HTTP and with the clients that are installed. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { systemClock } from '#base'
import { startRegistry, type TestRegistry } from '../../../test/kit/registry-client.ts'

const PASSWORD = 'password-of-ann'
const ANN = `ann:${PASSWORD}`
const DAY = 24 * 3_600_000

interface Tokens {
  token: string
  access_token: string
  refresh_token?: string
}

async function start(options: Parameters<typeof startRegistry>[0] = {}): Promise<TestRegistry> {
  const registry = await startRegistry({ anonymous: 'none', ...options })
  await registry.registry.users.add('ann', PASSWORD)
  await registry.image('ann/web', 'one', { tag: '1', login: ANN })
  return registry
}

const post = (registry: TestRegistry, fields: Record<string, string>) =>
  registry.request('POST', '/token', { body: new URLSearchParams(fields).toString() })

async function logIn(registry: TestRegistry, login = ANN): Promise<string> {
  const path = '/token?service=bale-registry&offline_token=true&client_id=docker'
  const answer = await registry.request('GET', path, { login })
  assert.equal(answer.status, 200)
  const { refresh_token: secret } = answer.json<Tokens>()
  assert.match(String(secret), /^bale_r_[\w-]{43}$/)
  return secret!
}

const trade = (registry: TestRegistry, secret: string, scope = 'repository:ann/web:pull,push') =>
  post(registry, { grant_type: 'refresh_token', refresh_token: secret, service: 'bale-registry', scope })

async function pull(registry: TestRegistry, secret: string): Promise<number> {
  const traded = await trade(registry, secret)
  if (traded.status !== 200) return traded.status
  const { access_token: token } = traded.json<Tokens>()
  return (await registry.request('GET', '/v2/ann/web/manifests/1', { token })).status
}

test('a login with offline_token or access_type gives a refresh token, which stays the same and is good for tokens', async () => {
  await using registry = await start()
  const byQuery = await logIn(registry)
  const password = { grant_type: 'password', username: 'ann', password: PASSWORD, client_id: 'x', service: 's' }
  const byForm = (await post(registry, { ...password, access_type: 'offline' })).json<Tokens>().refresh_token!
  assert.notEqual(byForm, byQuery)
  for (const secret of [byQuery, byForm, byQuery]) {
    assert.equal(await pull(registry, secret), 200)
    const again = await post(registry, { grant_type: 'refresh_token', refresh_token: secret, access_type: 'offline' })
    assert.equal(again.json<Tokens>().refresh_token, undefined)
  }
  const { access_token: token } = (await trade(registry, byQuery)).json<Tokens>()
  await registry.image('ann/web', 'two', { tag: '2', token })
  for (const fields of [password, { ...password, access_type: 'online' }]) {
    assert.equal((await post(registry, fields)).json<Tokens>().refresh_token, undefined)
  }
  const plain = await registry.request('GET', '/token?service=s', { login: ANN })
  assert.equal(plain.json<Tokens>().refresh_token, undefined)
})

test('A05: a refresh token is no password, no bearer token, and nobody else’s', async () => {
  await using registry = await start()
  const secret = await logIn(registry)
  assert.equal((await registry.request('GET', '/v2/', { login: `ann:${secret}` })).status, 401)
  assert.equal((await registry.request('GET', '/v2/', { token: secret })).status, 401)
  for (const wrong of ['', 'x', secret.slice(0, -1), `${secret.slice(0, -1)}${secret.endsWith('A') ? 'B' : 'A'}`]) {
    const refused = await trade(registry, wrong)
    assert.equal(refused.status, 401, wrong)
    assert.match(String(refused.headers['www-authenticate']), /^Basic realm=/)
  }
  await registry.registry.users.add('bob', 'password-of-bob')
  assert.equal(await pull(registry, await logIn(registry, 'bob:password-of-bob')), 403, 'it gives what bob may')
})

test('A05: a refresh token gives what its account may at that moment, and ends with password, account and logout', async () => {
  await using registry = await start()
  const { users } = registry.registry
  await users.add('bob', 'password-of-bob')
  await users.grant('bob', 'ann/*', 'read')
  const bob = await logIn(registry, 'bob:password-of-bob')
  assert.equal(await pull(registry, bob), 200)
  await users.revoke('bob', 'ann/*')
  assert.equal(await pull(registry, bob), 403)
  await users.grant('bob', 'ann/*', 'read')
  assert.equal(await pull(registry, bob), 200)
  const issued = (await trade(registry, bob)).json<Tokens>().access_token
  await users.setPassword('bob', 'another password')
  assert.equal((await trade(registry, bob)).status, 401)
  assert.equal((await registry.request('GET', '/v2/', { token: issued })).status, 401, 'and so do its tokens')
  const later = await logIn(registry, 'bob:another password')
  const other = (await trade(registry, later)).json<Tokens>().access_token
  await users.logOut('bob')
  assert.equal((await trade(registry, later)).status, 401)
  assert.equal((await registry.request('GET', '/v2/', { token: other })).status, 401)
  assert.equal((await registry.request('GET', '/v2/', { login: 'bob:another password' })).status, 200)
  const last = await logIn(registry, 'bob:another password')
  await users.remove('bob')
  await users.add('bob', 'another password')
  assert.equal((await trade(registry, last)).status, 401, 'a later bob has nothing of it')
  await assert.rejects(users.logOut('nobody'), { code: 'NOT_FOUND' })
})

test('a login with an access token gives a refresh token of no more than that, which ends with it', async () => {
  await using registry = await start()
  const { accessTokens } = registry.registry
  const access = await accessTokens.add('ann', 'laptop', { role: 'read', pattern: 'ann/web' })
  const secret = await logIn(registry, `ann:${access}`)
  assert.equal(await pull(registry, secret), 200)
  const { access_token: token } = (await trade(registry, secret, 'repository:ann/web:pull,push,delete')).json<Tokens>()
  const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())
  assert.deepEqual(claims.access, [{ type: 'repository', name: 'ann/web', actions: ['pull'] }])
  await accessTokens.remove('ann', 'laptop')
  assert.equal((await trade(registry, secret)).status, 401)
})

test('a refresh token ends when it was not used for long; with a period of 0 nobody gets one', async () => {
  let now = Date.now()
  const clock = { ...systemClock, now: () => now }
  await using registry = await start({ clock, refreshTokensUnusedFor: 2 * DAY })
  const secret = await logIn(registry)
  for (let day = 0; day < 3; day++) {
    now += 1.5 * DAY
    assert.equal(await pull(registry, secret), 200, `after ${day}`)
  }
  now += 2 * DAY
  assert.equal((await trade(registry, secret)).status, 401)
  await using without = await start({ refreshTokensUnusedFor: 0 })
  const answer = await without.request('GET', '/token?offline_token=true', { login: ANN })
  assert.equal(answer.json<Tokens>().refresh_token, undefined)
})

test('A20: what is stored of a refresh token does not log in, and the audit log has who got one', async () => {
  await using registry = await start()
  const secret = await logIn(registry)
  const files = ['registry.db', 'registry.db-wal'].map((name) => readFileSync(`${registry.directory}/${name}`))
  for (const file of files) assert.equal(file.includes(secret), false)
  const entries = await Array.fromAsync(registry.registry.audit.entries({ action: 'login.add' }))
  assert.deepEqual(
    entries.map(({ actor, address, target, detail }) => [actor, address, target, detail]),
    [['user:ann', '127.0.0.1', 'ann', 'docker']],
  )
})
