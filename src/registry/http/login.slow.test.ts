/** People log in with their browsers: at a provider, and by passwords. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '#base'
import { createLdapSource } from '#registry'
import { type Browser, createBrowser } from '../../../test/kit/browser.ts'
import { freePort } from '../../../test/kit/free-port.ts'
import { optionsFor, type ProviderSettings, startProvider } from '../../../test/kit/provider.ts'
import { startRegistry, type TestRegistry } from '../../../test/kit/registry-client.ts'
import { DIRECTORY_ADMIN, startSlapd, withoutSlapd } from '../../../test/kit/slapd.ts'

type Options = NonNullable<Parameters<typeof startRegistry>[0]>
type StartOptions = Omit<Options, 'provider'> & { provider?: Partial<NonNullable<Options['provider']>> }

/** A registry whose people are known to a provider. */
async function started(settings: Partial<ProviderSettings> = {}, { provider: more, ...options }: StartOptions = {}) {
  await using opened = new AsyncDisposableStack()
  const port = await freePort()
  const provider = opened.use(
    await startProvider({ redirects: [`http://127.0.0.1:${port}/login/callback`], ...settings }),
  )
  const reports: string[] = []
  const registry = opened.use(
    await startRegistry({
      ...{ anonymous: 'none', port, provider: optionsFor(provider, more) },
      report: (failure) => reports.push(failure.message),
      ...options,
    }),
  )
  const parts = opened.move()
  return {
    ...{ provider, registry, reports, url: `http://127.0.0.1:${port}` },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}

for (const [title, settings] of [
  ['whose names are asked for', {}],
  ['that puts names into its tokens', { inToken: true }],
  ['of which the registry is a public client', { isPublic: true }],
] as const) {
  test(`somebody logs in at a provider ${title}, and is a user from then on`, async () => {
    await using place = await started(settings)
    const { provider, registry, url } = place
    provider.people.set('s-1', { preferred_username: 'ann' })
    provider.person = 's-1'
    const browser = createBrowser()
    const page = await browser.open(`${url}/login`)
    assert.deepEqual([page.status, provider.failures], [200, []], page.text)
    assert.match(page.text, /You are logged in as <strong>ann<\/strong>/)
    const [user] = await registry.registry.users.list()
    assert.deepEqual([user?.name, user?.origin, user?.admin], ['ann', provider.url, false])
    assert.equal(browser.cookies.has('bale-login'), false)
  })
}

const as = (place: Awaited<ReturnType<typeof started>>, sub: string | undefined): Browser => {
  place.provider.person = sub
  return createBrowser()
}

const groupsOf = async ({ registry }: TestRegistry, name: string) => {
  const groups: string[] = []
  for (const group of await registry.organisations.list()) {
    for (const member of group.members) if (member.name === name) groups.push(`${group.name}=${member.role}`)
  }
  return groups
}

test('groups of the provider decide on organisations, teams and administrators, at each login', async () => {
  const rules = [
    { group: 'admins', administrators: true },
    { group: 'Web Team', member: { name: 'acme/web', role: 'member' } },
    { group: 'owners', member: { name: 'acme', role: 'owner' } },
  ] as const
  await using place = await started({}, { provider: { rules } })
  const { provider, registry, url, reports } = place
  await registry.registry.organisations.add('acme')
  provider.people.set('s-1', { preferred_username: 'ann', groups: ['admins', 'Web Team', 'others'] })
  await as(place, 's-1').open(`${url}/login`)
  assert.match(reports.join(), /acme\/web, but there is no such organisation or team/)
  assert.equal((await registry.registry.users.list())[0]?.admin, true)
  assert.deepEqual(await groupsOf(registry, 'ann'), ['acme=member'])
  provider.people.set('s-1', { preferred_username: 'ann', groups: ['owners'] })
  await as(place, 's-1').open(`${url}/login`)
  assert.equal((await registry.registry.users.list())[0]?.admin, false)
  assert.deepEqual(await groupsOf(registry, 'ann'), ['acme=owner'])
  provider.people.set('s-1', { preferred_username: 'ann' })
  await as(place, 's-1').open(`${url}/login`)
  assert.deepEqual(await groupsOf(registry, 'ann'), [])
})

test('who has another name at the provider by now keeps the account; who has the name now does not get it', async () => {
  await using place = await started()
  const { provider, registry, url } = place
  provider.people.set('s-1', { preferred_username: 'ann' })
  provider.people.set('s-2', { preferred_username: 'ann' })
  await as(place, 's-1').open(`${url}/login`)
  provider.people.set('s-1', { preferred_username: 'ann-smith' })
  assert.match((await as(place, 's-1').open(`${url}/login`)).text, /logged in as <strong>ann</)
  const other = await as(place, 's-2').open(`${url}/login`)
  assert.equal(other.status, 409)
  assert.match(other.text, /gets no account: another account has the name/)
  assert.deepEqual(
    (await registry.registry.users.list()).map(({ name }) => name),
    ['ann'],
  )
})

test('A09 A10: nobody of a provider takes over a user, an organisation, or repositories, or gets a name that is none', async () => {
  await using place = await started()
  const { provider, registry, url } = place
  const { users, organisations } = registry.registry
  await users.add('root', 'password-of-root', { admin: true })
  await users.add('ann', 'password-of-ann')
  await organisations.add('acme')
  await registry.image('free/web', 'one', { tag: '1', login: 'root:password-of-root' })
  const cases = [
    ['ann', 409],
    ['acme', 409],
    ['free', 409],
    ['root', 409],
    ['acme+ci', 400],
    ['Ann', 400],
    ['ann@example.org', 400],
    ['<script>alert(1)</script>', 400],
    ['', 400],
    ['../ann', 400],
    ['x'.repeat(65), 400],
  ] as const
  for (const [name, status] of cases) {
    provider.people.set(`s-${name}`, { preferred_username: name })
    const browser = as(place, `s-${name}`)
    const page = await browser.open(`${url}/login`)
    assert.equal(page.status, status, `${name}: ${page.text}`)
    assert.equal(browser.cookies.has('bale-session'), false)
    assert.doesNotMatch(page.text, /<script/)
    if (status === 400) assert.match(page.text, /64 lower-case letters and digits.*name-claim/s)
  }
  assert.match((await as(place, 's-<script>alert(1)</script>').open(`${url}/login`)).text, /&lt;script&gt;/)
  assert.deepEqual(
    (await users.list()).map(({ name, admin }) => [name, admin]),
    [
      ['ann', false],
      ['root', true],
    ],
  )
})

test('A provider that says no name of somebody is the operator’s affair: 503, and told', async () => {
  await using place = await started({}, { provider: { nameClaim: 'nickname' } })
  place.provider.people.set('s-1', { preferred_username: 'ann' })
  const page = await as(place, 's-1').open(`${place.url}/login`)
  assert.equal(page.status, 503)
  assert.match(place.reports.join(), /says no nickname/)
})

test('A05: an answer of the provider counts once, and in the browser alone that asked for it', async () => {
  await using place = await started()
  const { provider, registry, url } = place
  provider.people.set('s-1', { preferred_username: 'ann' })
  provider.people.set('s-2', { preferred_username: 'eve' })
  const victim = as(place, 's-1')
  const back = await victim.open(`${url}/login`, { until: `${url}/login/callback` })
  const kept = new Map(victim.cookies)

  const stranger = createBrowser()
  const stolen = await stranger.open(back.url)
  assert.equal(stolen.status, 403)
  assert.match(stolen.text, /not begun in this browser/)
  const own = as(place, 's-2')
  const backOwn = await own.open(`${url}/login`, { until: `${url}/login/callback` })
  assert.equal((await own.open(back.url)).status, 403, 'with a login of its own under way')
  // The code of somebody else with the own state: the provider knows that it was asked for by another verifier.
  const another = as(place, 's-2')
  const backAnother = await another.open(`${url}/login`, { until: `${url}/login/callback` })
  const mixed = new URL(backAnother.url)
  mixed.searchParams.set('code', backOwn.url.searchParams.get('code')!)
  assert.equal((await another.open(mixed)).status, 403)

  for (const [name, value] of [
    ['state', 'x'.repeat(43)],
    ['state', ''],
    ['code', ''],
    ['iss', 'https://evil.example'],
  ] as const) {
    const wrong = new URL(back.url)
    wrong.searchParams.set(name, value)
    const browser = createBrowser()
    for (const [cookie, text] of kept) browser.cookies.set(cookie, text)
    const page = await browser.open(wrong)
    assert.ok([400, 403].includes(page.status), `${name}: ${page.status}`)
    assert.equal(browser.cookies.has('bale-session'), false)
  }
  assert.deepEqual(await registry.registry.users.list(), [])

  const again = as(place, 's-1')
  const backAgain = await again.open(`${url}/login`, { until: `${url}/login/callback` })
  const before = new Map(again.cookies)
  assert.equal((await again.open(backAgain.url)).status, 200)
  for (const [cookie, text] of before) again.cookies.set(cookie, text)
  again.cookies.delete('bale-session')
  const replayed = await again.open(backAgain.url)
  assert.equal(replayed.status, 403)
  assert.match(replayed.text, /has ended already/)
  assert.equal(again.cookies.has('bale-session'), false)
})

test('an answer that comes after ten minutes counts no more', async () => {
  const state = { ahead: 0 }
  const clock = { ...systemClock, now: () => Date.now() + state.ahead }
  await using place = await started({}, { clock })
  place.provider.people.set('s-1', { preferred_username: 'ann' })
  const browser = as(place, 's-1')
  const back = await browser.open(`${place.url}/login`, { until: `${place.url}/login/callback` })
  state.ahead = 601_000
  assert.equal((await browser.open(back.url)).status, 403)
})

test('who does not want to log in there is told so, in no words of the address', async () => {
  await using place = await started()
  const page = await as(place, undefined).open(`${place.url}/login`)
  assert.equal(page.status, 403)
  assert.match(page.text, /Example login did not log you in \(access_denied\)/)
  const said = await createBrowser().open(`${place.url}/login/callback?error=${encodeURIComponent('<b>call 555</b>')}`)
  assert.equal(said.status, 403)
  assert.doesNotMatch(said.text, /call 555/)
})

test('while the provider is down, logins there are 503, nothing is half done, and passwords go on', async () => {
  await using place = await started()
  const { provider, registry, url, reports } = place
  await registry.registry.users.add('root', 'password-of-root')
  provider.people.set('s-1', { preferred_username: 'ann' })
  const browser = as(place, 's-1')
  const back = await browser.open(`${url}/login`, { until: `${url}/login/callback` })
  await provider[Symbol.asyncDispose]()
  const failed = await browser.open(back.url)
  assert.equal(failed.status, 503)
  assert.ok(failed.headers['retry-after'])
  assert.equal(browser.cookies.has('bale-session'), false)
  assert.match(reports.join(), /does not answer as it should/)
  assert.deepEqual(
    (await registry.registry.users.list()).map(({ name }) => name),
    ['root'],
  )
  await failed.text
  assert.match((await browser.follow('Log in')).text, /<form method="post" action="\/login">/)
  await browser.submit({ fields: { name: 'root', password: 'password-of-root' } })
  assert.match((await browser.open(`${url}/login`)).text, /<strong>root<\/strong>/)
})

test('who sends a form after the session ended gets a page, since browsers take no form to another site', async () => {
  await using place = await started()
  const { provider, url } = place
  provider.people.set('s-1', { preferred_username: 'ann' })
  const browser = as(place, 's-1')
  await browser.open(`${url}/login?to=/login/device`)
  browser.cookies.delete('bale-session')
  const asked = provider.requests.length
  const page = await browser.submit({ fields: { user_code: 'BCDF-GHJK' } })
  assert.deepEqual([page.status, page.url.pathname, provider.requests.length], [200, '/login', asked])
  const back = await browser.follow('Log in with Example login')
  assert.match(back.text, /No program waits with this code/)
})

test('with a provider that never was there, the page of passwords is there', async () => {
  const port = await freePort()
  const gone = `http://127.0.0.1:${await freePort()}`
  const provider = optionsFor({ url: gone, clientId: 'registry', clientSecret: undefined })
  await using _ = await startRegistry({ anonymous: 'none', port, provider })
  const browser = createBrowser()
  const page = await browser.open(`http://127.0.0.1:${port}/login`)
  assert.equal(page.status, 503)
  assert.match((await browser.follow('Log in')).text, /Log in with Example login/)
})

const ANN = { name: 'ann', password: 'password-of-ann' }

async function withPasswords(options: Options = {}) {
  const registry = await startRegistry({ anonymous: 'none', ...options })
  await registry.registry.users.add(ANN.name, ANN.password)
  return { registry, url: `http://${registry.address}`, [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose]() }
}

async function signedIn(url: string, who = ANN): Promise<Browser> {
  const browser = createBrowser()
  await browser.open(`${url}/login`)
  const page = await browser.submit({ fields: who })
  assert.match(page.text, new RegExp(`logged in as <strong>${who.name}<`))
  return browser
}

const isSignedIn = async (browser: Browser, url: string) =>
  /You are logged in/.test((await browser.open(`${url}/login?by=password`)).text)

test('users with a password here log in without a provider, and log out', async () => {
  await using place = await withPasswords()
  const { url, registry } = place
  const browser = await signedIn(url)
  const secret = browser.cookies.get('bale-session')!
  assert.match(secret, /^[\w-]{43}$/)
  const page = await browser.submit({ form: '/login/logout' })
  assert.equal(page.status, 200)
  assert.equal(await isSignedIn(browser, url), false)
  browser.cookies.set('bale-session', secret)
  assert.equal(await isSignedIn(browser, url), false, 'it ended here as well')
  const actions: string[] = []
  for await (const { action, actor } of registry.registry.audit.entries()) actions.push(`${actor} ${action}`)
  assert.ok(actions.includes('user:ann session.add') && actions.includes('user:ann session.end'), actions.join())
  assert.doesNotMatch(JSON.stringify(actions), new RegExp(secret))
})

test('A15: wrong passwords are counted as anywhere, and tokens are no passwords', async () => {
  await using place = await withPasswords()
  const { url, registry } = place
  const { accessTokens } = registry.registry
  const limited = await accessTokens.add('ann', 'ci', { role: 'read', pattern: 'ann/*' })
  const whole = await accessTokens.add('ann', 'all')
  const attempt = (password: string) =>
    registry.request('POST', '/login', {
      body: new URLSearchParams({ name: 'ann', password }).toString(),
      headers: { 'Sec-Fetch-Site': 'same-origin' },
    })
  for (const password of [limited, whole]) {
    const refused = await attempt(password)
    assert.deepEqual([refused.status, refused.headers['set-cookie']], [403, undefined])
  }
  const statuses: number[] = []
  for (let tries = 0; tries < 11; tries++) statuses.push((await attempt(`wrong-${tries}`)).status)
  assert.deepEqual(statuses, [...Array.from({ length: 10 }, () => 403), 429])
  assert.equal((await attempt(ANN.password)).status, 429)
  const unknown = createBrowser()
  await unknown.open(`${url}/login`)
  const page = await unknown.submit({ fields: { name: '<b>eve', password: 'x' } })
  assert.doesNotMatch(page.text, /<b>/)
})

test('A11: forms of other sites and of other sessions do nothing', async () => {
  await using place = await withPasswords()
  const { url, registry } = place
  const fresh = createBrowser()
  await fresh.open(`${url}/login`)
  const forced = await fresh.submit({ fields: ANN, from: 'cross-site' })
  assert.deepEqual([forced.status, fresh.cookies.has('bale-session')], [403, false])
  // Browsers of before Sec-Fetch-Site.
  const post = (path: string, body: string, headers: Record<string, string>) =>
    registry.request('POST', path, {
      body,
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
    })
  const login = new URLSearchParams(ANN).toString()
  for (const [origin, status] of [
    [undefined, 403],
    ['null', 403],
    ['https://evil.example', 403],
    [`${url}.evil.example`, 403],
    [url, 303],
  ] as const) {
    assert.equal((await post('/login', login, origin === undefined ? {} : { Origin: origin })).status, status, origin)
  }
  const browser = await signedIn(url)
  const cookie = `bale-session=${browser.cookies.get('bale-session')}`
  const [, token = ''] = /name="token" value="([^"]+)"/.exec((await browser.open(`${url}/login`)).text) ?? []
  const other = await signedIn(url)
  const [, otherToken = ''] = /name="token" value="([^"]+)"/.exec((await other.open(`${url}/login`)).text) ?? []
  assert.notEqual(token, otherToken)
  for (const [body, site] of [
    ['', 'same-origin'],
    [`token=${otherToken}`, 'same-origin'],
    [`token=${token}x`, 'same-origin'],
    [`token=${token}`, 'cross-site'],
    [`token=${token}`, 'same-site'],
  ] as const) {
    const answer = await post('/login/logout', body, { Cookie: cookie, 'Sec-Fetch-Site': site })
    assert.equal(answer.status, 403, `${body} ${site}`)
  }
  assert.ok(await isSignedIn(browser, url))
})

test('a session ends when it is not used, after its time, with a logout by the operator, and with its account', async () => {
  const state = { ahead: 0 }
  const clock = { ...systemClock, now: () => Date.now() + state.ahead }
  const hour = 3_600_000
  await using place = await withPasswords({ clock, sessions: { unusedFor: 2 * hour, lifetime: 5 * hour } })
  const { url, registry } = place
  const browser = await signedIn(url)
  for (const [ahead, expected] of [
    [1.9, true],
    [3.8, true],
    [4.9, true],
    [5.1, false],
  ] as const) {
    state.ahead = ahead * hour
    assert.equal(await isSignedIn(browser, url), expected, String(ahead))
  }
  const idle = await signedIn(url)
  state.ahead += 2.1 * hour
  assert.equal(await isSignedIn(idle, url), false)
  const ended = await signedIn(url)
  await registry.registry.users.logOut('ann')
  assert.equal(await isSignedIn(ended, url), false)
  const changed = await signedIn(url)
  await registry.registry.users.setPassword('ann', 'another-password')
  assert.equal(await isSignedIn(changed, url), false)
  const removed = await signedIn(url, { name: 'ann', password: 'another-password' })
  await registry.registry.users.remove('ann')
  await registry.registry.users.add('ann', ANN.password)
  assert.equal(await isSignedIn(removed, url), false)
})

test('a new login in a browser ends the session that it had', async () => {
  await using place = await withPasswords()
  const { url } = place
  const browser = await signedIn(url)
  const first = browser.cookies.get('bale-session')!
  browser.cookies.delete('bale-session')
  await browser.open(`${url}/login`)
  browser.cookies.set('bale-session', first)
  await browser.submit({ fields: ANN })
  assert.notEqual(browser.cookies.get('bale-session'), first)
  browser.cookies.set('bale-session', first)
  assert.equal(await isSignedIn(browser, url), false)
})

test('A10 A11: pages run nothing, are framed and kept by nobody, and lead nowhere else', async () => {
  await using place = await withPasswords()
  const { url, registry } = place
  const { headers } = await registry.request('GET', '/login')
  assert.equal(headers['cache-control'], 'no-store')
  assert.equal(headers['referrer-policy'], 'no-referrer')
  assert.equal(headers['x-content-type-options'], 'nosniff')
  assert.match(
    String(headers['content-security-policy']),
    /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/,
  )
  for (const path of ['/login/callback', '/login/nothing', '/login/device/']) {
    assert.equal((await registry.request('GET', path)).status, 404, path)
  }
  for (const [method, path, status] of [
    ['PUT', '/login', 405],
    ['GET', '/login/logout', 405],
    ['GET', '/login/device/code', 405],
  ] as const) {
    assert.equal((await registry.request(method, path)).status, status, path)
  }
  const targets = [
    '//evil.example',
    'https://evil.example',
    '/\\evil.example',
    '/.//evil.example',
    '/\t/evil.example',
    'javascript:alert(1)',
  ]
  for (const to of targets) {
    const browser = createBrowser()
    await browser.open(`${url}/login?${new URLSearchParams({ to })}`)
    const page = await browser.submit({ fields: ANN })
    assert.equal(page.url.href, `${url}/login`, to)
    await browser.open(`${url}/login?${new URLSearchParams({ to })}`)
    assert.ok(
      browser.visited.every((one) => one.origin === url),
      to,
    )
  }
})

test('by https alone, or from this machine; and then no other host can set the cookies', async () => {
  await using place = await withPasswords({ externalUrl: 'https://registry.example' })
  const { registry } = place
  const answer = await registry.request('POST', '/login', {
    body: new URLSearchParams(ANN).toString(),
    headers: { 'Sec-Fetch-Site': 'same-origin' },
  })
  const [cookie = ''] = answer.headers['set-cookie'] ?? []
  assert.match(cookie, /^__Host-bale-session=[\w-]{43}; Path=\/; Max-Age=604800; HttpOnly; SameSite=Lax; Secure$/)
  const value = cookie.slice('__Host-bale-session='.length, cookie.indexOf(';'))
  const page = async (header: string) =>
    (await registry.request('GET', '/login', { headers: { Cookie: header } })).body.toString()
  assert.match(await page(`x=1; __Host-bale-session=${value}`), /You are logged in/)
  assert.doesNotMatch(await page(`bale-session=${value}`), /You are logged in/)
  await using plain = await withPasswords()
  for (const path of ['/login', '/login/device']) {
    const refused = await plain.registry.request('GET', path, { headers: { Host: 'registry.example' } })
    assert.equal(refused.status, 403)
    assert.match(refused.body.toString(), /https alone.*listen\.external-url/s)
  }
  const begun = await plain.registry.request('POST', '/login/device/code', {
    headers: { Host: 'registry.example' },
    body: 'client_id=x',
  })
  assert.equal(begun.json()['error'], 'access_denied')
})

test('without sessions there are no pages', async () => {
  await using place = await withPasswords({ sessions: { unusedFor: 0, lifetime: 1000 } })
  for (const path of ['/login', '/login/device']) assert.equal((await place.registry.request('GET', path)).status, 404)
})

test('people of a directory log in by the same page, beside a provider', { skip: withoutSlapd() }, async () => {
  await using slapd = await startSlapd()
  slapd.addUser('bob', 'word-of-bob')
  const loginSource = createLdapSource({
    ...{ url: slapd.secureUrl, ca: slapd.ca, startTls: false, timeout: 30_000, rememberFor: 60_000 },
    users: { base: `ou=people,${slapd.base}`, filter: '(uid={name})', id: 'entryUUID' },
    bind: DIRECTORY_ADMIN,
  })
  await using place = await started({}, { loginSource })
  const { provider, url } = place
  provider.people.set('s-1', { preferred_username: 'ann' })
  const browser = as(place, 's-1')
  const page = await browser.open(`${url}/login`)
  assert.equal(page.status, 200)
  assert.match((await browser.submit({ fields: { name: 'bob', password: 'word-of-bob' } })).text, /<strong>bob</)
  const other = createBrowser()
  await other.open(`${url}/login`)
  assert.match((await other.follow('Log in with Example login')).text, /<strong>ann</)
})
