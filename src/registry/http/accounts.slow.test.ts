/** Organisations, teams, robots, access tokens and public repositories, over HTTP. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Clock, systemClock } from '#base'
import { sha256, startRegistry, type TestRegistry } from '../../../test/kit/registry-client.ts'
import { until } from '../../../test/kit/until.ts'

const password = (name: string) => `password-of-${name}`
const login = (name: string) => `${name}:${password(name)}`

async function company(options: Parameters<typeof startRegistry>[0] = {}): Promise<TestRegistry> {
  const registry = await startRegistry({ anonymous: 'none', ...options })
  const { users, organisations } = registry.registry
  for (const name of ['ann', 'bob', 'cat']) await users.add(name, password(name))
  await organisations.add('acme', { owner: 'ann' })
  await organisations.addTeam('acme/web')
  await organisations.setMember('acme', 'bob', 'member')
  return registry
}

const MANIFEST = JSON.stringify({
  schemaVersion: 2,
  mediaType: 'application/vnd.oci.image.index.v1+json',
  manifests: [],
})
const HEADERS = { 'content-type': 'application/vnd.oci.image.index.v1+json' }

/** Statuses of pulling, pushing and deleting a tag, with Basic; what is pulled may be missing. */
async function mayDo(registry: TestRegistry, login: string | undefined, repository: string): Promise<string> {
  const push = await registry.request('PUT', `/v2/${repository}/manifests/one`, {
    login,
    body: MANIFEST,
    headers: HEADERS,
  })
  const pull = await registry.request('GET', `/v2/${repository}/manifests/one`, { login })
  const remove = await registry.request('DELETE', `/v2/${repository}/manifests/none`, { login })
  const actions = [
    [pull.status, 'pull'],
    [push.status, 'push'],
    [remove.status, 'delete'],
  ] as const
  return actions
    .filter(([status]) => status !== 401 && status !== 403)
    .map(([, action]) => action)
    .join(' ')
}

async function tokenFor(registry: TestRegistry, login: string | undefined, ...scopes: string[]) {
  const query = scopes.map((scope) => `scope=${encodeURIComponent(scope)}`).join('&')
  const answer = await registry.request('GET', `/token?service=bale-registry&${query}`, { login })
  return answer.status === 200 ? answer.json<{ token: string }>().token : undefined
}

const bearer = (token: string | undefined) => ({ authorization: `Bearer ${token}` })

test('owners may do everything in an organisation, members what it grants, teams what they have, others nothing', async () => {
  await using registry = await company()
  const { users, organisations } = registry.registry
  const rights = async (repository: string) => {
    const each: string[] = []
    for (const name of ['ann', 'bob', 'cat']) each.push(await mayDo(registry, login(name), repository))
    return each
  }
  assert.deepEqual(await rights('acme/web'), ['pull push delete', '', ''])
  await users.grant('acme', 'acme/base', 'read')
  assert.deepEqual(await rights('acme/base'), ['pull push delete', 'pull', ''])
  await users.grant('acme/web', 'acme/web', 'write')
  assert.deepEqual(await rights('acme/web'), ['pull push delete', '', ''])
  await organisations.setMember('acme/web', 'bob', 'member')
  assert.deepEqual(await rights('acme/web'), ['pull push delete', 'pull push', ''])
  await users.grant('acme/web', 'acme/web', 'delete')
  assert.deepEqual(await rights('acme/web'), ['pull push delete', 'pull push delete', ''])
  assert.deepEqual(await rights('acmes/web'), ['', '', ''], 'a name is not part of another')
  await organisations.removeMember('acme', 'bob')
  assert.deepEqual(await rights('acme/web'), ['pull push delete', '', ''], 'at once, and out of its teams')
  await organisations.setMember('acme', 'ann', 'member')
  assert.deepEqual(await rights('acme/base'), ['pull', '', ''], 'no longer an owner')
  await assert.rejects(organisations.remove('acme'), { code: 'CONFLICT', message: /acme\/(base|web)/ })
})

test('nobody logs in as an organisation or team, with whatever password', async () => {
  await using registry = await company()
  for (const name of ['acme', 'acme/web']) {
    for (const secret of ['', 'password', 'undefined', 'null']) {
      const answer = await registry.request('GET', '/v2/', { login: `${name}:${secret}` })
      assert.equal(answer.status, 401, `${name}:${secret}`)
    }
  }
})

test('a catalog shows what one may pull by whatever way', async () => {
  await using registry = await company()
  const { users, visibility, robots, accessTokens } = registry.registry
  for (const repository of ['acme/web', 'acme/public/base']) await mayDo(registry, login('ann'), repository)
  await mayDo(registry, login('cat'), 'cat/one')
  await mayDo(registry, login('cat'), 'cat/two')
  const catalog = async (who: string) =>
    (await registry.request('GET', '/v2/_catalog', { login: who })).json<{ repositories: string[] }>().repositories
  await visibility.publish('acme/public/**')
  await users.grant('acme', 'acme/web', 'read')
  assert.deepEqual(await catalog(login('ann')), ['acme/public/base', 'acme/web'])
  assert.deepEqual(await catalog(login('bob')), ['acme/public/base', 'acme/web'])
  assert.deepEqual(await catalog(login('cat')), ['acme/public/base', 'cat/one', 'cat/two'])
  const robot = await robots.add('cat+ci', { grants: [{ pattern: 'cat/one', role: 'read' }] })
  assert.deepEqual(await catalog(`cat+ci:${robot}`), ['acme/public/base', 'cat/one'])
  const token = await accessTokens.add('cat', 'two', { pattern: 'cat/two' })
  assert.deepEqual(await catalog(`cat:${token}`), ['cat/two'])
  const asked = await registry.request('GET', '/v2/_catalog')
  assert.equal(asked.status, 401, 'whoever has a login is asked for it, and not shown less than it gives')
  const scope = 'registry:catalog:*'
  assert.match(String(asked.headers['www-authenticate']), /scope="registry:catalog:\*"$/)
  const tokenOf = async (wanted: string) => await registry.request('GET', `/token?scope=${wanted}`)
  const { token: nobodys } = (await tokenOf(scope)).json<{ token: string }>()
  const page = async (query = '') => {
    const { body, headers } = await registry.request('GET', `/v2/_catalog${query}`, { token: nobodys })
    return [JSON.parse(body.toString()).repositories, headers.link]
  }
  assert.deepEqual(await page(), [['acme/public/base'], undefined])
  await visibility.publish('cat/one')
  assert.deepEqual(await page('?n=1'), [
    ['acme/public/base'],
    '</v2/_catalog?n=1&last=acme%2Fpublic%2Fbase>; rel="next"',
  ])
  for (const pattern of ['acme/public/**', 'cat/one']) await visibility.hide(pattern)
  assert.deepEqual(await page(), [[], undefined], 'also with a token of before')
  assert.equal((await tokenOf(scope)).status, 401, 'nobody gets one while nothing is public')
})

test('a robot may do what was granted to it, with its secret alone, until it is removed', async () => {
  await using registry = await company()
  const { robots, users, organisations, accessTokens } = registry.registry
  const secret = await robots.add('acme+ci', { grants: [{ pattern: 'acme/web', role: 'write' }] })
  assert.match(secret, /^bale_[\w-]{43}$/)
  const robot = `acme+ci:${secret}`
  assert.equal(await mayDo(registry, robot, 'acme/web'), 'pull push')
  assert.equal(await mayDo(registry, robot, 'acme/base'), '')
  assert.equal(await mayDo(registry, robot, 'ci/x'), '', 'nothing is below its name')
  assert.equal(await mayDo(registry, `ann:${secret}`, 'acme/web'), '', 'the secret is that of one account')
  assert.equal(await mayDo(registry, `acme+ci:${secret.slice(0, -1)}`, 'acme/web'), '')
  await users.grant('acme+ci', 'acme/base', 'read')
  assert.equal(await mayDo(registry, robot, 'acme/base'), 'pull')
  await users.grant('acme/web', 'acme/team', 'read')
  await organisations.setMember('acme/web', 'acme+ci', 'member')
  assert.equal(await mayDo(registry, robot, 'acme/team'), 'pull')
  const issued = await tokenFor(registry, robot, 'repository:acme/web:pull,push')
  const read = () => registry.request('GET', '/v2/acme/web/manifests/one', { headers: bearer(issued) })
  assert.equal((await read()).status, 200)
  const second = await accessTokens.add('acme+ci', 'second')
  await accessTokens.remove('acme+ci', 'first')
  assert.equal((await read()).status, 401, 'what was issued for a secret ends with it')
  assert.equal(await mayDo(registry, robot, 'acme/web'), '')
  assert.equal(await mayDo(registry, `acme+ci:${second}`, 'acme/web'), 'pull push', 'the new one is good already')
  await robots.remove('acme+ci')
  assert.equal(await mayDo(registry, `acme+ci:${second}`, 'acme/web'), '')
})

test('a personal token gives no more than it says, and no more than its user may', async () => {
  await using registry = await company()
  const { accessTokens, users } = registry.registry
  await users.grant('bob', 'acme/web', 'read')
  let tried = 0
  const rights = async (options: Parameters<typeof accessTokens.add>[2], repository: string) => {
    const secret = await accessTokens.add('bob', `tried ${++tried}`, options)
    const byBasic = await mayDo(registry, `bob:${secret}`, repository)
    const issued = await tokenFor(registry, `bob:${secret}`, `repository:${repository}:pull,push,delete`)
    const claims = JSON.parse(Buffer.from(issued!.split('.')[1]!, 'base64url').toString()) as {
      access: { actions: string[] }[]
    }
    assert.equal(claims.access[0]?.actions.join(' ') ?? '', byBasic, 'what is issued for it says the same')
    return byBasic
  }
  assert.equal(await rights({}, 'bob/x'), 'pull push delete')
  assert.equal(await rights({ role: 'read' }, 'bob/x'), 'pull')
  assert.equal(await rights({ role: 'write' }, 'bob/x'), 'pull push')
  assert.equal(await rights({ pattern: 'bob/y' }, 'bob/x'), '')
  assert.equal(await rights({ role: 'admin' }, 'acme/web'), 'pull')
  assert.equal(await rights({ pattern: 'bob/**' }, 'acme/web'), '')
})

test('an access token ends in its time, and its user’s password has nothing to do with it', async () => {
  let offset = 0
  const clock: Clock = { ...systemClock, now: () => Date.now() + offset }
  await using registry = await company({ clock })
  const { accessTokens, users } = registry.registry
  const secret = await accessTokens.add('bob', 'short', { lifetime: 3_600_000 })
  const issued = await tokenFor(registry, `bob:${secret}`, 'repository:bob/x:pull,push')
  assert.equal(await mayDo(registry, `bob:${secret}`, 'bob/x'), 'pull push delete')
  const first = await registry.request('GET', '/v2/bob/x/manifests/one', { headers: bearer(issued) })
  assert.notEqual(first.status, 401, 'it is seen before it ends')
  await users.setPassword('bob', 'new password of bob')
  assert.equal(await mayDo(registry, `bob:${secret}`, 'bob/x'), 'pull push delete')
  offset = 3_590_000
  const again = await tokenFor(registry, `bob:${secret}`, 'repository:bob/x:pull,push')
  offset = 3_600_001
  assert.equal(await mayDo(registry, `bob:${secret}`, 'bob/x'), '')
  for (const token of [issued, again]) {
    const answer = await registry.request('GET', '/v2/bob/x/manifests/one', { headers: bearer(token) })
    assert.equal(answer.status, 401, 'what was issued for it ends with it')
  }
})

test('right secrets are never limited, however often they are shown; wrong ones are', async () => {
  await using registry = await company()
  const secret = await registry.registry.robots.add('acme+ci')
  const statuses = await Promise.all(
    Array.from(
      { length: 50 },
      async () => (await registry.request('GET', '/v2/', { login: `acme+ci:${secret}` })).status,
    ),
  )
  assert.deepEqual([...new Set(statuses)], [200])
  const guesses: number[] = []
  for (let guess = 0; guess < 12; guess++) {
    const wrong = `acme+ci:bale_${String(guess).padStart(43, 'x')}`
    guesses.push((await registry.request('GET', '/v2/', { login: wrong })).status)
  }
  assert.deepEqual([guesses[0], guesses.at(-1)], [401, 429])
  assert.equal((await registry.request('GET', '/v2/', { login: `acme+ci:${secret}` })).status, 200)
})

test('everybody pulls what is public, and private repositories beside it stay as they are', async () => {
  await using registry = await company()
  const { visibility } = registry.registry
  for (const repository of ['acme/public/base', 'acme/web']) await mayDo(registry, login('ann'), repository)
  assert.equal(await mayDo(registry, undefined, 'acme/public/base'), '')
  assert.equal(await tokenFor(registry, undefined, 'repository:acme/public/base:pull'), undefined)
  await visibility.publish('acme/public/**')
  assert.equal(await mayDo(registry, undefined, 'acme/public/base'), 'pull')
  assert.equal(await mayDo(registry, login('cat'), 'acme/public/base'), 'pull')
  assert.equal(await mayDo(registry, undefined, 'acme/web'), '')
  // As docker asks: /v2/ says where to get a token, and nobody's is for what is public.
  assert.equal((await registry.request('GET', '/v2/')).status, 401)
  const token = await tokenFor(registry, undefined, 'repository:acme/public/base:pull,push', 'repository:acme/web:pull')
  const get = (repository: string) =>
    registry.request('GET', `/v2/${repository}/manifests/one`, { headers: bearer(token) })
  assert.equal((await get('acme/public/base')).status, 200)
  assert.equal((await get('acme/web')).status, 401)
  const blob = `/v2/acme/public/base/blobs/${sha256('none')}`
  assert.equal((await registry.request('HEAD', blob, { headers: bearer(token) })).status, 404)
  await visibility.hide('acme/public/**')
  assert.equal((await get('acme/public/base')).status, 401, 'at once')
  await assert.rejects(visibility.hide('acme/public/**'), { code: 'NOT_FOUND' })
})

test('a blob may be mounted from a public repository by whoever may push', async () => {
  await using registry = await company()
  const content = Buffer.from('a layer')
  const digest = sha256(content)
  await registry.request('POST', `/v2/acme/web/blobs/uploads/?digest=${digest}`, { login: login('ann'), body: content })
  const mount = (login: string) =>
    registry.request('POST', `/v2/cat/x/blobs/uploads/?mount=${digest}&from=acme/web`, { login })
  assert.equal((await mount(login('cat'))).status, 202)
  await registry.registry.visibility.publish('acme/web')
  assert.equal((await mount(login('cat'))).status, 201)
})

test('names, labels, roles and grants that cannot be are refused by name', async () => {
  await using registry = await company()
  const { users, organisations, robots, accessTokens, visibility } = registry.registry
  const refused: [() => Promise<unknown>, RegExp, string?][] = [
    [() => organisations.add('Acme'), /not the name of an organisation: Acme/],
    [() => organisations.add('a/b'), /not the name of an organisation/],
    [() => organisations.add('other', { owner: 'nobody' }), /nobody/, 'NOT_FOUND'],
    [() => organisations.add('other', { owner: 'acme' }), /acme/, 'NOT_FOUND'],
    [() => organisations.addTeam('acme'), /not the name of a team/],
    [() => organisations.addTeam('other/web'), /other/, 'NOT_FOUND'],
    [() => organisations.setMember('acme', 'nobody', 'member'), /no user nobody/, 'NOT_FOUND'],
    [() => organisations.setMember('nothing', 'ann', 'member'), /nothing/, 'NOT_FOUND'],
    [() => organisations.setMember('acme/web', 'cat', 'member'), /cat is not a member of acme/, 'NOT_FOUND'],
    [() => organisations.setMember('acme/web', 'bob', 'owner'), /is a team/],
    [() => organisations.removeMember('acme', 'cat'), /cat is not a member/, 'NOT_FOUND'],
    [() => organisations.removeTeam('acme/none'), /no team acme\/none/, 'NOT_FOUND'],
    [() => organisations.remove('ann'), /ann/, 'NOT_FOUND'],
    [() => robots.add('ci'), /not the name of a robot/],
    [() => robots.add('acme/web+ci'), /not the name of a robot/],
    [() => robots.add('other+ci'), /other/, 'NOT_FOUND'],
    [() => robots.add('acme+x', { grants: [{ pattern: 'ann/**', role: 'read' }] }), /below acme\/ alone, not in ann/],
    [() => robots.remove('acme+none'), /no robot acme\+none/, 'NOT_FOUND'],
    [() => users.grant('acme/web', '**', 'read'), /below acme\/ alone/],
    [() => users.grant('acme', 'acmes/x', 'read'), /below acme\/ alone/],
    [() => users.grant('ann', 'x', 'owner' as 'read'), /not a role: owner/],
    [() => users.remove('acme'), /no user acme/, 'NOT_FOUND'],
    [() => users.setPassword('acme', 'a long password'), /no user acme/, 'NOT_FOUND'],
    [() => accessTokens.add('acme', 'x'), /no user or robot acme/, 'NOT_FOUND'],
    [() => accessTokens.add('ann', ''), /not a label/],
    [() => accessTokens.add('ann', 'x', { pattern: 'A*' }), /not a pattern/],
    [() => accessTokens.list('none'), /no user or robot none/, 'NOT_FOUND'],
    [() => accessTokens.remove('ann', 'x'), /ann has no token x/, 'NOT_FOUND'],
    [() => visibility.publish('***'), /not a pattern/],
  ]
  for (const [attempt, message, code = 'INVALID_ARGUMENT'] of refused) {
    await assert.rejects(attempt, { code, message }, String(message))
  }
  assert.deepEqual(await robots.list('acme'), [], 'nothing half done is left')
  await accessTokens.add('ann', 'x')
  const conflicts: [() => Promise<unknown>, RegExp][] = [
    [() => accessTokens.add('ann', 'x'), /ann has a token x already/],
    [() => organisations.add('ann'), /ann already/],
    [() => users.add('acme', 'a long password'), /acme already exists/],
    [() => organisations.addTeam('acme/web'), /acme\/web already/],
  ]
  for (const [attempt, message] of conflicts) {
    await assert.rejects(attempt, { code: 'CONFLICT', message }, String(message))
  }
  assert.deepEqual(
    (await organisations.list()).map(({ name, members }) => [name, members.length]),
    [['acme', 2]],
  )
})

test('what is refused is in the audit log, with who wanted it from where, and equal things once', async () => {
  await using registry = await company()
  const get = (login: string | undefined, path: string) => registry.request('GET', path, { login })
  for (let times = 0; times < 3; times++) await get(login('cat'), '/v2/acme/web/tags/list')
  await get('cat:wrong', '/v2/')
  await get('no\u0007body:wrong', '/v2/')
  await get(undefined, '/v2/')
  await get(login('bob'), '/api/v1/users')
  await registry.request('DELETE', '/v2/acme/web/manifests/one', { login: login('bob') })
  const robot = await registry.registry.robots.add('acme+ci')
  await registry.request('POST', '/v2/acme/web/blobs/uploads/', { login: `acme+ci:${robot}` })
  await registry.registry.policies.immutable('acme/**', 'v*')
  for (const body of [MANIFEST, MANIFEST.replace('[]', '[ ]')]) {
    await registry.request('PUT', '/v2/acme/web/manifests/v1', { login: login('ann'), body, headers: HEADERS })
  }
  const refused = async () => {
    const lines: string[] = []
    for await (const { actor, address, action, target, detail } of registry.registry.audit.entries({
      outcome: 'refused',
    })) {
      assert.match(String(address), /127\.0\.0\.1$/)
      lines.push(`${actor} ${action} ${target} ${detail}`)
    }
    return lines.toSorted()
  }
  await until('the log is written', async () => (await refused()).length > 0)
  assert.deepEqual(await refused(), [
    'anonymous login /v2/ 401, as cat',
    'anonymous login /v2/ 401, as no\\x07body',
    'robot:acme+ci push /v2/acme/web/blobs/uploads/ 403',
    'user:ann push /v2/acme/web/manifests/v1 412',
    'user:bob administer /api/v1/users 403',
    'user:bob delete /v2/acme/web/manifests/one 403',
    'user:cat pull /v2/acme/web/tags/list 403, 3 times',
  ])
})

test('what is pushed and deleted over HTTP is in the audit log, with who did it from where', async () => {
  await using registry = await company()
  const robot = await registry.registry.robots.add('acme+ci', { grants: [{ pattern: 'acme/**', role: 'delete' }] })
  const asRobot = { login: `acme+ci:${robot}`, headers: HEADERS }
  await registry.request('PUT', '/v2/acme/web/manifests/one', { ...asRobot, body: MANIFEST })
  await registry.request('DELETE', '/v2/acme/web/manifests/one', asRobot)
  const lines: string[] = []
  for await (const { actor, address, action, target } of registry.registry.audit.entries({ target: 'acme/web*' })) {
    if (action === 'team.add' || action === 'grant.set') continue
    lines.push(`${actor} ${/127\.0\.0\.1$/.test(String(address))} ${action} ${target}`)
  }
  assert.deepEqual(lines, ['robot:acme+ci true tag.delete acme/web:one', 'robot:acme+ci true tag.set acme/web:one'])
})

test('whoever is refused in a thousand ways adds no thousand lines', async () => {
  await using registry = await company()
  const bob = login('bob')
  for (let number = 0; number < 300; number++)
    await registry.request('GET', `/v2/x${number}/y/tags/list`, { login: bob })
  const entries = () => Array.fromAsync(registry.registry.audit.entries({ outcome: 'refused' }))
  await until('the log is written', async () => (await entries()).length > 0)
  const written = await entries()
  assert.ok(written.length <= 202, `${written.length} lines`)
  assert.ok(
    written.some(({ detail }) => /^\d+ more refusals/.test(String(detail))),
    'and says so',
  )
})
