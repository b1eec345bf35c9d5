/** Logins of a registry whose users are in a directory (slapd), over HTTP. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { systemClock } from '#base'
import { createLdapSource, type LdapOptions } from '#registry'
import { type Answer, startRegistry, type TestRegistry } from '../../../test/kit/registry-client.ts'
import { DIRECTORY_ADMIN, type Slapd, startSlapd, withoutSlapd } from '../../../test/kit/slapd.ts'
import { until } from '../../../test/kit/until.ts'

const options = { skip: withoutSlapd() }
let slapd: Slapd

before(async () => {
  if (options.skip) return
  slapd = await startSlapd()
})
after(() => slapd?.[Symbol.asyncDispose]())

/** Each test has people of its own. */
let counter = 0
function person(): { name: string; login: string; dn: string } {
  const name = `user${++counter}`
  slapd.addUser(name, 'right')
  return { name, login: `${name}:right`, dn: `uid=${name},ou=people,${slapd.base}` }
}

const MINUTE = 60_000

async function start(ldap: Partial<LdapOptions> = {}) {
  const state = { now: Date.now(), reports: [] as string[] }
  const clock = { ...systemClock, now: () => state.now }
  const loginSource = createLdapSource({
    ...{ url: slapd.url, startTls: false, timeout: 30_000, rememberFor: MINUTE, bind: DIRECTORY_ADMIN },
    users: { base: slapd.base, filter: '(uid={name})', id: 'entryUUID' },
    groups: {
      base: `ou=groups,${slapd.base}`,
      filter: '(member={dn})',
      rules: [{ group: 'web', member: { name: 'acme/web', role: 'member' } }],
    },
    ...ldap,
  })
  const report = (failure: Error) => void state.reports.push(failure.message)
  const registry = await startRegistry({ anonymous: 'none', clock, loginSource, report })
  return { ...registry, state, [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose]() }
}

const ping = async ({ request }: Pick<TestRegistry, 'request'>, login: string) =>
  (await request('GET', '/v2/', { login })).status

const changePassword = (dn: string, password: string) =>
  slapd.change('modify', `dn: ${dn}\nchangetype: modify\nreplace: userPassword\nuserPassword: ${password}\n`)

test('somebody of the directory logs in, and owns what is below the name from then on', options, async () => {
  await using registry = await start()
  const ann = person()
  assert.equal(await ping(registry, `${ann.name}:wrong`), 401)
  assert.deepEqual(await registry.registry.users.list(), [], 'a wrong password makes no account')
  await registry.image(`${ann.name}/web`, 'one', { tag: '1', login: ann.login })
  const [user] = await registry.registry.users.list()
  assert.deepEqual(user, { name: ann.name, origin: 'ldap', admin: false, grants: [] })
  const token = await registry.request('GET', `/token?scope=repository:${ann.name}/web:pull`, { login: ann.login })
  assert.equal(token.status, 200)
  await assert.rejects(registry.registry.users.setPassword(ann.name, 'a password here'), { code: 'CONFLICT' })
  const entries = await Array.fromAsync(registry.registry.audit.entries({ action: 'user.add' }))
  assert.deepEqual(
    entries.map(({ actor, target }) => [actor, target]),
    [['directory:ldap', ann.name]],
  )
})

test('A15: an empty password is refused, though the directory takes it as a login of nobody', options, async () => {
  await using registry = await start()
  const ann = person()
  assert.equal(await ping(registry, ann.login), 200)
  assert.equal(await ping(registry, `${ann.name}:`), 401)
  assert.equal(await ping(registry, `${person().name}:`), 401)
  const form = { grant_type: 'password', username: ann.name, password: '' }
  assert.equal((await registry.request('POST', '/token', { body: new URLSearchParams(form).toString() })).status, 401)
})

test('A12: names are values for the directory; names that no user can have are not asked for', options, async () => {
  await using registry = await start()
  const { name } = person()
  for (const wrong of ['*', `${name})(uid=*`, name.toUpperCase(), ` ${name}`, `${name}\0`, `${name.slice(0, -1)}*`]) {
    assert.equal(await ping(registry, `${wrong}:right`), 401, wrong)
  }
  assert.deepEqual(await registry.registry.users.list(), [])
})

test(
  'A09: a user with a password here is never taken over, nor a name of repositories, and the operator is told',
  options,
  async () => {
    await using registry = await start()
    const { users, organisations } = registry.registry
    const [here, organisation, repositories] = [person(), person(), person()]
    await users.add(here.name, 'password of here')
    await users.add('root', 'password of root', { admin: true })
    await organisations.add(organisation.name)
    await registry.image(`${repositories.name}/web`, 'one', { tag: '1', login: 'root:password of root' })
    assert.equal(await ping(registry, here.login), 401)
    assert.equal(await ping(registry, `${here.name}:password of here`), 200)
    assert.equal(await ping(registry, organisation.login), 401)
    assert.equal(await ping(registry, repositories.login), 401)
    assert.deepEqual((await users.list()).map(({ name }) => name).sort(), ['root', here.name].sort())
    assert.deepEqual(registry.state.reports, [
      `${repositories.name} of ldap gets no account: ${repositories.name}/web is there already`,
    ])
  },
)

test('A05: a later owner of a name in the directory does not get the account of the first', options, async () => {
  await using registry = await start()
  const ann = person()
  assert.equal(await ping(registry, ann.login), 200)
  slapd.change('delete', ann.dn)
  slapd.addUser(ann.name, 'later')
  assert.equal(await ping(registry, `${ann.name}:later`), 401)
  assert.match(registry.state.reports.join(), /another account has the name/)
  await registry.registry.users.remove(ann.name)
  assert.equal(await ping(registry, `${ann.name}:later`), 200)
})

test(
  'A15: ten wrong passwords a minute for somebody of the directory, then 429; the directory sees no more',
  options,
  async () => {
    await using registry = await start()
    const ann = person()
    for (let at = 0; at < 10; at++) assert.equal(await ping(registry, `${ann.name}:wrong ${at}`), 401)
    const limited = await registry.request('GET', '/v2/', { login: ann.login })
    assert.equal(limited.status, 429)
    assert.ok(Number(limited.headers['retry-after']) > 0)
    assert.equal(await ping(registry, `${person().name}:right`), 200, 'others are not kept out')
    registry.state.now += MINUTE + 1000
    assert.equal(await ping(registry, ann.login), 200)
  },
)

test('a directory that does not answer is 503 with Retry-After, and counts as no wrong password', options, async () => {
  await using registry = await start({ timeout: 200 })
  const ann = person()
  await registry.registry.users.add('here', 'password of here')
  slapd.pause()
  try {
    let answer: Answer | undefined
    for (let at = 0; at < 11; at++) answer = await registry.request('GET', '/v2/', { login: ann.login })
    assert.equal(answer!.status, 503)
    assert.ok(Number(answer!.headers['retry-after']) > 0)
    assert.doesNotMatch(answer!.body.toString(), /ldap|directory/, 'it is no client’s business')
    const [told] = registry.state.reports
    assert.match(told!, /the directory ldap:\/\/localhost:\d+ cannot be asked/)
    assert.doesNotMatch(told!, /right/)
    assert.equal(await ping(registry, 'here:password of here'), 200, 'who has a password here logs in')
  } finally {
    slapd.resume()
  }
  // On a busy machine the first answers may take longer than this registry waits.
  await until('the directory answers in time', async () => (await ping(registry, ann.login)) === 200)
})

test('a login counts for a minute without another question, and no longer', options, async () => {
  await using registry = await start()
  const ann = person()
  assert.equal(await ping(registry, ann.login), 200)
  changePassword(ann.dn, 'new')
  assert.equal(await ping(registry, ann.login), 200)
  assert.equal(await ping(registry, `${ann.name}:new`), 200)
  registry.state.now += MINUTE
  assert.equal(await ping(registry, ann.login), 401)
  await registry.registry.users.logOut(ann.name)
  assert.equal(await ping(registry, `${ann.name}:new`), 200)
})

test('groups are followed at logins: rights come and go with them', options, async () => {
  await using registry = await start()
  const { organisations, users } = registry.registry
  const ann = person()
  const member = (how: string) =>
    slapd.change(
      'modify',
      `dn: cn=web,ou=groups,${slapd.base}\nchangetype: modify\n${how}: member\nmember: ${ann.dn}\n`,
    )
  const other = person()
  slapd.change('add', `dn: cn=web,ou=groups,${slapd.base}\nobjectClass: groupOfNames\ncn: web\nmember: ${other.dn}\n`)
  member('add')
  assert.equal(await ping(registry, ann.login), 200)
  assert.match(registry.state.reports.join(), /ldap has members for acme, but there is no such organisation/)
  await organisations.add('acme')
  await organisations.addTeam('acme/web')
  await users.grant('acme/web', 'acme/*', 'write')
  registry.state.now += MINUTE
  await registry.image('acme/web', 'one', { tag: '1', login: ann.login })
  member('delete')
  registry.state.now += MINUTE
  const push = await registry.request('POST', '/v2/acme/web/blobs/uploads/', { login: ann.login })
  assert.equal(push.status, 403)
})

test('A05: tokens of somebody whom the directory does not know any more end, within a minute', options, async () => {
  await using registry = await start()
  const ann = person()
  const path = '/token?offline_token=true&scope=repository:x/y:pull'
  const { refresh_token: refresh } = (await registry.request('GET', path, { login: ann.login })).json<{
    refresh_token: string
  }>()
  const access = await registry.registry.accessTokens.add(ann.name, 'laptop')
  const trade = async () => {
    const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refresh }).toString()
    return (await registry.request('POST', '/token', { body })).status
  }
  registry.state.now += 2 * MINUTE
  assert.deepEqual([await trade(), await ping(registry, `${ann.name}:${access}`)], [200, 200])
  slapd.change('delete', ann.dn)
  assert.deepEqual([await trade(), await ping(registry, `${ann.name}:${access}`)], [200, 200], 'it was just seen')
  registry.state.now += MINUTE
  assert.deepEqual([await trade(), await ping(registry, `${ann.name}:${access}`)], [401, 401])
  await slapd.stop()
  try {
    assert.deepEqual([await trade(), await ping(registry, `${ann.name}:${access}`)], [503, 503])
  } finally {
    await slapd.start()
  }
})

test('the directory sees no secret of the registry, nor anybody’s who has a password here', options, async () => {
  const asked: string[] = []
  const loginSource = {
    ...{ origin: 'ldap', rememberFor: 0, ruled: [] },
    async verify(name: string, password: string) {
      asked.push(`${name}:${password}`)
      return { groups: [] }
    },
    find: async () => ({ groups: [] }),
  }
  await using registry = await startRegistry({ anonymous: 'none', loginSource })
  const { users, accessTokens } = registry.registry
  await users.add('here', 'password of here')
  assert.equal(await ping(registry, 'here:wrong'), 401)
  assert.equal(await ping(registry, 'ann:right'), 200)
  const secret = await accessTokens.add('ann', 'laptop')
  assert.equal(await ping(registry, `ann:${secret}`), 200)
  await accessTokens.remove('ann', 'laptop')
  assert.equal(await ping(registry, `ann:${secret}`), 401)
  assert.deepEqual(asked, ['ann:right'])
})
