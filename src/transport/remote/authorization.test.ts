import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BaleError, isBaleError, systemClock } from '#base'
import { fixedCredential, noCredentials } from '#transport/credentials'
import type { HttpClient } from '#transport/http'
import { type Handler, planServer } from '../../../test/kit/planned-server.ts'
import { createAuthorizer } from './authorizer.ts'
import { parseChallenges } from './challenge.ts'
import { defaultLimits } from './limits.ts'
import { checkLogin, openRepository } from './open-repository.ts'
import { registryHost } from './registry-host.ts'

const limits = { firstDelay: 1, longestDelay: 2, attempts: 3 }
const manifest = Buffer.from('{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}')
const password = { kind: 'password', username: 'ann', password: 'se:cret' } as const
const basic = `Basic ${Buffer.from('ann:se:cret').toString('base64')}`

test('challenges are read as RFC 9110 writes them: several, quoted, escaped, with opaque words', () => {
  const plain = (text: string) => parseChallenges(text).map(({ scheme, parameters }) => ({ scheme, ...parameters }))
  assert.deepEqual(plain('Basic realm="a \\"b\\", c", Bearer realm="https://x/y?z=1",service=s , scope="a b"'), [
    { scheme: 'basic', realm: 'a "b", c' },
    { scheme: 'bearer', realm: 'https://x/y?z=1', service: 's', scope: 'a b' },
  ])
  assert.deepEqual(plain('Negotiate abc==, Newauth, BASIC Realm=x'), [
    { scheme: 'negotiate' },
    { scheme: 'newauth' },
    { scheme: 'basic', realm: 'x' },
  ])
  assert.deepEqual(plain(', ,'), [])
  assert.deepEqual(plain('BEARER Realm=https://x/y?z=1,service=s,scope="a"'), [
    { scheme: 'bearer', realm: 'https://x/y?z=1', service: 's', scope: 'a' },
  ])
  assert.deepEqual(plain('Bearer realm="https://x" service="s"\tscope=""'), [
    { scheme: 'bearer', realm: 'https://x', service: 's', scope: '' },
  ])
  assert.deepEqual(plain('Bearer realm="never closed')[0], { scheme: 'bearer' })
})

/** A registry that wants a token, and its token service, at one address. */
function tokenRegistry(
  token: (query: URLSearchParams, authorization: string | undefined) => object,
  accepted = 'good',
): Handler {
  return ({ path, headers, method, body }, response) => {
    const url = new URL(path, 'http://x')
    if (url.pathname === '/token') {
      const query = method === 'POST' ? new URLSearchParams(body.toString()) : url.searchParams
      return response.end(JSON.stringify(token(query, headers.authorization)))
    }
    if (headers.authorization === `Bearer ${accepted}`) return response.end(manifest)
    const realm = `http://${headers.host}/token`
    response.writeHead(401, {
      'www-authenticate': `Bearer realm="${realm}",service="reg",scope="repository:other:push,pull,delete"`,
    })
    return response.end()
  }
}

test('C03 a token is asked for with the own scope only, whatever the registry proposes', async () => {
  const scopes: (string | null)[] = []
  await using server = await planServer(
    tokenRegistry((query, authorization) => {
      scopes.push(`${query.get('service')} ${query.getAll('scope').join('|')} ${authorization}`)
      return { token: 'good', expires_in: 300 }
    }),
  )
  await using repository = openRepository(
    { registry: server.host, repository: 'team/web' },
    { credentials: fixedCredential(server.host, password), limits },
  )
  await repository.resolve('1')
  await repository.resolve('2')
  assert.deepEqual(scopes, [`reg repository:team/web:pull ${basic}`], 'one token serves both requests')
})

test('anonymous access works without any credential, and a failing credential store is not asked when nobody wants a login', async () => {
  await using server = await planServer(
    tokenRegistry((_query, authorization) => ({ access_token: authorization ? 'bad' : 'good' })),
  )
  await using repository = openRepository(
    { registry: server.host, repository: 'a' },
    { credentials: noCredentials, limits },
  )
  assert.equal((await repository.resolve('1')).descriptor.size, manifest.length)
  await using open = await planServer((_request, response) => response.end(manifest))
  const broken = { get: () => Promise.reject(new Error('must not be asked')) }
  await using free = openRepository({ registry: open.host, repository: 'a' }, { credentials: broken, limits })
  assert.equal((await free.resolve('1')).descriptor.size, manifest.length)
})

test('an identity token is traded by POST, a registry token is sent as it is', async () => {
  await using server = await planServer(
    tokenRegistry((query) => ({
      access_token:
        query.get('grant_type') === 'refresh_token' && query.get('refresh_token') === 'id-1' ? 'good' : 'bad',
    })),
  )
  for (const credential of [
    { kind: 'identity-token', token: 'id-1' },
    { kind: 'registry-token', token: 'good' },
  ] as const) {
    await using repository = openRepository(
      { registry: server.host, repository: 'a' },
      { credentials: fixedCredential(server.host, credential), limits },
    )
    assert.equal((await repository.resolve('1')).descriptor.size, manifest.length, credential.kind)
  }
  assert.ok(
    server.seen.every(({ path }) => !path.includes('id-1')),
    'the identity token is in no address',
  )
})

test('C02 an identity token does not follow a redirect to another host', async () => {
  await using elsewhere = await planServer((_request, response) => response.end('{"token":"good"}'))
  await using server = await planServer(({ path, headers }, response) => {
    if (path.startsWith('/token')) return response.writeHead(307, { location: `${elsewhere.url}/token` }).end()
    return response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${headers.host}/token"` }).end()
  })
  const credential = { kind: 'identity-token', token: 'id-1' } as const
  await using repository = openRepository(
    { registry: server.host, repository: 'a' },
    { credentials: fixedCredential(server.host, credential), limits },
  )
  await assert.rejects(repository.resolve('1'), /redirects a login to another host/)
  assert.equal(elsewhere.seen.length, 0)
})

test('a token that the registry no longer accepts is replaced once', async () => {
  let accepted = 'first'
  let given = 0
  await using server = await planServer((request, response, seen) =>
    tokenRegistry(() => ({ token: given++ === 0 ? 'first' : 'second', expires_in: 3600 }), accepted)(
      request,
      response,
      seen,
    ),
  )
  await using repository = openRepository(
    { registry: server.host, repository: 'a' },
    { credentials: noCredentials, limits },
  )
  await repository.resolve('1')
  accepted = 'second'
  await repository.resolve('2')
  assert.equal(given, 2)
  accepted = 'none'
  await assert.rejects(repository.resolve('3'), { code: 'UNAUTHORIZED' })
})

const hostileTokens: [string, object | string, RegExp][] = [
  ['a line break', { token: 'a\r\nX-Evil: 1' }, /cannot be sent/],
  ['100 kB', { token: 'x'.repeat(100_000) }, /cannot be sent/],
  ['no token', { expires_in: 1 }, /no token/],
  ['no JSON', 'certainly not', /not JSON/],
  ['HTML', '<!DOCTYPE html><html>', /HTML page/],
  ['10 MiB', { token: 'good', filler: 'x'.repeat(10 << 20) }, /larger than/],
]
for (const [name, answer, message] of hostileTokens) {
  test(`C04 a token answer with ${name} is refused`, async () => {
    await using server = await planServer(({ path, headers }, response) => {
      if (path.startsWith('/token')) return response.end(typeof answer === 'string' ? answer : JSON.stringify(answer))
      return response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${headers.host}/token"` }).end()
    })
    await using repository = openRepository(
      { registry: server.host, repository: 'a' },
      { credentials: noCredentials, limits },
    )
    await assert.rejects(repository.resolve('1'), message)
  })
}

test('C04 the life of a token is at least a minute and at most an hour, whatever it says', async () => {
  for (const [expires_in, life] of [
    [undefined, 60],
    [-1, 60],
    [1, 60],
    ['x', 60],
    [600, 600],
    [1e99, 3600],
  ] as const) {
    let now = 0
    let given = 0
    await using server = await planServer(
      tokenRegistry(() => {
        given++
        return { token: 'good', expires_in }
      }),
    )
    await using repository = openRepository(
      { registry: server.host, repository: 'a' },
      { credentials: noCredentials, limits, clock: { ...systemClock, now: () => now } },
    )
    await repository.resolve('1')
    now = life * 1000 * 0.89
    await repository.resolve('2')
    assert.equal(given, 1, `${expires_in} is kept`)
    now = life * 1000
    await repository.resolve('3')
    assert.equal(given, 2, `${expires_in} ends`)
  }
})

const realms: [registry: string, base: string, realm: string, accepted: boolean][] = [
  ['docker.io', 'https://registry-1.docker.io', 'https://auth.docker.io/token', true],
  ['r.example', 'https://r.example', 'https://r.example/token', true],
  ['r.example', 'https://r.example', '/token', true],
  ['localhost:5000', 'http://localhost:5000', 'http://127.0.0.1:5001/token', true],
  ['10.0.0.5:5000', 'https://10.0.0.5:5000', 'https://10.0.0.6/token', true],
  ['r.example', 'https://r.example', 'http://auth.example/token', false],
  ['r.example', 'https://r.example', 'http://r.example/token', false],
  ['r.example', 'https://r.example', 'http://169.254.169.254/latest', false],
  ['r.example', 'https://r.example', 'https://169.254.169.254/latest', false],
  ['r.example', 'https://r.example', 'https://localhost/token', false],
  ['r.example', 'https://r.example', 'https://[::1]/token', false],
  ['r.example', 'https://r.example', 'https://[::ffff:10.0.0.1]/token', false],
  ['r.example', 'https://r.example', 'https://2130706433/token', false],
  ['r.example', 'https://r.example', 'file:///etc/passwd', false],
  ['r.example', 'https://r.example', 'https://a:b@auth.example/', false],
  ['r.example', 'http://r.example', 'http://other.example/token', false],
  ['localhost:5000', 'http://localhost:5000', 'http://r.example/token', false],
  // Names that lead to the company's network, and one that leads to the world.
  ['inner.example', 'https://inner.example', 'https://10.77.8.9/token', true],
  ['inner.example', 'https://inner.example', 'https://inner.example:8443/token?tenant=a', true],
  ['outer.example', 'https://outer.example', 'https://10.77.8.9/token', false],
  ['unknown.example', 'https://unknown.example', 'https://169.254.169.254/token', false],
]
const addresses: Record<string, string[]> = {
  'inner.example': ['10.1.2.3', 'fd00::1'],
  'outer.example': ['10.1.2.3', '192.0.2.1'],
}

/** An authorizer whose client notes what would be sent, for hosts that no test may dial. */
function noting(registry: string, base: string, more: { insecure?: boolean } = {}) {
  const sent: { url: string; authorization?: string }[] = []
  const client: HttpClient = {
    send: async ({ url, headers }) => {
      sent.push({ url: url.href, authorization: headers?.['authorization'] })
      throw new Error('noted')
    },
    [Symbol.asyncDispose]: async () => undefined,
  }
  const authorizer = createAuthorizer({
    registry: registryHost(registry),
    base: new URL(base),
    repository: 'a',
    credentials: fixedCredential(registry, password),
    client,
    clock: systemClock,
    limits: defaultLimits,
    lookup: async (hostname) => addresses[hostname] ?? [],
    ...more,
  })
  return { authorizer, sent }
}

for (const [registry, base, realm, accepted] of realms) {
  test(`C01 the token service ${realm} of ${base} is ${accepted ? 'accepted' : 'refused before a password is sent'}`, async () => {
    const { authorizer, sent } = noting(registry, base)
    const asked = authorizer.answer(parseChallenges(`Bearer realm="${realm}"`), ['s'], undefined)
    await assert.rejects(asked, accepted ? /noted/ : (error) => isBaleError(error, 'UNAUTHORIZED'))
    assert.deepEqual(
      sent.map((one) => one.authorization),
      accepted ? [basic] : [],
    )
  })
}

test('C01 a registry that changes its token service is refused', async () => {
  const { authorizer, sent } = noting('r.example', 'https://r.example')
  await assert.rejects(
    authorizer.answer(parseChallenges('Bearer realm="https://one.example"'), ['s'], undefined),
    /noted/,
  )
  await assert.rejects(authorizer.answer(parseChallenges('Bearer realm="https://two.example"'), ['s'], 'x'), /changed/)
  assert.equal(sent.length, 1)
})

test('C05 a password is never sent over plain http to another machine', async () => {
  for (const challenge of ['Basic realm="r"', 'Bearer realm="http://r.example/token"']) {
    const { authorizer, sent } = noting('r.example', 'http://r.example')
    await assert.rejects(authorizer.answer(parseChallenges(challenge), ['s'], undefined), /plain http/)
    assert.equal(sent.length, 0)
  }
})

test('where configuration marks a registry insecure, a login goes over plain http', async () => {
  const basicOnly = noting('r.example', 'http://r.example', { insecure: true })
  assert.equal(await basicOnly.authorizer.answer(parseChallenges('Basic realm="r"'), ['s'], undefined), basic)
  const { authorizer, sent } = noting('r.example', 'http://r.example', { insecure: true })
  const challenge = parseChallenges('Bearer realm="http://auth.example/token"')
  await assert.rejects(authorizer.answer(challenge, ['s'], undefined), /noted/)
  assert.equal(sent[0]?.authorization, basic)
})

test('a token may come in either member, the other one empty, and at any time of the clock', async () => {
  for (const answer of [
    { token: '', access_token: 'good', expires_in: 300 },
    { token: 'good', access_token: '' },
    { token: 'good', expires_in: null, issued_at: '2999-01-01T00:00:00Z' },
  ]) {
    await using server = await planServer(tokenRegistry(() => answer))
    await using repository = openRepository(
      { registry: server.host, repository: 'a' },
      { credentials: noCredentials, limits },
    )
    assert.equal((await repository.resolve('1')).descriptor.size, manifest.length)
  }
})

for (const status of [400, 401, 403, 404]) {
  test(`a registry that hides behind ${status} tells at /v2/ how to log in, and is asked that once`, async () => {
    await using server = await planServer(
      ({ path, headers }, response) => {
        if (headers.authorization === basic)
          return path.endsWith('/gone') ? response.writeHead(404).end() : response.end(manifest)
        if (path === '/v2/') return response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
        return response.writeHead(status).end('{"errors":[{"code":"NAME_UNKNOWN"}]}')
      },
      { ping: true },
    )
    await using repository = openRepository(
      { registry: server.host, repository: 'a' },
      { credentials: fixedCredential(server.host, password), limits },
    )
    assert.equal((await repository.resolve('1')).descriptor.size, manifest.length)
    await assert.rejects(repository.resolve('gone'), { code: 'MANIFEST_NOT_FOUND' })
    await using strange = openRepository(
      { registry: server.host, repository: 'a' },
      { credentials: noCredentials, limits },
    )
    await assert.rejects(strange.resolve('1'), (error) => isBaleError(error))
    await assert.rejects(strange.resolve('2'), (error) => isBaleError(error))
    // Each of both finds out the scheme first.
    assert.equal(server.seen.filter(({ path, headers }) => path === '/v2/' && !headers.authorization).length, 4)
  })
}

test('a broken credential helper is a warning where no login is needed, and the reason where one is', async () => {
  const warnings: string[] = []
  const log = { debug: () => undefined, warn: (text: string) => void warnings.push(text) }
  const broken = { get: () => Promise.reject(new BaleError('CREDENTIALS_FAILED', 'the helper x is not installed')) }
  await using open = await planServer(
    tokenRegistry((_query, authorization) => ({ token: authorization ? 'bad' : 'good' })),
  )
  await using free = openRepository({ registry: open.host, repository: 'a' }, { credentials: broken, limits, log })
  assert.equal((await free.resolve('1')).descriptor.size, manifest.length)
  assert.deepEqual(warnings, [`the helper x is not installed; continuing without a login for ${open.host}`])
  await using closed = await planServer((_request, response) =>
    response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end(),
  )
  await using shut = openRepository({ registry: closed.host, repository: 'a' }, { credentials: broken, limits })
  await assert.rejects(shut.resolve('1'), { code: 'CREDENTIALS_FAILED' })
})

test('a login asks its token service for an identity token, to keep in place of the password', async () => {
  const asked: string[] = []
  await using server = await planServer(
    tokenRegistry((query, authorization) => {
      asked.push(`${query.get('offline_token')} ${query.get('account')} ${authorization === basic}`)
      return { token: 'good', refresh_token: 'identity-1' }
    }),
    { ping: true },
  )
  const found = await checkLogin(server.host, { credentials: fixedCredential(server.host, password), limits })
  assert.deepEqual([found.identityToken, asked], ['identity-1', ['true ann true']])
})

test('a login is checked with Basic, and a wrong password is distinguished from a missing one', async () => {
  await using server = await planServer(
    ({ headers }, response) => {
      if (headers.authorization === basic) return response.end('{}')
      return response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
    },
    { ping: true },
  )
  await checkLogin(server.host, { credentials: fixedCredential(server.host, password), limits })
  const wrong = { ...password, password: 'other-secret' }
  await assert.rejects(
    checkLogin(server.host, { credentials: fixedCredential(server.host, wrong), limits }),
    (error) => {
      assert.ok(isBaleError(error, 'UNAUTHORIZED'))
      assert.match(error.message, /incorrect username or password/)
      assert.doesNotMatch(JSON.stringify([error.message, error.hint, error.details]), /other-secret/)
      return true
    },
  )
  await assert.rejects(checkLogin(server.host, { credentials: noCredentials, limits }), /denied/)
})
