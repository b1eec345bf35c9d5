/** Programs that somebody with a browser lets in, the real one of the command line among them; and the first administrator. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '#base'
import { type TestBale, testBale } from '../../../test/kit/bale.ts'
import { type Browser, createBrowser } from '../../../test/kit/browser.ts'
import { freePort } from '../../../test/kit/free-port.ts'
import { optionsFor, startProvider } from '../../../test/kit/provider.ts'
import { type Answer, startRegistry, type TestRegistry } from '../../../test/kit/registry-client.ts'
import { until } from '../../../test/kit/until.ts'

const GRANT = 'urn:ietf:params:oauth:grant-type:device_code'
const PASSWORD = 'password-of-ann'

interface Begun {
  device_code: string
  user_code: string
  verification_uri: string
  verification_uri_complete: string
  expires_in: number
  interval: number
}

async function withUsers(options: Parameters<typeof startRegistry>[0] = {}): Promise<TestRegistry> {
  const registry = await startRegistry({ anonymous: 'none', ...options })
  await registry.registry.users.add('ann', PASSWORD)
  await registry.registry.users.add('bob', 'password-of-bob')
  return registry
}

const post = (registry: TestRegistry, path: string, fields: Record<string, string>): Promise<Answer> =>
  registry.request('POST', path, { body: new URLSearchParams(fields).toString() })

async function begin(registry: TestRegistry, client = 'tool'): Promise<Begun> {
  const answer = await post(registry, '/login/device/code', { client_id: client })
  assert.equal(answer.status, 200, answer.body.toString())
  return answer.json<Begun>()
}

async function poll(registry: TestRegistry, code: string): Promise<Record<string, unknown>> {
  return (await post(registry, '/login/device/token', { grant_type: GRANT, device_code: code })).json()
}

async function signedIn({ address }: TestRegistry, name = 'ann'): Promise<Browser> {
  const browser = createBrowser()
  await browser.open(`http://${address}/login`)
  await browser.submit({ fields: { name, password: `password-of-${name}` } })
  return browser
}

/** A registry whose time a test moves on. */
function movableClock() {
  const state = { ahead: 0 }
  return { state, clock: { ...systemClock, now: () => Date.now() + state.ahead } }
}

test('a program gets a refresh token when somebody lets it in, once', async () => {
  const { state, clock } = movableClock()
  await using registry = await withUsers({ clock })
  const begun = await begin(registry)
  assert.match(begun.user_code, /^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/)
  assert.equal(begun.verification_uri, `http://${registry.address}/login/device`)
  assert.equal(begun.verification_uri_complete, `${begun.verification_uri}?user_code=${begun.user_code}`)
  assert.deepEqual([begun.expires_in, begun.interval], [600, 5])
  assert.equal((await poll(registry, begun.device_code))['error'], 'authorization_pending')
  assert.equal((await poll(registry, begun.device_code))['error'], 'slow_down')

  const browser = createBrowser()
  await browser.open(begun.verification_uri_complete)
  const page = await browser.submit({ fields: { name: 'ann', password: PASSWORD } })
  assert.match(page.text, /calls itself <strong>tool<\/strong>, at the address <strong>127\.0\.0\.1<\/strong>/)
  assert.ok(page.text.includes(begun.user_code))
  state.ahead += 11_000
  assert.equal((await poll(registry, begun.device_code))['error'], 'authorization_pending', 'to look is not to allow')
  assert.match((await browser.submit({ form: 'value="allow"' })).text, /The program is let in/)
  state.ahead += 11_000
  const given = await poll(registry, begun.device_code)
  assert.deepEqual([given['account'], given['token_type']], ['ann', 'Bearer'])
  assert.match(String(given['refresh_token']), /^bale_r_/)
  assert.equal((await poll(registry, begun.device_code))['error'], 'invalid_grant')
  const traded = await post(registry, '/token', {
    ...{ grant_type: 'refresh_token', refresh_token: String(given['refresh_token']) },
    scope: 'repository:ann/web:pull,push',
  })
  await registry.image('ann/web', 'one', { tag: '1', token: traded.json<{ token: string }>().token })
  const access = await registry.request('GET', '/v2/', { token: String(given['access_token']) })
  assert.equal(access.status, 200)
})

test('a code is found however it is typed; one that is denied, or too late, gives nothing', async () => {
  const { state, clock } = movableClock()
  await using registry = await withUsers({ clock })
  const browser = await signedIn(registry)
  const { device_code: denied, user_code: code } = await begin(registry)
  await browser.open(`http://${registry.address}/login/device`)
  const typed = ` ${code.toLowerCase().replace('-', ' ')} `
  assert.match((await browser.submit({ fields: { user_code: typed } })).text, /calls itself <strong>tool</)
  assert.match((await browser.submit({ form: 'value="deny"' })).text, /The program is not let in/)
  assert.equal((await poll(registry, denied))['error'], 'access_denied')
  const late = await begin(registry)
  state.ahead += 600_000
  const page = await browser.open(late.verification_uri_complete)
  assert.equal(page.status, 404)
  assert.match(page.text, /No program waits with this code/)
  assert.equal((await poll(registry, late.device_code))['error'], 'expired_token')
})

test('A10 A11: nobody can be made to let a program in, and programs say nothing that pages run', async () => {
  await using registry = await withUsers()
  const browser = await signedIn(registry)
  const begun = await begin(registry)
  const page = await browser.open(begun.verification_uri_complete)
  const [, token = ''] = /name="token" value="([^"]+)"/.exec(page.text) ?? []
  const cookie = `bale-session=${browser.cookies.get('bale-session')}`
  const other = await signedIn(registry, 'bob')
  const [, foreign = ''] =
    /name="token" value="([^"]+)"/.exec((await other.open(begun.verification_uri_complete)).text) ?? []
  const decide = (fields: Record<string, string>, headers: Record<string, string>) =>
    registry.request('POST', '/login/device', {
      body: new URLSearchParams({ user_code: begun.user_code, decision: 'allow', ...fields }).toString(),
      headers,
    })
  const ours = { Cookie: cookie, 'Sec-Fetch-Site': 'same-origin' }
  for (const [fields, headers, status] of [
    [{ token }, { ...ours, 'Sec-Fetch-Site': 'cross-site' }, 403],
    [{ token }, { Cookie: cookie, Origin: 'https://evil.example' }, 403],
    [{ token: foreign }, ours, 403],
    [{}, ours, 403],
    [{ token }, { 'Sec-Fetch-Site': 'same-origin' }, 303],
    [{ token, decision: 'maybe' }, ours, 400],
  ] as const) {
    assert.equal((await decide(fields, headers)).status, status, JSON.stringify([fields, headers]))
  }
  assert.equal((await poll(registry, begun.device_code))['error'], 'authorization_pending')
  for (const client of ['', '<script>', 'a b', 'x'.repeat(65)]) {
    const answer = await post(registry, '/login/device/code', { client_id: client })
    assert.deepEqual([answer.status, answer.json()['error']], [400, 'invalid_request'], client)
  }
  for (const type of ['', 'password', `${GRANT} `]) {
    const fields = { grant_type: type, device_code: begun.device_code }
    assert.equal((await post(registry, '/login/device/token', fields)).json()['error'], 'unsupported_grant_type')
  }
  for (const code of ['', 'x', begun.device_code.slice(1), begun.user_code]) {
    assert.equal((await poll(registry, code))['error'], 'invalid_grant')
  }
  const shown = await browser.open(`http://${registry.address}/login/device?user_code=${encodeURIComponent('"><b>x')}`)
  assert.doesNotMatch(shown.text, /<b>/)
})

test('A15: codes cannot be guessed, nor the table of waiting programs filled', async () => {
  await using registry = await withUsers()
  const browser = await signedIn(registry)
  const begun = await begin(registry)
  const statuses: number[] = []
  for (let guess = 0; guess < 11; guess++) {
    statuses.push(
      (await browser.open(`http://${registry.address}/login/device?user_code=BCDF-GHJ${'BCDFGHJKLMN'[guess]}`)).status,
    )
  }
  assert.deepEqual(statuses, [...Array.from({ length: 10 }, () => 404), 429])
  assert.equal((await browser.open(begun.verification_uri_complete)).status, 429, 'the right one as well')
  assert.equal((await (await signedIn(registry, 'bob')).open(begun.verification_uri_complete)).status, 200)
  let last: Answer | undefined
  for (let more = 0; more < 10; more++) last = await post(registry, '/login/device/code', { client_id: 'tool' })
  assert.equal(last?.status, 429)
  assert.ok(Number(last?.headers['retry-after']) > 0)
  assert.equal(last?.json()['error'], 'slow_down')
})

test('who was logged out after letting a program in has let nobody in', async () => {
  await using registry = await withUsers()
  const browser = await signedIn(registry)
  const begun = await begin(registry)
  await browser.open(begun.verification_uri_complete)
  await browser.submit({ form: 'value="allow"' })
  await registry.registry.users.logOut('ann')
  assert.equal((await poll(registry, begun.device_code))['error'], 'access_denied')
})

test('where programs get nothing to keep, none is let in', async () => {
  await using registry = await withUsers({ refreshTokensUnusedFor: 0 })
  const answer = await post(registry, '/login/device/code', { client_id: 'tool' })
  assert.deepEqual([answer.status, answer.json()['error']], [400, 'unauthorized_client'])
})

/** `bale login --device`, and what it printed so far. */
function loginByDevice(bale: TestBale, host: string) {
  const program = resolve(import.meta.dirname, '../../../bin/bale')
  const child = spawn(program, ['login', '--device', host], {
    env: bale.environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = { text: '' }
  const hear = (chunk: Buffer) => {
    said.text += chunk.toString()
  }
  for (const stream of [child.stdout, child.stderr]) stream.on('data', hear)
  const ended = once(child, 'exit').then(([code]) => code as number | null)
  return {
    said,
    ended,
    address: () => until('it says where to go', () => /or open (\S+)\n/.exec(said.text)?.[1]),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

test('bale login --device: somebody of a provider lets it in, then it pushes and pulls, for as long as the provider’s word counts', async () => {
  await using bale = await testBale()
  const { state, clock } = movableClock()
  const port = await freePort()
  await using provider = await startProvider({ redirects: [`http://127.0.0.1:${port}/login/callback`] })
  provider.people.set('s-1', { preferred_username: 'ann' })
  provider.person = 's-1'
  await using registry = await startRegistry({ anonymous: 'none', port, clock, provider: optionsFor(provider) })
  await using login = loginByDevice(bale, registry.address)
  const browser = createBrowser()
  const page = await browser.open(await login.address())
  assert.match(page.text, /calls itself <strong>bale</)
  await browser.submit({ form: 'value="allow"' })
  assert.equal(await login.ended, 0, login.said.text)
  assert.match(login.said.text, /Logged in as ann\n.*Login Succeeded\n/s)
  const kept = await readFile(join(bale.directory, 'docker/config.json'), 'utf8')
  assert.match(kept, /"identitytoken": "bale_r_/)

  const listed = await bale.run([
    'registry',
    'user',
    'logout',
    '--list',
    'ann',
    '--server',
    `http://${registry.address}`,
  ])
  assert.match(listed, /^USER +KIND +CLIENT +SINCE +USED +ENDS\n/)
  assert.match(listed, /^ann +program +bale +\d{4}-\d\d-\d\d /m)
  assert.match(listed, /^ann +browser +\d{4}-\d\d-\d\d /m)

  const layer = join(bale.directory, 'layer.tar')
  await writeFile(layer, Buffer.alloc(1024))
  const name = `${registry.address}/ann/web:1`
  await bale.run(['import', layer, name])
  await bale.run(['push', name])
  await bale.run(['rmi', name])
  await bale.run(['pull', name])
  state.ahead += 31 * 24 * 3_600_000
  const refused = await bale.try(['pull', name])
  assert.notEqual(refused.code, 0)
  assert.match(refused.stderr, /log in again|login/i)
})

test('bale login --device ends with what the person said, and names another way where there are no such pages', async () => {
  await using bale = await testBale()
  await using registry = await withUsers()
  const browser = await signedIn(registry)
  await using login = loginByDevice(bale, registry.address)
  await browser.open(await login.address())
  await browser.submit({ form: 'value="deny"' })
  assert.equal(await login.ended, 1)
  assert.match(login.said.text, /does not let this program in: the program was not let in/)
  await using without = await withUsers({ sessions: { unusedFor: 0, lifetime: 1000 } })
  const missing = await bale.try(['login', '--device', without.address])
  assert.equal(missing.code, 1)
  assert.match(missing.stderr, /lets no programs in with a browser/)
  assert.match(missing.stderr, new RegExp(`log in with name and password: bale login ${without.address}`))
  await using nothing = await withUsers({ refreshTokensUnusedFor: 0 })
  assert.match((await bale.try(['login', '--device', nothing.address])).stderr, /gives programs nothing to keep/)
  const both = await bale.try(['login', '--device', '-u', 'ann', without.address])
  assert.match(both.stderr, /--device excludes --username/)
})

test('the first administrator is made with the bootstrap token, by one request, while there are no users', async () => {
  const token = 't'.repeat(40)
  await using bale = await testBale()
  await using registry = await startRegistry({ anonymous: 'none', bootstrapToken: token })
  const claim = (fields: Record<string, string>) => post(registry, '/login/bootstrap', { token, ...fields })
  const root = { name: 'root', password: 'password-of-root' }
  assert.equal((await claim({ ...root, token: `${token}x` })).status, 403)
  assert.equal((await claim({ ...root, token: '' })).status, 403)
  assert.equal((await claim({ ...root, name: '<b>' })).status, 400)
  assert.equal((await claim({ ...root, password: 'short' })).status, 400)
  assert.deepEqual(await registry.registry.users.list(), [])

  const file = join(bale.directory, 'token')
  await writeFile(file, `${token}\n`)
  const add = (...args: string[]) =>
    bale.try(
      ['registry', 'user', 'add', 'root', '--server', `http://${registry.address}`, '--password-stdin', ...args],
      {
        input: `${root.password}\n`,
      },
    )
  assert.match((await add('--bootstrap-token-file', file)).stderr, /needs --server and --admin/)
  assert.match((await add('--admin', '--bootstrap-token-file', `${file}x`)).stderr, /cannot be read/)
  const added = await add('--admin', '--bootstrap-token-file', file)
  assert.deepEqual([added.code, added.stdout], [0, 'root\n'], added.stderr)
  const [user, ...others] = await registry.registry.users.list()
  assert.deepEqual([user?.name, user?.admin, others.length], ['root', true, 0])
  const again = await add('--admin', '--bootstrap-token-file', file)
  assert.equal(again.code, 1)
  assert.match(again.stderr, /not right, or there are users already/)
  const lines: (string | undefined)[][] = []
  for await (const { actor, target, address, detail } of registry.registry.audit.entries({ action: 'user.add' })) {
    lines.push([actor, target, address, detail])
  }
  assert.deepEqual(lines, [['bootstrap', 'root', '127.0.0.1', 'admin']])
  const statuses: number[] = []
  for (let tries = 0; tries < 12; tries++) statuses.push((await claim({ ...root, token: `guess-${tries}` })).status)
  assert.equal(statuses.at(-1), 429)
})

test('of many who show the bootstrap token at once one is made, and without a configured one nobody', async () => {
  const token = 't'.repeat(40)
  await using registry = await startRegistry({ anonymous: 'none', bootstrapToken: token })
  const claims = ['a', 'b', 'c', 'd'].map((name) =>
    post(registry, '/login/bootstrap', { token, name, password: 'password-of-root' }),
  )
  const statuses = (await Promise.all(claims)).map(({ status }) => status)
  assert.equal(statuses.filter((status) => status === 201).length, 1, statuses.join())
  assert.equal((await registry.registry.users.list()).length, 1)
  await using without = await startRegistry({ anonymous: 'none' })
  for (const shown of ['', 'undefined', token]) {
    const fields = { token: shown, name: 'root', password: 'password-of-root' }
    assert.equal((await post(without, '/login/bootstrap', fields)).status, 403)
  }
})
