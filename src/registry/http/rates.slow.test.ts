/** Limits of requests, over HTTP, with real clients and with two replicas. */
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { postgresPlace } from '../../../test/kit/meta-places.ts'
import { startPostgres, withoutPostgres } from '../../../test/kit/postgres.ts'
import { clientOf, MANIFEST_TYPE, startRegistry, type TestRegistry } from '../../../test/kit/registry-client.ts'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'
import { createFileObjects, openRegistry, type RequestLimit } from '../index.ts'
import { listenWith } from '../serve.ts'

const ANN = 'ann:password-of-ann'
const MINUTE = 60_000

async function limited(requestLimits: RequestLimit[], options: Parameters<typeof startRegistry>[0] = {}) {
  const registry = await startRegistry({ anonymous: 'none', requestLimits, ...options })
  await registry.registry.users.add('ann', 'password-of-ann')
  await registry.registry.visibility.publish('ann/web')
  await registry.image('ann/web', 'one', { tag: '1', login: ANN })
  return registry
}

const headersOf = ({ headers }: { headers: Record<string, unknown> }) => [
  headers['ratelimit-limit'],
  headers['ratelimit-remaining'],
]

test('a pull is a GET of a manifest: HEADs, blobs and requests without the right do not count, then 429 as Docker Hub says it', async () => {
  await using registry = await limited([
    { who: 'anonymous', per: 'address', what: 'pulls', most: 2, within: 6 * 60 * MINUTE },
  ])
  const ask = (method: string, path: string, sending = {}) => registry.request(method, path, sending)
  assert.deepEqual(headersOf(await ask('HEAD', '/v2/ann/web/manifests/1')), ['2;w=21600', '2;w=21600'])
  assert.deepEqual(headersOf(await ask('GET', '/v2/ann/web/manifests/1')), ['2;w=21600', '1;w=21600'])
  assert.equal((await ask('GET', '/v2/ann/private/manifests/1')).status, 401)
  assert.equal((await ask('GET', '/v2/ann/web/tags/list')).headers['ratelimit-limit'], undefined)
  assert.deepEqual(headersOf(await ask('GET', '/v2/ann/web/manifests/absent')), ['2;w=21600', '0;w=21600'])
  const [there, absent] = [await ask('GET', '/v2/ann/web/manifests/1'), await ask('GET', '/v2/ann/web/manifests/none')]
  assert.deepEqual([there.status, there.codes()], [429, ['TOOMANYREQUESTS']])
  assert.deepEqual(headersOf(there), ['2;w=21600', '0;w=21600'])
  const wait = Number(there.headers['retry-after'])
  assert.ok(wait > 21_600 && wait <= 22_680, `${wait}`)
  assert.match(there.body.toString(), /too many pulls: at most 2 in 6h0m0s; try again in \d+ s/)
  assert.equal(absent.body.toString().replace(/\d+ s/, ''), there.body.toString().replace(/\d+ s/, ''), 'A01')
  assert.equal((await ask('HEAD', '/v2/ann/web/manifests/1')).status, 200, 'what is not a pull goes on')
  assert.equal((await ask('GET', '/v2/ann/web/manifests/1', { login: ANN })).status, 200)
})

test('all tokens and passwords of an account are one identity, and other accounts have their own count', async () => {
  await using registry = await limited([{ who: 'users', per: 'identity', what: 'pulls', most: 3, within: MINUTE }])
  const { users, accessTokens, robots } = registry.registry
  await users.add('bob', 'password-of-bob')
  const secrets = [await accessTokens.add('ann', 'one'), await accessTokens.add('ann', 'two')]
  const { token } = (
    await registry.request('GET', '/token?scope=repository:ann/web:pull', { login: `ann:${secrets[1]}` })
  ).json<{ token: string }>()
  const pull = async (sending: object) => (await registry.request('GET', '/v2/ann/web/manifests/1', sending)).status
  assert.equal(await pull({ login: ANN }), 200)
  assert.equal(await pull({ login: `ann:${secrets[0]}` }), 200)
  assert.equal(await pull({ token }), 200)
  for (const sending of [{ login: ANN }, { login: `ann:${secrets[0]}` }, { token }])
    assert.equal(await pull(sending), 429)
  assert.equal(await pull({ login: 'bob:password-of-bob' }), 200)
  const robot = await robots.add('ann+ci', { grants: [{ pattern: 'ann/web', role: 'read' }] })
  for (let more = 0; more < 5; more++) assert.equal(await pull({ login: `ann+ci:${robot}` }), 200)
})

test('pushes and all requests can be limited; probes never are, and wrong logins count as nobody', async () => {
  await using registry = await limited([
    { who: 'users', per: 'identity', what: 'pushes', most: 2, within: MINUTE },
    { who: 'anonymous', per: 'address', what: 'requests', most: 5, within: MINUTE },
  ])
  assert.equal((await registry.image('ann/web', 'two', { login: ANN })).answer.status, 201)
  const third = await registry.request('PUT', '/v2/ann/web/manifests/3', {
    login: ANN,
    headers: { 'Content-Type': MANIFEST_TYPE },
    body: '{}',
  })
  assert.deepEqual([third.status, third.codes()], [429, ['TOOMANYREQUESTS']])
  const statuses: number[] = []
  for (const login of [undefined, 'ann:wrong', undefined, 'nobody:x', undefined, undefined, 'ann:wrong']) {
    statuses.push((await registry.request('GET', '/v2/', { login })).status)
  }
  assert.deepEqual(statuses, [401, 401, 401, 401, 401, 429, 429])
  assert.equal((await registry.request('GET', '/token')).status, 429)
  assert.equal((await registry.request('GET', '/livez')).status, 200)
  assert.equal((await registry.request('GET', '/readyz')).status, 200)
  assert.equal((await registry.request('GET', '/v2/', { login: ANN })).status, 200)
})

test('addresses are those that trusted proxies tell, IPv6 ones by their network', async () => {
  const limit: RequestLimit = { who: 'anonymous', per: 'address', what: 'pulls', most: 1, within: MINUTE }
  const pulls = async (registry: TestRegistry, ...addresses: string[]) => {
    const statuses: number[] = []
    for (const address of addresses) {
      const headers = { 'X-Forwarded-For': address }
      statuses.push((await registry.request('GET', '/v2/ann/web/manifests/1', { headers })).status)
    }
    return statuses
  }
  {
    await using registry = await limited([limit], { trustedProxies: ['127.0.0.1'] })
    assert.deepEqual(await pulls(registry, '192.0.2.1', '192.0.2.2', '192.0.2.1'), [200, 200, 429])
    assert.deepEqual(await pulls(registry, '2001:db8::1', '2001:db8::ffff:2', '2001:db8:0:1::1'), [200, 429, 200])
    assert.deepEqual(await pulls(registry, '192.0.2.9, 192.0.2.1'), [429], 'what the client itself says does not count')
  }
  await using direct = await limited([limit])
  assert.deepEqual(await pulls(direct, '192.0.2.1', '192.0.2.2'), [200, 429])
})

test('refusals above a limit are in the audit log once for each caller, whatever paths it asks for', async () => {
  const directory = await temporaryDirectory('bale-rates')
  await using _ = directory
  {
    await using registry = await limited(
      [{ who: 'anonymous', per: 'address', what: 'requests', most: 1, within: MINUTE }],
      { directory: `${directory.path}/r` },
    )
    for (let number = 0; number < 300; number++) await registry.request('GET', `/v2/ann/web-${number}/tags/list`)
  }
  await using registry = await startRegistry({ directory: `${directory.path}/r` })
  const lines = await Array.fromAsync(registry.registry.audit.entries({ outcome: 'refused' }))
  assert.deepEqual(
    lines.map(({ target, detail }) => [target, detail]),
    [['/v2/ann/web-1/tags/list', '429, 299 times']],
  )
})

const execute = promisify(execFile)
const withoutSkopeo =
  spawnSync('skopeo', ['--version']).error === undefined ? false : 'skopeo is not installed (apt-get install skopeo)'

test('skopeo waits as long as Retry-After says, and its copy goes through', { skip: withoutSkopeo }, async () => {
  await using registry = await limited([{ who: 'anonymous', per: 'address', what: 'pulls', most: 1, within: 10_000 }])
  await using directory = await temporaryDirectory('bale-rates')
  const copy = async (name: string) => {
    const began = performance.now()
    const source = `docker://${registry.address}/ann/web:1`
    await execute('skopeo', ['copy', '--src-tls-verify=false', source, `dir:${directory.path}/${name}`])
    return performance.now() - began
  }
  await copy('first')
  const refused = () => registry.request('GET', '/v2/ann/web/manifests/1')
  assert.equal((await refused()).status, 429)
  const took = await copy('second')
  assert.ok(took > 3000 && took < 30_000, `${took} ms`)
})

test('two replicas hold a limit together: above it is at most what comes within a second', {
  skip: withoutPostgres(),
}, async () => {
  await using postgres = await startPostgres()
  await using place = await postgresPlace(postgres)
  await using directory = await temporaryDirectory('bale-rates')
  const secret = randomBytes(32)
  const requestLimits: RequestLimit[] = [{ who: 'anonymous', per: 'address', what: 'pulls', most: 60, within: MINUTE }]
  const serve = async () => {
    const parts = { meta: await place.open(), objects: createFileObjects(directory.path), secret, shared: true }
    return await listenWith(await openRegistry(parts, { anonymous: 'push', requestLimits }), { port: 0 })
  }
  await using one = await serve()
  await using other = await serve()
  const clients = [one, other].map(({ address }) => clientOf(address))
  await clients[0]!.image('ann/web', 'one', { tag: '1' })
  const PAUSE = 50
  let admitted = 0
  // Twenty a second at each replica: the limit is reached after one and a half of them.
  for (let round = 0; round < 80; round++) {
    const answers = await Promise.all(clients.map((client) => client.request('GET', '/v2/ann/web/manifests/1')))
    admitted += answers.filter(({ status }) => status === 200).length
    await sleep(PAUSE)
  }
  const perSecond = 1000 / PAUSE
  assert.ok(admitted >= 60 && admitted <= 60 + 2 * perSecond * 1.5, `${admitted} of 60`)
  for (const client of clients) assert.equal((await client.request('GET', '/v2/ann/web/manifests/1')).status, 429)
})
