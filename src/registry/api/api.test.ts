/** Requests and refusals of the API, over HTTP. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { BaleError } from '#base'
import { createFileObjects, listenWith, openRegistry, openSqliteMeta } from '#registry'
import {
  type Answer,
  clientOf,
  type Sending,
  startRegistry,
  type TestRegistry,
} from '../../../test/kit/registry-client.ts'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'
import { openApi } from './openapi.ts'

const ROOT = { login: 'root:password-of-root' }

async function withRoot(options: Parameters<typeof startRegistry>[0] = {}): Promise<TestRegistry> {
  const registry = await startRegistry({ anonymous: 'none', ...options })
  await registry.registry.users.add('root', 'password-of-root', { admin: true })
  await registry.registry.users.add('ann', 'password-of-ann')
  return registry
}

const json = (value: unknown): Sending => ({
  ...ROOT,
  body: typeof value === 'string' ? value : JSON.stringify(value),
  headers: { 'content-type': 'application/json' },
})

interface Problem {
  type: string
  title: string
  status: number
  detail: string
  instance: string
  code: string
  hint?: string
  next?: object
  errors?: object[]
}

/** A refusal has the form of RFC 9457, and repeats the status and the ID of its request. */
function problemOf(answer: Answer): Problem {
  assert.equal(answer.headers['content-type'], 'application/problem+json')
  assert.equal(answer.headers['cache-control'], 'no-store')
  const problem = answer.json<Problem & Record<string, unknown>>()
  assert.equal(problem.status, answer.status)
  assert.equal(problem.type, 'about:blank')
  assert.equal(problem.instance, answer.headers['x-request-id'])
  assert.ok(problem.title)
  return problem
}

test('what a schema does not take is refused by name, all of it at once, with its place', async () => {
  await using registry = await withRoot()
  const errors = async (method: string, path: string, sending: Sending) => {
    const answer = await registry.request(method, `/api/v1${path}`, sending)
    assert.equal(answer.status, 400)
    const { code, errors } = problemOf(answer)
    assert.equal(code, 'INVALID_ARGUMENT')
    return errors
  }
  assert.deepEqual(await errors('POST', '/users', json({ name: 7, pasword: 'x' })), [
    { pointer: '/name', detail: 'expects a text: Name of a user' },
    { pointer: '/password', detail: 'is missing' },
    { pointer: '/pasword', detail: 'is not known; did you mean password?' },
  ])
  assert.deepEqual(
    await errors('POST', '/users', json('{"name":"a","password":"12345678","__proto__":{"admin":true}}')),
    [{ pointer: '/__proto__', detail: 'is not known' }],
  )
  assert.deepEqual(
    await errors('POST', '/robots', json({ name: 'ann+ci', grants: [{ pattern: 'ann/**', 'a/b~c': 1 }] })),
    [
      { pointer: '/grants/0/role', detail: 'is missing' },
      { pointer: '/grants/0/a~1b~0c', detail: 'is not known' },
    ],
  )
  assert.deepEqual(await errors('GET', '/audit?limit=0&lmit=5&since=x&since=y', ROOT), [
    { parameter: 'since', detail: 'is given more than once' },
    { parameter: 'since', detail: 'expects a whole number from 0 to 9007199254740991' },
    { parameter: 'limit', detail: 'expects a whole number from 1 to 1000' },
    { parameter: 'lmit', detail: 'is not known; did you mean limit?' },
  ])
  assert.deepEqual(await errors('DELETE', '/policies/x', ROOT), [
    { parameter: 'id', detail: 'expects a whole number from 0 to 9007199254740991' },
  ])
  for (const body of [[], null, 7, 'text']) {
    assert.deepEqual(await errors('POST', '/collections', json(JSON.stringify(body))), [
      { pointer: '', detail: 'expects an object of JSON as body' },
    ])
  }
  assert.deepEqual(await errors('POST', '/collections', ROOT), [
    { pointer: '', detail: 'expects an object of JSON as body' },
  ])
  assert.deepEqual(await errors('DELETE', '/users/ann', json({})), [
    { pointer: '', detail: 'this operation takes no body' },
  ])
  assert.deepEqual(
    (await registry.registry.users.list()).map(({ name }) => name),
    ['ann', 'root'],
  )
})

test('what the registry itself refuses has its code, words and next step', async () => {
  await using registry = await withRoot()
  const refused = async (method: string, path: string, sending: Sending) => {
    const { status, code, detail, hint, next } = problemOf(await registry.request(method, `/api/v1${path}`, sending))
    return { status, code, detail, hint, next }
  }
  assert.deepEqual(await refused('POST', '/users', json({ name: 'ann', password: 'another password' })), {
    status: 409,
    code: 'CONFLICT',
    detail: 'user ann already exists',
    hint: undefined,
    next: { act: 'change-registry-password', user: 'ann' },
  })
  assert.deepEqual(await refused('PUT', '/accounts/ann/grants/team%2F*', json({ role: 'owner' })), {
    status: 400,
    code: 'INVALID_ARGUMENT',
    detail: 'not a role: owner',
    hint: 'roles are read, write, delete and admin',
    next: undefined,
  })
  const { digest } = await registry.image('team/web', 'one', { tag: 'v1', login: ROOT.login })
  await registry.image('team/web', 'two', { tag: 'v1', login: ROOT.login })
  await registry.registry.policies.immutable('team/web', 'v1')
  const restore = ['PUT', '/repositories/team%2Fweb/tags/v1', json({ digest })] as const
  assert.deepEqual((await refused(...restore)).status, 412)
  assert.deepEqual((await refused(...restore)).code, 'TAG_IMMUTABLE')
})

test('A11 bodies are JSON by their type, bounded, and read whole or not at all', async () => {
  await using registry = await withRoot()
  const post = async (sending: Sending) => {
    const answer = await registry.request('POST', '/api/v1/users', sending)
    return [answer.status, problemOf(answer).code]
  }
  const body = JSON.stringify({ name: 'bob', password: 'password-of-bob' })
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  assert.deepEqual(await post({ ...ROOT, body }), [415, 'UNSUPPORTED'])
  assert.deepEqual(await post({ ...ROOT, body, headers: form }), [415, 'UNSUPPORTED'])
  assert.deepEqual(await post({ ...ROOT, body, headers: { 'content-type': 'text/plain; application/json' } }), [
    415,
    'UNSUPPORTED',
  ])
  assert.deepEqual(await post(json('{"name":')), [400, 'INVALID_ARGUMENT'])
  assert.deepEqual(await post({ ...json(''), body: Buffer.from([0x22, 0xff, 0x22]) }), [400, 'INVALID_ARGUMENT'])
  const large = JSON.stringify({ name: 'x'.repeat(300_000) })
  assert.deepEqual(await post(json(large)), [413, 'LIMIT_EXCEEDED'])
  const chunked = { 'content-type': 'application/json', 'Transfer-Encoding': 'chunked' }
  assert.deepEqual(await post({ ...json(large), headers: chunked }), [413, 'LIMIT_EXCEEDED'])
  const charset = { 'content-type': 'Application/JSON; charset=utf-8' }
  assert.equal((await registry.request('POST', '/api/v1/users', { ...ROOT, body, headers: charset })).status, 204)
})

test('other addresses, other methods and encodings of a path are what they are', async () => {
  await using registry = await withRoot()
  const status = async (method: string, path: string, sending: Sending = ROOT) =>
    (await registry.request(method, path, sending)).status
  assert.deepEqual(problemOf(await registry.request('GET', '/api/v1/nothing', ROOT)).code, 'UNSUPPORTED')
  const other = await registry.request('PATCH', '/api/v1/users', ROOT)
  assert.deepEqual([other.status, problemOf(other).code], [405, 'UNSUPPORTED'])
  const wrong = await registry.request('PUT', '/api/v1/users', ROOT)
  assert.deepEqual([wrong.status, wrong.headers.allow], [405, 'GET, POST'])
  assert.equal(await status('GET', '/api/v1'), 404)
  assert.equal(await status('GET', '/api/v2/users'), 404)
  assert.equal(await status('GET', '/api/v1/users/'), 404)
  assert.equal(await status('GET', '/api/v1/accounts/%zz/tokens'), 404, 'what cannot be decoded')
  assert.equal(await status('GET', '/api/v1/accounts/%2561nn/tokens'), 404, 'decoded once: there is no user %61nn')
  assert.equal(await status('GET', '/api/v1/accounts/%61nn/tokens'), 200)
  assert.equal(await status('GET', '/api/v1/accounts/../users'), 404, 'nothing is resolved')
  assert.equal(await status('GET', `/api/v1/accounts/${'a'.repeat(5000)}/tokens`), 404)
})

test('nobody administers without a login; tokens are for administration when they were issued for it', async () => {
  await using registry = await withRoot({ anonymous: 'push' })
  const answer = await registry.request('GET', '/api/v1/me')
  assert.deepEqual([answer.status, problemOf(answer).code], [401, 'UNAUTHORIZED'])
  assert.match(
    String(answer.headers['www-authenticate']),
    /^Bearer realm="http:\/\/[^"]+\/token",service="bale-registry",scope="registry:api:\*"$/,
  )
  const tokenFor = async (scope: string, sending: Sending) =>
    (await registry.request('GET', `/token?service=bale-registry&scope=${scope}`, sending)).json<{ token: string }>()
      .token
  const good = await tokenFor('registry:api:*', ROOT)
  assert.equal((await registry.request('GET', '/api/v1/users', { token: good })).status, 200)
  assert.equal((await registry.request('GET', '/v2/_catalog', { token: good })).status, 401, 'and for nothing else')
  const other = await registry.request('GET', '/api/v1/users', { token: await tokenFor('repository:a:pull', ROOT) })
  assert.equal(other.status, 401)
  assert.match(String(other.headers['www-authenticate']), /error="insufficient_scope"/)
  const anonymous = await tokenFor('registry:api:*', {})
  assert.equal((await registry.request('GET', '/api/v1/me', { token: anonymous })).status, 401)
  await registry.registry.users.setAdmin('root', false)
  assert.equal((await registry.request('GET', '/api/v1/users', { token: good })).status, 403, 'rights are those of now')
})

test('an account sees what it is and may, owners what is theirs, and everybody the repositories that they may pull', async () => {
  await using registry = await withRoot()
  const { users, organisations, robots, accessTokens, visibility, policies } = registry.registry
  for (const name of ['acme', 'other']) await organisations.add(name)
  await organisations.setMember('acme', 'ann', 'owner')
  for (const name of ['acme/web', 'other/web']) await organisations.addTeam(name)
  for (const name of ['acme+ci', 'other+ci', 'ann+ci']) await robots.add(name)
  for (const name of ['acme/web', 'other/web', 'ann/x', 'team/x'])
    await registry.image(name, name, { login: ROOT.login })
  for (const pattern of ['acme/*', 'other/*', '**/x']) await policies.immutable(pattern, 'v*')
  await users.grant('ann', 'team/*', 'admin')
  await visibility.publish('other/web')
  const ann = { login: 'ann:password-of-ann' }
  const get = async (path: string, sending: Sending = ann) =>
    (await registry.request('GET', `/api/v1${path}`, sending)).json()
  const names = async (path: string, key = 'name') =>
    ((await get(path))['items'] as Record<string, string>[]).map((one) => one[key])
  assert.deepEqual(await get('/me'), {
    name: 'ann',
    kind: 'user',
    admin: false,
    grants: [
      { pattern: 'acme/**', role: 'admin' },
      { pattern: 'team/*', role: 'admin' },
    ],
    groups: [{ group: 'acme', role: 'owner' }],
    administers: ['ann', 'acme'],
  })
  assert.deepEqual(await names('/organisations'), ['acme'])
  assert.deepEqual(await names('/organisations?name=other'), [])
  assert.deepEqual(await names('/teams'), ['acme/web'])
  assert.deepEqual(await names('/teams?organisation=other'), [])
  assert.deepEqual(await names('/robots?owner=other'), [])
  assert.deepEqual(await names('/robots'), ['acme+ci', 'ann+ci'])
  assert.deepEqual(await names('/policies', 'pattern'), ['acme/*'])
  assert.deepEqual(await get('/public-patterns'), { items: [] })
  assert.deepEqual(await names('/repositories'), ['acme/web', 'ann/x', 'other/web', 'team/x'])
  const pages = [await get('/repositories?limit=3'), await get('/repositories?limit=3&last=other/web')]
  assert.deepEqual(
    pages.map(({ next }) => next),
    ['other/web', undefined],
  )
  const secret = await accessTokens.add('ann', 'narrow', { pattern: 'acme/*', role: 'read' })
  const limited = await get('/me', { login: `ann:${secret}` })
  assert.deepEqual([limited['limit'], limited['administers']], [{ pattern: 'acme/*', role: 'read' }, []])
  assert.deepEqual(await get('/repositories', { login: `ann:${secret}` }), {
    items: [{ name: 'acme/web', isPublic: false }],
  })
})

test('lists of accounts and of a tag’s history come in pages, for administrators and owners alike', async () => {
  await using registry = await withRoot()
  const { users, organisations, robots } = registry.registry
  for (const name of ['bob', 'cat']) await users.add(name, `password-of-${name}`)
  for (const name of ['acme', 'acme-x', 'other']) {
    await organisations.add(name, { owner: name === 'other' ? undefined : 'ann' })
    for (const team of ['api', 'web']) await organisations.addTeam(`${name}/${team}`)
  }
  for (const name of ['ann+ci', 'acme+ci', 'acme-x+ci', 'other+ci']) await robots.add(name)
  for (const content of ['one', 'two', 'three']) {
    await registry.image('ann/x', content, { tag: 'latest', login: ROOT.login })
  }
  const all = async (path: string, { login, cursor = 'last' }: { login: string; cursor?: string }) => {
    const pages: unknown[][] = []
    for (let next: unknown; ; ) {
      const query = `limit=2${next === undefined ? '' : `&${cursor}=${encodeURIComponent(String(next))}`}`
      const answer = await registry.request('GET', `/api/v1${path}${path.includes('?') ? '&' : '?'}${query}`, { login })
      const page = answer.json<{ items: { name?: string; id?: number }[]; next?: unknown }>()
      pages.push(page.items.map(({ name, id }) => name ?? id))
      next = page.next
      if (next === undefined) return pages
    }
  }
  const [root, ann] = [{ login: ROOT.login }, { login: 'ann:password-of-ann' }]
  assert.deepEqual(await all('/users', root), [['ann', 'bob'], ['cat', 'root'], []])
  assert.deepEqual(await all('/organisations', root), [['acme', 'acme-x'], ['other']])
  assert.deepEqual(await all('/organisations', ann), [['acme', 'acme-x'], []])
  assert.deepEqual(await all('/teams', root), [
    ['acme-x/api', 'acme-x/web'],
    ['acme/api', 'acme/web'],
    ['other/api', 'other/web'],
    [],
  ])
  assert.deepEqual(await all('/teams', ann), [['acme/api', 'acme/web'], ['acme-x/api', 'acme-x/web'], []])
  assert.deepEqual(await all('/teams?organisation=acme', ann), [['acme/api', 'acme/web'], []])
  assert.deepEqual(await all('/teams?organisation=other', ann), [[]])
  assert.deepEqual(await all('/robots', ann), [['acme+ci', 'acme-x+ci'], ['ann+ci']])
  assert.deepEqual(await all('/robots?owner=other', root), [['other+ci']])
  const history = await all('/repositories/ann%2Fx/tags/latest/history', { ...ann, cursor: 'before' })
  assert.deepEqual(
    history.map(({ length }) => length),
    [2, 1],
  )
  assert.equal((await registry.request('GET', '/api/v1/users?limit=1001', root)).status, 400)
})

test('quotas are set by administrators, seen by those whose repositories they limit, and refuse in their words', async () => {
  await using registry = await withRoot()
  await registry.registry.organisations.add('acme', { owner: 'ann' })
  for (const tag of ['v1', 'v2']) await registry.image('acme/web', tag, { tag, login: ROOT.login })
  const send = async (method: string, path: string, sending: Sending) =>
    await registry.request(method, `/api/v1${path}`, sending)
  const ann = { login: 'ann:password-of-ann' }
  for (const [scope, limits] of [
    ['acme/**', { bytes: 1e9, tags: 1 }],
    ['ann/**', { repositories: 5 }],
    ['**', { tags: 100 }],
  ] as const) {
    assert.equal((await send('PUT', `/quotas/${encodeURIComponent(scope)}`, json(limits))).status, 204)
  }
  const scopes = async (query: string, sending: Sending) =>
    (await send('GET', `/quotas${query}`, sending))
      .json<{ items: { scope: string }[] }>()
      .items.map(({ scope }) => scope)
  assert.deepEqual(await scopes('', ROOT), ['**', 'acme/**', 'ann/**'])
  assert.deepEqual(await scopes('?owner=acme', ROOT), ['acme/**'])
  assert.deepEqual(await scopes('', ann), ['acme/**', 'ann/**'])
  assert.deepEqual(await scopes('?owner=acme', ann), ['acme/**'])
  assert.deepEqual(await scopes('?owner=other', ann), [])
  const [{ limits, used }] = (await send('GET', '/quotas?owner=acme', ann)).json<{
    items: [{ limits: object; used: object }]
  }>().items
  assert.deepEqual(
    [limits, { ...used, bytes: 0 }],
    [
      { bytes: 1e9, tags: 1 },
      { bytes: 0, tags: 2, repositories: 1 },
    ],
  )
  assert.equal((await send('PUT', '/quotas/acme%2F**', { ...json({ bytes: 1e12 }), ...ann })).status, 403)
  assert.equal(problemOf(await send('PUT', '/quotas/acme%2F*', json({ tags: 1 }))).code, 'INVALID_ARGUMENT')
  assert.equal(problemOf(await send('PUT', '/quotas/acme%2Fweb', json({}))).code, 'INVALID_ARGUMENT')
  const digest = (await registry.registry.tags.history('acme/web', 'v2'))[0]!.digest!
  assert.equal((await registry.request('DELETE', '/v2/acme/web/manifests/v2', ROOT)).status, 202)
  const { status, code, detail } = problemOf(await send('PUT', '/repositories/acme%2Fweb/tags/v2', json({ digest })))
  assert.deepEqual(
    [status, code, detail],
    [403, 'QUOTA_EXCEEDED', 'the quota of acme/** is 1 tag: 1 tag is used, and this needs 1 tag more'],
  )
  assert.equal((await send('DELETE', '/quotas/acme%2F**', ROOT)).status, 204)
  const { next } = problemOf(await send('DELETE', '/quotas/acme%2F**', ROOT))
  assert.deepEqual(next, { act: 'list-registry-quotas' })
  const [line] = (await send('GET', '/audit?limit=1', ROOT)).json<{ items: Record<string, unknown>[] }>().items
  assert.deepEqual(
    { ...line, id: 0, at: 0 },
    {
      id: 0,
      at: 0,
      actor: 'user:root',
      address: '127.0.0.1',
      action: 'quota.remove',
      target: 'acme/**',
      outcome: 'done',
    },
  )
})

test('what was done is recorded as done by its caller, a restored tag too', async () => {
  await using registry = await withRoot()
  const { digest } = await registry.image('team/web', 'one', { tag: 'latest', login: ROOT.login })
  await registry.image('team/web', 'two', { tag: 'latest', login: ROOT.login })
  const restored = await registry.request('PUT', '/api/v1/repositories/team%2Fweb/tags/latest', json({ digest }))
  assert.equal(restored.status, 204)
  await registry.request('PUT', '/api/v1/users/ann/admin', json({ admin: true }))
  const [line] = await registry.registry.tags.history('team/web', 'latest')
  assert.equal(line?.actor, 'user:root')
  const { items } = (await registry.request('GET', '/api/v1/audit?limit=2', ROOT)).json<{
    items: Record<string, unknown>[]
  }>()
  assert.deepEqual(
    items.map(({ actor, address, action, target, outcome }) => ({ actor, address, action, target, outcome })),
    [
      { actor: 'user:root', address: '127.0.0.1', action: 'user.admin', target: 'ann', outcome: 'done' },
      { actor: 'user:root', address: '127.0.0.1', action: 'tag.set', target: 'team/web:latest', outcome: 'done' },
    ],
  )
})

test('an access token with an end gives no secret that lasts longer than itself', async () => {
  await using registry = await withRoot()
  const hour = 3_600_000
  const ending = await registry.registry.accessTokens.add('ann', 'ending', { lifetime: hour })
  const endless = await registry.registry.accessTokens.add('ann', 'endless')
  const post = async (secret: string, path: string, body: object) =>
    (await registry.request('POST', `/api/v1${path}`, { ...json(body), login: `ann:${secret}` })).status
  const tokens = '/accounts/ann/tokens'
  assert.equal(await post(ending, tokens, { label: 'a' }), 403)
  assert.equal(await post(ending, tokens, { label: 'a', lifetime: hour + 1 }), 403)
  assert.equal(await post(ending, '/robots', { name: 'ann+a' }), 403)
  assert.equal(await post(ending, tokens, { label: 'a', lifetime: hour / 2 }), 200)
  assert.equal(await post(ending, '/robots', { name: 'ann+a', lifetime: hour / 2 }), 200)
  assert.equal(await post(endless, tokens, { label: 'b' }), 200)
})

test('one’s own password is changed with the old one, guesses at which are limited; an access token is none', async () => {
  await using registry = await withRoot()
  const secret = await registry.registry.accessTokens.add('ann', 'whole')
  const change = async (login: string, body: object, name = 'ann') =>
    (await registry.request('PUT', `/api/v1/users/${name}/password`, { ...json(body), login })).status
  const ann = 'ann:password-of-ann'
  assert.equal(await change(ann, { password: 'new-password' }), 400)
  assert.equal(await change(ann, { password: 'new-password', old: 'wrong' }), 403)
  assert.equal(await change(`ann:${secret}`, { password: 'new-password', old: secret }), 403)
  assert.equal(await change(ann, { password: 'new-password', old: 'password-of-root' }, 'root'), 403)
  assert.equal(await change(ann, { password: 'new-password', old: 'password-of-ann' }), 204)
  assert.equal(await change(ann, { password: 'new-password', old: 'password-of-ann' }), 401)
  assert.equal(await change(ROOT.login, { password: 'another-password' }), 204)
  const guesses: number[] = []
  for (let guess = 0; guess < 12; guess++) {
    guesses.push(await change(`ann:${secret}`, { password: 'new-password', old: `guess ${guess}` }))
  }
  assert.deepEqual([guesses[0], guesses.at(-1)], [403, 429])
})

test('the description is served to everybody, and the request log knows the API as one end point', async () => {
  const seen: (string | undefined)[] = []
  await using registry = await withRoot({
    observe: (event) => void (event.kind === 'request-ended' && seen.push(event.route)),
  })
  const answer = await registry.request('GET', '/api/v1/openapi.json')
  assert.equal(answer.headers['content-type'], 'application/json')
  assert.deepEqual(answer.json(), JSON.parse(JSON.stringify(openApi())))
  await registry.request('GET', '/api/v1/users/x/y', ROOT)
  assert.deepEqual(seen, ['api', 'api'])
})

test('a failure that is the registry’s own says nothing of it to the client, and all of it to the operator', async () => {
  await using directory = await temporaryDirectory('bale-api')
  const meta = openSqliteMeta({ path: join(directory.path, 'registry.db') })
  const failures: Error[] = [
    new Error('a bug at /secret/place'),
    new BaleError('UNAVAILABLE', 'postgres at db.internal is away'),
    new BaleError('NO_SPACE', '/secret/place is full'),
  ]
  const broken = { ...meta, as: () => ({ ...meta, listAccounts: () => Promise.reject(failures.shift()) }) }
  const told: string[] = []
  const parts = {
    meta: broken,
    objects: createFileObjects(join(directory.path, 'objects')),
    secret: new Uint8Array(32),
  }
  const registry = await openRegistry(parts, { report: (failure) => void told.push(String(failure)) })
  await registry.users.add('root', 'password-of-root', { admin: true })
  await using served = await listenWith(registry, { port: 0 })
  const answers: [number, string, string, string?][] = []
  while (failures.length > 0) {
    const answer = await clientOf(served.address).request('GET', '/api/v1/users', ROOT)
    const { status, code, detail } = problemOf(answer)
    answers.push([status, code, detail, answer.headers['retry-after']])
  }
  assert.deepEqual(answers, [
    [500, 'INTERNAL', 'the registry failed', undefined],
    [503, 'UNAVAILABLE', 'the registry is not available at the moment; try again', '2'],
    [507, 'NO_SPACE', 'the registry has no space left', undefined],
  ])
  assert.deepEqual([told.length, /secret/.test(told[0]!), /internal/.test(told[1]!)], [3, true, true])
})
