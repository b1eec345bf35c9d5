/** Who gets in and what they may do, over HTTP. */
import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { test } from 'node:test'
import { type Clock, systemClock } from '#base'
import { sha256, startRegistry, type TestRegistry } from '../../../test/kit/registry-client.ts'

const ANN = 'ann:password-of-ann'
const BOB = 'bob:password-of-bob'
const ROOT = 'root:password-of-root'

async function startClosed(options: Parameters<typeof startRegistry>[0] = {}): Promise<TestRegistry> {
  const registry = await startRegistry({ anonymous: 'none', ...options })
  await registry.registry.users.add('ann', 'password-of-ann')
  await registry.registry.users.add('bob', 'password-of-bob')
  await registry.registry.users.add('root', 'password-of-root', { admin: true })
  return registry
}

async function tokenFor(registry: TestRegistry, login: string | undefined, ...scopes: string[]): Promise<string> {
  const query = scopes.map((scope) => `scope=${encodeURIComponent(scope)}`).join('&')
  const answer = await registry.request('GET', `/token?service=bale-registry&${query}`, { login })
  assert.equal(answer.status, 200)
  return answer.json<{ token: string }>().token
}

const fakeClock = (): Clock & { add(milliseconds: number): void } => {
  let offset = 0
  return {
    now: () => Date.now() + offset,
    sleep: systemClock.sleep,
    add(milliseconds) {
      offset += milliseconds
    },
  }
}

test('A09: a new registry lets nobody in: no user, no anonymous pull, and a challenge that says where to log in', async () => {
  await using registry = await startRegistry({ anonymous: 'none' })
  assert.deepEqual(await registry.registry.users.list(), [])
  const ping = await registry.request('GET', '/v2/')
  assert.equal(ping.status, 401)
  assert.equal(
    ping.headers['www-authenticate'],
    `Bearer realm="http://${registry.address}/token",service="bale-registry"`,
  )
  assert.deepEqual(ping.codes(), ['UNAUTHORIZED'])
  const pull = await registry.request('GET', '/v2/a/b/manifests/latest')
  assert.match(String(pull.headers['www-authenticate']), /,scope="repository:a\/b:pull"$/)
  const push = await registry.request('POST', '/v2/a/b/blobs/uploads/')
  assert.match(String(push.headers['www-authenticate']), /,scope="repository:a\/b:pull,push"$/)
  for (const path of [
    '/v2/_catalog',
    '/v2/a/b/tags/list',
    `/v2/a/b/referrers/${sha256('x')}`,
    `/v2/a/b/blobs/${sha256('x')}`,
  ]) {
    assert.equal((await registry.request('GET', path)).status, 401, path)
  }
  assert.equal((await registry.request('GET', '/token?service=bale-registry')).status, 401)
  assert.equal((await registry.request('GET', '/v2/', { login: 'admin:admin' })).status, 401)
})

test('Basic and Bearer both log in; a user owns the repositories below its name and no others', async () => {
  await using registry = await startClosed()
  assert.equal((await registry.request('GET', '/v2/', { login: ANN })).status, 200)
  await registry.image('ann/web', 'one', { tag: '1', login: ANN })
  const token = await tokenFor(registry, ANN, 'repository:ann/web:pull,push')
  assert.equal((await registry.request('GET', '/v2/', { token })).status, 200)
  assert.equal((await registry.request('GET', '/v2/ann/web/manifests/1', { token })).status, 200)
  await registry.image('ann/web', 'two', { tag: '2', token })
  const foreign = await registry.request('GET', '/v2/ann/web/manifests/1', { login: BOB })
  assert.deepEqual([foreign.status, foreign.codes()], [403, ['DENIED']])
  assert.equal((await registry.request('POST', '/v2/team/web/blobs/uploads/', { login: ANN })).status, 403)
  assert.equal((await registry.request('POST', '/v2/annex/web/blobs/uploads/', { login: ANN })).status, 403)
  await registry.image('team/web', 'three', { tag: '3', login: ROOT })
})

test('a token holds the granted part of what was asked, and no more', async () => {
  await using registry = await startClosed()
  await registry.registry.users.grant('bob', 'ann/*', 'read')
  const claims = async (login: string, ...scopes: string[]) => {
    const token = await tokenFor(registry, login, ...scopes)
    return JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())
  }
  const bob = await claims(BOB, 'repository:ann/web:pull,push', 'repository:other/x:pull repository:bob/y:*')
  assert.deepEqual(bob.access, [
    { type: 'repository', name: 'ann/web', actions: ['pull'] },
    { type: 'repository', name: 'bob/y', actions: ['pull', 'push', 'delete'] },
  ])
  assert.equal(bob.exp - bob.iat, 300)
  assert.deepEqual((await claims(BOB, 'repository:../x:pull', 'nonsense', 'repository:ann/web:fly')).access, [])
  await registry.image('ann/web', 'one', { tag: '1', login: ANN })
  const pullOnly = await tokenFor(registry, ANN, 'repository:ann/web:pull')
  const push = await registry.request('POST', '/v2/ann/web/blobs/uploads/', { token: pullOnly })
  assert.equal(push.status, 401)
  assert.match(String(push.headers['www-authenticate']), /error="insufficient_scope"/)
  const elsewhere = await tokenFor(registry, ANN, 'repository:ann/other:pull')
  assert.equal((await registry.request('GET', '/v2/ann/web/manifests/1', { token: elsewhere })).status, 401)
})

test('a token comes by an OAuth2 form too; a token does not buy another token', async () => {
  await using registry = await startClosed()
  const form = (fields: Record<string, string>) =>
    registry.request('POST', '/token', { body: new URLSearchParams(fields).toString() })
  const good = await form({
    grant_type: 'password',
    username: 'ann',
    password: 'password-of-ann',
    service: 'x',
    scope: 'repository:ann/x:pull',
  })
  assert.equal(good.status, 200)
  const token = good.json<{ access_token: string }>().access_token
  assert.equal((await registry.request('GET', '/v2/', { token })).status, 200)
  assert.equal((await form({ grant_type: 'password', username: 'ann', password: 'wrong' })).status, 401)
  assert.equal((await form({ grant_type: 'authorization_code', code: 'x' })).status, 400)
  assert.equal((await registry.request('GET', '/token?scope=repository:ann/x:pull', { token })).status, 401)
})

test('roles: read pulls, write pushes, admin deletes; a pattern fits as it says', async () => {
  await using registry = await startClosed()
  const { digest } = await registry.image('team/web', 'one', { tag: '1', login: ROOT })
  const statuses = async () => [
    (await registry.request('GET', '/v2/team/web/manifests/1', { login: BOB })).status,
    (await registry.request('POST', '/v2/team/web/blobs/uploads/', { login: BOB })).status,
    (await registry.request('DELETE', `/v2/team/web/manifests/${digest}`, { login: BOB })).status,
  ]
  const { users } = registry.registry
  assert.deepEqual(await statuses(), [403, 403, 403])
  await users.grant('bob', 'team/other', 'admin')
  await users.grant('bob', 'tea*', 'admin')
  assert.deepEqual(await statuses(), [403, 403, 403])
  await users.grant('bob', 'team/*', 'read')
  assert.deepEqual(await statuses(), [200, 403, 403])
  await users.grant('bob', 'team/*', 'write')
  assert.deepEqual(await statuses(), [200, 202, 403])
  await users.revoke('bob', 'team/*')
  assert.deepEqual(await statuses(), [403, 403, 403])
  await users.grant('bob', '**/web', 'admin')
  assert.deepEqual(await statuses(), [200, 202, 202])
})

test('A05: rights are those of now: a removed user or grant ends its tokens at once', async () => {
  await using registry = await startClosed()
  const { users } = registry.registry
  await users.grant('bob', 'ann/**', 'write')
  const token = await tokenFor(registry, BOB, 'repository:ann/web:pull,push')
  assert.equal((await registry.request('POST', '/v2/ann/web/blobs/uploads/', { token })).status, 202)
  await users.revoke('bob', 'ann/**')
  assert.equal((await registry.request('POST', '/v2/ann/web/blobs/uploads/', { token })).status, 403)
  await users.remove('bob')
  assert.equal((await registry.request('GET', '/v2/', { token })).status, 401)
  assert.equal((await registry.request('GET', '/v2/', { login: BOB })).status, 401)
})

test('a changed password ends the old one at once', async () => {
  await using registry = await startClosed()
  assert.equal((await registry.request('GET', '/v2/', { login: ANN })).status, 200)
  await registry.registry.users.setPassword('ann', 'new password')
  assert.equal((await registry.request('GET', '/v2/', { login: ANN })).status, 401)
  assert.equal((await registry.request('GET', '/v2/', { login: 'ann:new password' })).status, 200)
})

test('A05: a token ends with the password it was issued for, and is not a later user of the name', async () => {
  await using registry = await startClosed()
  const { users } = registry.registry
  const old = await tokenFor(registry, ANN, 'repository:ann/web:pull,push')
  const push = async (token: string) => (await registry.request('POST', '/v2/ann/web/blobs/uploads/', { token })).status
  assert.equal(await push(old), 202)
  await users.setPassword('ann', 'new password')
  assert.equal(await push(old), 401)
  const second = await tokenFor(registry, 'ann:new password', 'repository:ann/web:pull,push')
  const location = (await registry.request('POST', '/v2/ann/web/blobs/uploads/', { token: second })).headers.location!
  await users.remove('ann')
  assert.equal(await push(second), 401)
  await users.add('ann', 'new password')
  assert.equal(await push(second), 401)
  const third = await tokenFor(registry, 'ann:new password', 'repository:ann/web:pull,push')
  assert.equal(await push(third), 202)
  assert.equal((await registry.request('GET', location, { token: third })).status, 404, 'nor has she its uploads')
})

test('A05: a token that names its user, as 0.1 issued them, is refused', async () => {
  await using registry = await startClosed()
  const [head, body] = (await tokenFor(registry, ROOT, 'registry:catalog:*')).split('.') as [string, string]
  const { DatabaseSync } = await import('node:sqlite')
  const { createSigningKeys } = await import('../auth/index.ts')
  const { openSqliteMeta } = await import('../meta/index.ts')
  const { signToken } = await import('../auth/jws.ts')
  const meta = openSqliteMeta({ path: `${registry.directory}/registry.db`, clock: systemClock })
  const secret = Buffer.from((await readFile(`${registry.directory}/secret`, 'utf8')).trim(), 'hex')
  const key = await createSigningKeys({ meta, secret, clock: systemClock }).current()
  await meta.close()
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString())
  assert.equal(JSON.parse(Buffer.from(head, 'base64url').toString()).kid, key.id)
  const status = async (subject: string) =>
    (await registry.request('GET', '/v2/_catalog', { token: signToken(key, { ...claims, sub: subject }) })).status
  assert.equal(await status(claims.sub), 200)
  for (const subject of ['root', `${claims.sub}1`, claims.sub.slice(1), '.1']) assert.equal(await status(subject), 401)
  using database = new DatabaseSync(`${registry.directory}/registry.db`)
  assert.match(String(database.prepare('SELECT private_key FROM signing_keys').get()!['private_key']), /^sealed:/)
})

test('a user whose name has repositories below it is added only on purpose', async () => {
  await using registry = await startClosed()
  const { users } = registry.registry
  await registry.blob('team/web', 'x', { login: ROOT })
  await assert.rejects(users.add('team', 'password-of-team'), { code: 'CONFLICT', message: /admin of team\/web/ })
  await users.grant('bob', 'club/*', 'write')
  await assert.rejects(users.add('club', 'password-of-club'), { code: 'CONFLICT', message: /admin of club\/\*/ })
  await users.add('team', 'password-of-team', { adopt: true })
  assert.equal(
    (await registry.request('GET', '/v2/team/web/tags/list', { login: 'team:password-of-team' })).status,
    200,
  )
})

test('A05: tokens with another algorithm, key, issuer, audience or time are refused, whatever their header says', async () => {
  const clock = fakeClock()
  await using registry = await startClosed({ clock })
  const genuine = await tokenFor(registry, ROOT, 'repository:a/b:pull')
  const [head, body, signature] = genuine.split('.') as [string, string, string]
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const decode = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString())
  const own = generateKeyPairSync('ed25519')
  const signedBy = (header: object, claims: object) => {
    const signed = `${encode(header)}.${encode(claims)}`
    return `${signed}.${sign(null, Buffer.from(signed), own.privateKey).toString('base64url')}`
  }
  const jwk = own.publicKey.export({ format: 'jwk' })
  const hmacHead = encode({ alg: 'HS256', typ: 'JWT', kid: decode(head).kid })
  const forged = {
    'alg none': `${encode({ alg: 'none', kid: decode(head).kid })}.${body}.`,
    'alg none with signature': `${encode({ alg: 'none', kid: decode(head).kid })}.${body}.${signature}`,
    'HS256 by key ID': `${hmacHead}.${body}.${createHmac('sha256', decode(head).kid).update(`${hmacHead}.${body}`).digest('base64url')}`,
    'own key, right key ID': signedBy(decode(head), decode(body)),
    'own key in jwk': signedBy({ ...decode(head), jwk }, decode(body)),
    'own key in jwk, other key ID': signedBy(
      { alg: 'EdDSA', kid: 'mine', jwk, x5c: ['x'], jku: 'http://evil.example/keys' },
      decode(body),
    ),
    'changed claims': `${head}.${encode({ ...decode(body), sub: 'root', access: [{ type: 'repository', name: 'x/y', actions: ['push'] }] })}.${signature}`,
    'no signature': `${head}.${body}.`,
    'four parts': `${genuine}.x`,
    'no token': 'x',
    'broken base64': `${head}.!!!.${signature}`,
  }
  for (const [name, token] of Object.entries(forged)) {
    const answer = await registry.request('GET', '/v2/', { token })
    assert.equal(answer.status, 401, name)
    assert.match(String(answer.headers['www-authenticate']), /error="invalid_token"/)
  }
  assert.equal((await registry.request('GET', '/v2/', { token: genuine })).status, 200)
  clock.add(-120_000)
  assert.equal((await registry.request('GET', '/v2/', { token: genuine })).status, 401, 'not yet')
  clock.add(120_000 + 340_000)
  assert.equal((await registry.request('GET', '/v2/', { token: genuine })).status, 200, 'within the leeway')
  clock.add(30_000)
  assert.equal((await registry.request('GET', '/v2/', { token: genuine })).status, 401, 'over')
})

test('A15: ten wrong passwords a minute for an account, then 429 with Retry-After; unknown users look and cost the same', async () => {
  const clock = fakeClock()
  await using registry = await startClosed({ clock })
  const wrong = await registry.request('GET', '/v2/', { login: 'ann:wrong' })
  const unknown = await registry.request('GET', '/v2/', { login: 'nobody:wrong' })
  assert.deepEqual([wrong.status, wrong.body.toString()], [401, unknown.body.toString()])
  for (let count = 1; count < 10; count++) await registry.request('GET', '/token', { login: 'ann:wrong' })
  const limited = await registry.request('GET', '/token', { login: ANN })
  assert.deepEqual([limited.status, limited.codes()], [429, ['TOOMANYREQUESTS']])
  assert.ok(Number(limited.headers['retry-after']) > 0 && Number(limited.headers['retry-after']) <= 60)
  assert.equal((await registry.request('GET', '/v2/', { login: BOB })).status, 200)
  clock.add(61_000)
  assert.equal((await registry.request('GET', '/v2/', { login: ANN })).status, 200)
})

test('A15: a login that was right a moment ago is not locked out by others guessing', async () => {
  await using registry = await startClosed()
  assert.equal((await registry.request('GET', '/v2/', { login: ANN })).status, 200)
  for (let count = 0; count < 11; count++) await registry.request('GET', '/v2/', { login: 'ann:wrong' })
  assert.equal((await registry.request('GET', '/v2/', { login: 'ann:wrong' })).status, 429)
  assert.equal((await registry.request('GET', '/v2/', { login: ANN })).status, 200)
})

test('A15, A21: guesses that come together count as well; the same right login many times at once is one try', async () => {
  await using registry = await startClosed()
  const guesses = Array.from({ length: 60 }, (_, index) =>
    registry.request('GET', '/token', { login: `ann:wrong${index}` }),
  )
  const answers = (await Promise.all(guesses)).map(({ status }) => status)
  const checked = answers.filter((status) => status === 401).length
  assert.ok(checked > 0 && checked <= 10, `${checked} were checked`)
  assert.ok(
    answers.every((status) => [401, 429, 503].includes(status)),
    `${answers}`,
  )
  const right = Array.from({ length: 20 }, () => registry.request('GET', '/token', { login: BOB }))
  assert.deepEqual(
    (await Promise.all(right)).map(({ status }) => status),
    right.map(() => 200),
  )
})

test('A15: a flood of guesses is answered at once, and does not lock out who has logged in from there', async () => {
  const clock = fakeClock()
  await using registry = await startClosed({ clock })
  assert.equal((await registry.request('GET', '/v2/', { login: BOB })).status, 200)
  const flood = Array.from({ length: 300 }, (_, index) =>
    registry.request('GET', '/token', { login: `nobody${index}:wrong` }),
  )
  const answers = (await Promise.all(flood)).map(({ status }) => status)
  assert.ok(answers.filter((status) => status === 401).length <= 100)
  assert.ok(answers.includes(503), 'what finds no room is told so at once')
  for (let count = 0; count < 100; count++) await registry.request('GET', '/v2/', { login: `stranger${count}:wrong` })
  assert.equal((await registry.request('GET', '/v2/', { login: ANN })).status, 429, 'new from an address that guesses')
  for (let count = 0; count < 10; count++) await registry.request('GET', '/v2/', { login: 'bob:wrong' })
  clock.add(30_000)
  assert.equal((await registry.request('GET', '/v2/', { login: BOB })).status, 200, 'known from here')
})

test('a broken Authorization header is 401, not a crash', async () => {
  await using registry = await startClosed()
  for (const value of [
    'Basic',
    'Basic !!!',
    'Basic YW5u',
    'Bearer',
    'Digest x',
    'basic  ',
    'x'.repeat(5000),
    'Bearer a.b',
    'Bearer a.b.c',
  ]) {
    assert.equal(
      (await registry.request('GET', '/v2/', { headers: { Authorization: value } })).status,
      401,
      value.slice(0, 40),
    )
  }
})

test('A01: a blob of a repository that the caller may not read cannot be mounted or seen, and the answer tells nothing', async () => {
  await using registry = await startClosed()
  const digest = await registry.blob('ann/secret', 'the secret', { login: ANN })
  const token = await tokenFor(registry, BOB, 'repository:bob/x:pull,push', 'repository:ann/secret:pull')
  for (const credentials of [{ login: BOB }, { token }]) {
    for (const query of [`mount=${digest}&from=ann/secret`, `mount=${digest}&from=ann/nothing`, `mount=${digest}`]) {
      const answer = await registry.request('POST', `/v2/bob/x/blobs/uploads/?${query}`, credentials)
      assert.equal(answer.status, 202, query)
    }
    assert.equal((await registry.request('GET', `/v2/bob/x/blobs/${digest}`, credentials)).status, 404)
    const there = await registry.request('GET', `/v2/ann/secret/blobs/${digest}`, credentials)
    const notThere = await registry.request('GET', `/v2/ann/nothing/blobs/${digest}`, credentials)
    assert.deepEqual([there.status, there.codes()], [notThere.status, notThere.codes()])
  }
  await registry.registry.users.grant('bob', 'ann/secret', 'read')
  assert.equal((await registry.request('POST', `/v2/bob/x/blobs/uploads/?mount=${digest}`, { login: BOB })).status, 201)
})

test('a mount whose source the account may read but the token does not name is answered with both scopes', async () => {
  await using registry = await startClosed()
  await registry.registry.users.grant('bob', 'ann/base', 'read')
  const digest = await registry.blob('ann/base', 'the base', { login: ANN })
  for (const [target, from] of [
    ['bob/x', '&from=ann/base'],
    ['bob/y', ''],
  ] as const) {
    const scopes = `repository:${target}:pull,push repository:ann/base:pull`
    const narrow = await tokenFor(registry, BOB, `repository:${target}:pull,push`)
    const wide = await tokenFor(registry, BOB, scopes)
    const mount = (token?: string) =>
      registry.request('POST', `/v2/${target}/blobs/uploads/?mount=${digest}${from}`, { token })
    const asked = await mount(narrow)
    assert.deepEqual([asked.status, asked.codes()], [401, ['UNAUTHORIZED']])
    const challenge = String(asked.headers['www-authenticate'])
    assert.ok(challenge.includes(`scope="${scopes}",error="insufficient_scope"`), challenge)
    const first = String((await mount()).headers['www-authenticate'])
    assert.ok(first.includes(from ? `scope="${scopes}"` : `scope="repository:${target}:pull,push"`), first)
    assert.equal((await mount(wide)).status, 201)
    const absent = `/v2/${target}/blobs/uploads/?mount=${sha256('none')}${from}`
    assert.equal((await registry.request('POST', absent, { token: narrow })).status, 202, 'there is nothing to mount')
  }
})

test('A02: nobody can continue, inspect or cancel the upload of another user', async () => {
  await using registry = await startClosed()
  await registry.registry.users.grant('bob', 'ann/**', 'admin')
  const location = (await registry.request('POST', '/v2/ann/web/blobs/uploads/', { login: ANN })).headers.location!
  for (const [method, path] of [
    ['GET', location],
    ['PATCH', location],
    ['PUT', `${location}?digest=${sha256('x')}`],
    ['DELETE', location],
  ] as const) {
    const answer = await registry.request(method, path, { login: BOB, body: method === 'GET' ? undefined : 'x' })
    assert.deepEqual([answer.status, answer.codes()], [404, ['BLOB_UPLOAD_UNKNOWN']], method)
  }
  assert.equal((await registry.request('GET', location, { login: ANN })).status, 204)
})

test('A03: the catalog shows each caller what it may pull', async () => {
  await using registry = await startClosed()
  for (const name of ['ann/a', 'ann/b', 'bob/a', 'team/a']) await registry.blob(name, name, { login: ROOT })
  await registry.registry.users.grant('ann', 'team/*', 'read')
  const repositories = async (login: string, query = '') =>
    (await registry.request('GET', `/v2/_catalog${query}`, { login })).json()['repositories']
  assert.deepEqual(await repositories(ANN), ['ann/a', 'ann/b', 'team/a'])
  assert.deepEqual(await repositories(BOB), ['bob/a'])
  assert.deepEqual(await repositories(ROOT), ['ann/a', 'ann/b', 'bob/a', 'team/a'])
  const first = await registry.request('GET', '/v2/_catalog?n=2', { login: ANN })
  assert.deepEqual(
    [first.json()['repositories'], first.headers.link],
    [['ann/a', 'ann/b'], '</v2/_catalog?n=2&last=ann%2Fb>; rel="next"'],
  )
  assert.deepEqual(await repositories(ANN, '?n=2&last=ann/b'), ['team/a'])
  const narrow = await tokenFor(registry, ANN, 'repository:ann/a:pull')
  assert.equal((await registry.request('GET', '/v2/_catalog', { token: narrow })).status, 401)
  const wide = await tokenFor(registry, ANN, 'registry:catalog:*')
  assert.deepEqual((await registry.request('GET', '/v2/_catalog', { token: wide })).json()['repositories'], [
    'ann/a',
    'ann/b',
    'team/a',
  ])
})

test('A03: no page and no Link names or counts what the caller may not read', async () => {
  await using registry = await startClosed()
  for (let number = 0; number < 30; number++) {
    await registry.blob(`secret-${String(number).padStart(2, '0')}/plan`, `${number}`, { login: ROOT })
  }
  await registry.blob('zoo/a', 'a', { login: ROOT })
  await registry.blob('zoo/b', 'b', { login: ROOT })
  const page = async (query: string) => {
    const { headers, body } = await registry.request('GET', `/v2/_catalog${query}`, { login: ANN })
    return [JSON.parse(body.toString()).repositories, headers.link]
  }
  assert.deepEqual(await page('?n=1'), [[], undefined])
  await registry.registry.users.grant('ann', 'zoo/*', 'read')
  assert.deepEqual(await page('?n=1'), [['zoo/a'], '</v2/_catalog?n=1&last=zoo%2Fa>; rel="next"'])
  assert.deepEqual(await page('?n=1&last=secret-00/plan'), [['zoo/a'], '</v2/_catalog?n=1&last=zoo%2Fa>; rel="next"'])
  assert.deepEqual(await page('?n=1&last=zoo/a'), [['zoo/b'], undefined])
})

test('anonymous pull: the ping still asks for a token, which anybody gets; pushing needs a login', async () => {
  await using registry = await startClosed({ anonymous: 'pull' })
  await registry.image('team/web', 'one', { tag: '1', login: ROOT })
  assert.equal((await registry.request('GET', '/v2/')).status, 401)
  const token = await tokenFor(registry, undefined, 'repository:team/web:pull,push')
  assert.equal((await registry.request('GET', '/v2/', { token })).status, 200)
  assert.equal((await registry.request('GET', '/v2/team/web/manifests/1', { token })).status, 200)
  assert.equal((await registry.request('GET', '/v2/team/web/manifests/1')).status, 200)
  assert.equal((await registry.request('POST', '/v2/team/web/blobs/uploads/', { token })).status, 401)
  assert.equal((await registry.request('GET', '/token', { login: 'ann:wrong' })).status, 401)
})

test('A17: the realm is what the client calls us; forwarded headers count only from trusted proxies; a bad Host is 400', async () => {
  const realm = async (registry: TestRegistry, headers: Record<string, string>) =>
    /realm="([^"]*)"/.exec(
      String((await registry.request('GET', '/v2/', { headers })).headers['www-authenticate']),
    )?.[1]
  const spoof = { Host: 'registry.example', 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'https' }
  {
    await using registry = await startClosed()
    assert.equal(await realm(registry, spoof), 'http://registry.example/token')
    for (const host of ['evil"example', 'a b', 'x/y', 'user@evil.example']) {
      assert.equal((await registry.request('GET', '/v2/', { headers: { Host: host } })).status, 400, `host ${host}`)
    }
  }
  {
    await using registry = await startClosed({ trustedProxies: ['127.0.0.0/8'] })
    assert.equal(
      await realm(registry, { ...spoof, 'X-Forwarded-Host': 'public.example' }),
      'https://public.example/token',
    )
  }
  await using registry = await startClosed({ externalUrl: 'https://fixed.example' })
  assert.equal(await realm(registry, spoof), 'https://fixed.example/token')
  const begun = await registry.request('POST', '/v2/ann/x/blobs/uploads/', { login: ANN, headers: spoof })
  assert.match(String(begun.headers.location), /^\/v2\/ann\/x\/blobs\/uploads\//)
})

test('A17: a request with both Content-Length and Transfer-Encoding is refused', async () => {
  await using registry = await startRegistry()
  const [host, port] = registry.address.split(':') as [string, string]
  const socket = connect(Number(port), host)
  socket.write(
    'POST /v2/a/b/blobs/uploads/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n',
  )
  const answer = Buffer.concat(await Array.fromAsync(socket as AsyncIterable<Buffer>)).toString()
  assert.match(answer, /^HTTP\/1\.1 400 /)
  assert.equal(answer.match(/HTTP\/1\.1/g)?.length, 1)
})
