/** Jobs of a CI service that log in with its tokens, over HTTP. */
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { exportSPKI } from 'jose'
import { systemClock } from '#base'
import type { WorkloadRule } from '#registry'
import { issuerKey, startIssuer } from '../../../test/kit/issuer.ts'
import { startRegistry } from '../../../test/kit/registry-client.ts'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const AUDIENCE = 'registry.example'
const JOB = { aud: AUDIENCE, sub: 'repo:acme/web:ref:refs/heads/main', repository: 'acme/web', ref: 'refs/heads/main' }

async function prepared(rules: readonly Partial<WorkloadRule>[] = [{}]) {
  await using opened = new AsyncDisposableStack()
  const issuer = opened.use(await startIssuer())
  const state = { now: Date.now(), reports: [] as string[] }
  const base = { issuer: issuer.url, audience: AUDIENCE, as: 'acme+ci', lifetime: HOUR }
  const workloads = rules.map((rule) => ({ ...base, when: { repository: 'acme/*', ref: 'refs/heads/main' }, ...rule }))
  const registry = opened.use(
    await startRegistry({
      ...{ anonymous: 'none', workloads, clock: { ...systemClock, now: () => state.now } },
      report: (failure: Error) => void state.reports.push(failure.message),
    }),
  )
  const { organisations, robots } = registry.registry
  await organisations.add('acme')
  await robots.add('acme+ci', { grants: [{ pattern: 'acme/**', role: 'write' }] })
  const { request } = registry
  const parts = opened.move()
  return {
    issuer,
    registry,
    state,
    mint: (claims: object = {}, options: object = {}) =>
      issuer.mint({ ...JOB, ...claims }, { now: state.now, ...options }),
    ping: async (token: string, name = 'oidc') => (await request('GET', '/v2/', { login: `${name}:${token}` })).status,
    post: (fields: Record<string, string>) =>
      request('POST', '/token', { body: new URLSearchParams(fields).toString() }),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}

type Prepared = Awaited<ReturnType<typeof prepared>>

const EXCHANGE = {
  grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
  subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
}

const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())

test('a job pushes and pulls with its token as the password of oidc, as the robot of the rule', async () => {
  await using under = await prepared()
  const { registry } = under
  const login = `oidc:${await under.mint()}`
  const { answer } = await registry.image('acme/web', 'one', { tag: '1', login })
  assert.equal(answer.status, 201)
  assert.equal((await registry.request('GET', '/v2/acme/web/manifests/1', { login })).status, 200)
  assert.equal((await registry.request('POST', '/v2/other/x/blobs/uploads/', { login })).status, 403)
  const entries = await Array.fromAsync(registry.registry.audit.entries({ action: 'tag.set' }))
  assert.deepEqual(
    entries.map(({ actor }) => actor),
    ['robot:acme+ci'],
  )
  const path = '/token?scope=repository:acme/web:pull,push,delete'
  const { token } = (await registry.request('GET', path, { login })).json<{ token: string }>()
  assert.deepEqual(claimsOf(token).access[0].actions, ['pull', 'push'])
  assert.equal(await under.ping(await under.mint({ pad: 'x'.repeat(6000) })), 200, 'a token with many claims')
})

test('the first rule that fits decides; a star does not go over parts of a claim', async () => {
  const rules: Partial<WorkloadRule>[] = [
    { when: { repository: 'acme/web' }, as: 'acme+first' },
    { when: { repository: 'acme/*' } },
    { when: { sub: 'repo:acme/*:ref:refs/tags/v*' }, audience: 'other.example', as: 'acme+first' },
    { when: { environment: '**', run: '7' }, audience: 'other.example', as: 'acme+first' },
  ]
  await using under = await prepared(rules)
  await under.registry.registry.robots.add('acme+first')
  const robotOf = async (claims: object) => {
    const fields = { ...EXCHANGE, subject_token: await under.mint({ repository: 'x', sub: 'x', ...claims }) }
    const answer = await under.post(fields)
    if (answer.status !== 200) return answer.status
    const { sub } = claimsOf(answer.json<{ access_token: string }>().access_token)
    const robots = { 'acme+first': await idOf(under, 'acme+first'), 'acme+ci': await idOf(under, 'acme+ci') }
    return Object.entries(robots).find(([, id]) => sub.startsWith(id))?.[0]
  }
  assert.equal(await robotOf({ repository: 'acme/web' }), 'acme+first')
  assert.equal(await robotOf({ repository: 'acme/api' }), 'acme+ci')
  assert.equal(await robotOf({ repository: ['x', 'acme/api'] }), 'acme+ci', 'one of a list')
  const other = 'other.example'
  assert.equal(await robotOf({ sub: 'repo:acme/web:ref:refs/tags/v1', aud: other }), 'acme+first')
  assert.equal(await robotOf({ aud: other, environment: 'a:b/c', run: 7 }), 'acme+first')
  const refused: object[] = [
    { repository: 'acme/web/x' },
    { repository: 'acmes/web' },
    { repository: undefined },
    { repository: { name: 'acme/web' } },
    { repository: 'acme/web', aud: other },
    { sub: 'repo:acme/web:ref:refs/tags/v1' },
    { sub: 'repo:acme/web:environment:x:ref:refs/tags/v1', aud: other },
    { run: 7, aud: other },
  ]
  for (const claims of refused) assert.equal(await robotOf(claims), 401, JSON.stringify(claims))
})

async function idOf({ registry }: Prepared, name: string): Promise<string> {
  const secret = await registry.registry.accessTokens.add(name, `asked ${Math.random().toString(36).slice(2)}`)
  const { token } = (await registry.request('GET', '/token', { login: `${name}:${secret}` })).json<{ token: string }>()
  return claimsOf(token).sub.split('.')[0]
}

test('RFC 8693: a token is exchanged for one of the registry, which lives as long as the rule says', async () => {
  await using under = await prepared([{ lifetime: 20 * MINUTE }])
  const { registry, state } = under
  const exchange = { ...EXCHANGE, subject_token: await under.mint(), scope: 'repository:acme/web:pull,push' }
  const answer = await under.post(exchange)
  const body = answer.json<Record<string, unknown>>()
  assert.deepEqual(
    [answer.status, body['token_type'], body['expires_in'], body['issued_token_type'], body['refresh_token']],
    [200, 'Bearer', 1200, 'urn:ietf:params:oauth:token-type:access_token', undefined],
  )
  assert.equal(answer.headers['cache-control'], 'no-store')
  const token = String(body['access_token'])
  assert.equal((await registry.image('acme/web', 'one', { tag: '1', token })).answer.status, 201)
  assert.equal((await under.post(exchange)).status, 200, 'shown again, it gives the same again')
  state.now += 19 * MINUTE
  assert.equal((await registry.request('GET', '/v2/acme/web/manifests/1', { token })).status, 200)
  state.now += 3 * MINUTE
  assert.equal((await registry.request('GET', '/v2/acme/web/manifests/1', { token })).status, 401)
  const wrong: Record<string, string>[] = [
    { subject_token_type: 'urn:ietf:params:oauth:token-type:saml2' },
    { requested_token_type: 'x' },
  ]
  for (const fields of wrong) assert.equal((await under.post({ ...exchange, ...fields })).status, 400)
  assert.equal((await under.post({ ...EXCHANGE })).status, 401)
})

test('a client that logs in keeps a refresh token, which outlives the job’s own, and not the lifetime', async () => {
  await using under = await prepared()
  const { registry, state } = under
  const login = `oidc:${await under.mint()}`
  const path = '/token?offline_token=true&client_id=docker'
  const { refresh_token: secret } = (await registry.request('GET', path, { login })).json<{ refresh_token: string }>()
  const trade = async () => (await under.post({ grant_type: 'refresh_token', refresh_token: secret })).status
  state.now += 50 * MINUTE
  assert.deepEqual([await under.ping(login.slice(5)), await trade()], [401, 200])
  state.now += 10 * MINUTE
  assert.equal(await trade(), 401)
  const [entry] = await Array.fromAsync(registry.registry.audit.entries({ action: 'login.add' }))
  assert.equal(entry?.detail, `docker for ${under.issuer.url} ${JOB.sub}`)
})

test('A05: hostile tokens are refused, and keys come from nowhere but the issuer', async () => {
  await using under = await prepared()
  const { issuer, state } = under
  await using thief = await startIssuer()
  const seconds = Math.floor(state.now / 1000)
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const payload = { ...JOB, iss: issuer.url, iat: seconds, exp: seconds + 600 }
  const unsigned = (header: object) => `${encode(header)}.${encode(payload)}`
  const [rsa, stranger] = [await issuerKey('rsa', 'RS256'), await issuerKey('one')]
  issuer.keys = [...issuer.keys, rsa]
  const hmac = (secret: string) => {
    const head = unsigned({ alg: 'HS256', kid: 'rsa' })
    return `${head}.${createHmac('sha256', secret).update(head).digest('base64url')}`
  }
  const good = await under.mint()
  assert.equal(await under.ping(good), 200)
  const hostile: Record<string, string> = {
    'alg none': `${unsigned({ alg: 'none' })}.`,
    'alg none with a signature': `${unsigned({ alg: 'none' })}.${good.split('.')[2]}`,
    'HS256 with the public key': hmac(await exportSPKI(rsa.publicKey)),
    'HS256 with nothing': hmac(''),
    'another key under a known kid': await under.mint({}, { key: stranger }),
    'a kid of nowhere': await under.mint({}, { header: { kid: 'nowhere' } }),
    'another algorithm than the key’s': await under.mint({}, { key: { ...rsa, alg: 'PS256' } }).catch(() => 'x.y.z'),
    'a jku of its own': await under.mint({}, { key: thief.keys[0], header: { jku: `${thief.url}/jwks`, kid: 'two' } }),
    'a key in its head': await under.mint({}, { key: stranger, header: { jwk: { kty: 'EC' } } }),
    'a wrong audience': await under.mint({ aud: 'sts.amazonaws.com' }),
    'no audience': await under.mint({ aud: undefined }),
    'another issuer': await thief.mint({ ...JOB, iss: thief.url }),
    'the issuer’s name on another’s token': await thief.mint({ ...JOB, iss: issuer.url }),
    'no issuer': await under.mint({ iss: undefined }),
    'what has expired': await under.mint({ exp: seconds - 60 }),
    'no end': await under.mint({ exp: undefined }),
    'what is not valid yet': await under.mint({ nbf: seconds + 120 }),
    'a changed claim': [good.split('.')[0], encode({ ...payload, repository: 'acme/other' }), good.split('.')[2]].join(
      '.',
    ),
    'critical extensions that nobody knows': await under
      .mint({}, { header: { crit: ['exp'], exp: 1 } })
      .catch(() => 'x.y.z'),
    'another branch': await under.mint({ ref: 'refs/heads/other' }),
    nonsense: 'a.b.c',
    'too much': `${good}${'A'.repeat(17_000)}`,
  }
  for (const [what, token] of Object.entries(hostile)) {
    assert.equal(await under.ping(token), 401, what)
    const { status } = await under.post({ ...EXCHANGE, subject_token: token })
    assert.equal(status, 401, `${what}, exchanged`)
  }
  assert.deepEqual(thief.requests, [], 'nobody else is asked')
  assert.equal(await under.ping(await under.mint({ exp: seconds - 20 })), 200, 'clocks differ a little')
  assert.equal(await under.ping(good), 200)
  assert.ok(
    issuer.requests.length <= 4,
    `${issuer.requests.length} requests: tokens that are made up do not have keys read`,
  )
})

test('a token of a job is no other user’s password, and the registry’s own are none of a job’s', async () => {
  await using under = await prepared()
  assert.equal(await under.ping(await under.mint(), 'acme+ci'), 401)
  const { access_token: own } = (await under.post({ ...EXCHANGE, subject_token: await under.mint() })).json<{
    access_token: string
  }>()
  assert.equal(await under.ping(own), 401)
  await using without = await startRegistry({ anonymous: 'none' })
  assert.equal((await without.request('GET', '/v2/', { login: `oidc:${await under.mint()}` })).status, 401)
})

test('keys that the issuer changes are read again; one that does not answer is 503, and its keys go on for an hour', async () => {
  await using under = await prepared()
  const { issuer, state } = under
  const old = await under.mint()
  assert.equal(await under.ping(old), 200)
  issuer.keys = [await issuerKey('two')]
  state.now += 15_000
  assert.equal(await under.ping(await under.mint()), 200, 'a new key is looked for')
  assert.equal(await under.ping(old), 401, 'the old one is not there any more')
  for (const path of ['/jwks', '/.well-known/openid-configuration']) issuer.answers.set(path, { status: 500, body: '' })
  state.now += 30 * MINUTE
  assert.equal(await under.ping(await under.mint()), 200, 'known keys are still good')
  state.now += 31 * MINUTE
  const answer = await under.registry.request('GET', '/v2/', { login: `oidc:${await under.mint()}` })
  assert.equal(answer.status, 503)
  assert.ok(Number(answer.headers['retry-after']) > 0)
  const asked = issuer.requests.length
  assert.equal(await under.ping(await under.mint()), 503)
  assert.equal(issuer.requests.length, asked, 'it is not asked at each request')
  assert.match(under.state.reports.join(), /the keys of http:\/\/127\.0\.0\.1:\d+ cannot be read: .* answers 500/)
  issuer.answers.clear()
  state.now += 15_000
  assert.equal(await under.ping(await under.mint()), 200)
})

test('what an issuer says of itself is believed only so far: its name, where its keys are, how large they are', async () => {
  const path = '/.well-known/openid-configuration'
  const documents = (url: string) => [
    JSON.stringify({ issuer: 'https://other.example', jwks_uri: `${url}/jwks` }),
    JSON.stringify({ issuer: url }),
    JSON.stringify({ issuer: url, jwks_uri: 'file:///etc/passwd' }),
    JSON.stringify({ issuer: url, jwks_uri: `${url}/large` }),
    JSON.stringify({ issuer: url, jwks_uri: `${url}/moved` }),
    'null',
    '<html>',
  ]
  await using under = await prepared()
  const { issuer, state } = under
  issuer.answers.set('/large', { status: 200, body: JSON.stringify({ keys: [], pad: 'x'.repeat(300_000) }) })
  issuer.answers.set('/moved', { status: 302, body: '' })
  for (const body of documents(issuer.url)) {
    issuer.answers.set(path, { status: 200, body })
    assert.equal(await under.ping(await under.mint()), 503, body.slice(0, 80))
    state.now += MINUTE
  }
  issuer.answers.delete(path)
  assert.equal(await under.ping(await under.mint()), 200)
})

test('a rule whose robot is not there lets nobody in, and is told', async () => {
  await using under = await prepared([{ as: 'acme+gone' }])
  assert.equal(await under.ping(await under.mint()), 401)
  assert.match(under.state.reports.join(), /names the robot acme\+gone, which is not there/)
})

const skopeo = spawnSync('skopeo', ['--version']).status === 0 ? false : 'skopeo is not installed'

test('skopeo copies with a job’s token as password', { skip: skopeo }, async () => {
  await using under = await prepared()
  await using directory = await temporaryDirectory('bale-workload')
  const token = await under.mint()
  await under.registry.image('acme/web', 'one', { tag: '1', login: `oidc:${token}` })
  const name = `docker://${under.registry.address}/acme/web`
  const at = ['--src-tls-verify=false', '--dest-tls-verify=false', '--authfile', `${directory.path}/none.json`]
  const creds = ['--src-creds', `oidc:${token}`, '--dest-creds', `oidc:${token}`]
  await promisify(execFile)('skopeo', ['copy', ...at, ...creds, `${name}:1`, `${name}:2`])
  const login = `oidc:${token}`
  const tags = (await under.registry.request('GET', '/v2/acme/web/tags/list', { login })).json<{ tags: string[] }>()
  assert.deepEqual(tags.tags, ['1', '2'])
})
