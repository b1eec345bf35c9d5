/**
 * A registry of replicas as it is run: processes of `bale registry serve --config` on one PostgreSQL and one bucket of Ceph,
 * behind haproxy. Here they are killed at the worst moments, and their servers too.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { request as send } from 'node:http'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { atOnce, execute, type TestBale, testBale } from '../kit/bale.ts'
import { startCeph, withoutCeph } from '../kit/ceph.ts'
import { cuttingProxy } from '../kit/cutting-proxy.ts'
import { startHaproxy, withoutHaproxy } from '../kit/haproxy.ts'
import { startPostgres, withoutPostgres } from '../kit/postgres.ts'
import { missingOf, startPushLoad } from '../kit/push-load.ts'
import { type Answer, clientOf, sha256 } from '../kit/registry-client.ts'
import { type Replica, type Replicas, replicasOn } from '../kit/replica.ts'
import { tarEntry, tarOf } from '../kit/tar.ts'
import { until } from '../kit/until.ts'

const skip = withoutPostgres() || withoutCeph() || withoutHaproxy()
const shared = skip ? undefined : await servers()
after(() => shared?.[Symbol.asyncDispose]())

async function servers() {
  await using started = new AsyncDisposableStack()
  const [postgres, ceph, bale] = await Promise.all([startPostgres(), startCeph(), testBale()])
  for (const one of [postgres, ceph, bale]) started.use(one)
  const kept = started.move()
  return { postgres, ceph, bale, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

interface Pair extends AsyncDisposable {
  all: Replicas
  /** It reaches the store through `store`. */
  one: Replica
  other: Replica
  store: Awaited<ReturnType<typeof cuttingProxy>>
}

/** Two replicas, started at once on an empty database. */
async function pair(more: object): Promise<Pair> {
  await using started = new AsyncDisposableStack()
  const store = started.use(await cuttingProxy(shared!.ceph.endpoint))
  const all = started.use(await replicasOn(shared!))
  const one = await all.replica({ endpoint: store.url, more })
  const other = await all.replica({ more })
  await Promise.all([one.start(), other.start()])
  const kept = started.move()
  return { all, one, other, store, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

/** Longer than a dead process keeps an upload, and its turn to collect. */
const UPLOAD_LOCK = 30_000
const TURN = 120_000
const QUIET = { every: '24h' }

const offsetOf = ({ headers }: Answer) => Number(/^0-(\d+)$/.exec(String(headers['range']))![1]) + 1

/** `bale registry VERB… --config FILE`, of a replica that is served. */
const administer = (bale: TestBale, { config }: Replica, verb: readonly string[], input?: string) =>
  bale.run(['registry', ...verb, '--config', config], { input })

async function assertUndamaged(bale: TestBale, replica: Replica): Promise<void> {
  const checked = await administer(bale, replica, ['check'])
  assert.match(checked, /^Damaged: 0$/m)
  assert.match(checked, /^Files that nothing knows: 0 /m)
}

/** Sends some bytes at once, the others one by one, until the connection breaks. */
function drip(address: string, path: string, content: Uint8Array, { atOnce: first }: { atOnce: number }) {
  const { hostname, port } = new URL(`http://${address}`)
  const headers = { 'Content-Length': content.byteLength }
  const sending = send({ hostname, port, method: 'PATCH', path, headers, agent: false })
  const broken = once(sending, 'error')
  sending.write(content.subarray(0, first))
  let at = first
  const timer = setInterval(() => sending.write(content.subarray(at, ++at)), 50)
  broken.finally(() => clearInterval(timer))
  return { broken }
}

test('replicas that are killed while they receive, finish or collect', { skip }, async (context) => {
  const { bale } = shared!
  await using replicas = await pair({ anonymous: 'push', collection: { ...QUIET, grace: '0s' } })
  const { all, one, other, store } = replicas
  const [first, second] = [clientOf(one.address), clientOf(other.address)]
  const begin = async () => String((await first.request('POST', '/v2/a/b/blobs/uploads/')).headers['location'])

  // This takes the half minute that the dead one's lock lasts, which is waited for here, once; and before it ten seconds
  // until a replica writes down how far an upload came while its body still comes.
  await context.test('a client goes on at the other replica, from where that one says', async () => {
    await one.start()
    const content = randomBytes(8_000_000)
    const location = await begin()
    const { broken } = drip(one.address, location, content, { atOnce: 7_000_000 })
    const status = () => second.request('GET', location)
    await until('some of it is on record', async () => offsetOf(await status()) > 1)
    await one.kill()
    await broken
    const offset = offsetOf(await status())
    assert.ok(offset >= 5_242_880, `${offset} bytes are on record`)
    const rest = content.subarray(offset)
    const headers = { 'Content-Range': `${offset}-${content.length - 1}` }
    const goOn = () => second.request('PATCH', location, { headers, body: rest })
    assert.equal((await goOn()).status, 416, 'the dead one has the upload for some time')
    await until('the lock is over', async () => (await goOn()).status === 202, { every: 500 })
    assert.equal((await second.request('PUT', `${location}?digest=${sha256(content)}`)).status, 201)
    const read = await second.request('GET', `/v2/a/b/blobs/${sha256(content)}`)
    assert.ok(read.body.equals(content))
  })

  // This takes the ten seconds that a replica which is stopped gives to requests that run.
  await context.test(
    'a replica that is stopped writes down what came, and gives the upload to the other one',
    async () => {
      await one.start()
      const content = randomBytes(6_000_000)
      const location = await begin()
      const { broken } = drip(one.address, location, content, { atOnce: 5_900_000 })
      await until('it receives', async () => (await all.inBucket()).uploads.length > 0)
      const [code] = await Promise.all([one.stop(), broken])
      assert.equal(code, 0)
      const offset = offsetOf(await second.request('GET', location))
      assert.ok(offset >= 5_900_000, `${offset} bytes are on record`)
      const finish = `${location}?digest=${sha256(content)}`
      assert.equal((await second.request('PUT', finish, { body: content.subarray(offset) })).status, 201)
      const read = await second.request('GET', `/v2/a/b/blobs/${sha256(content)}`)
      assert.ok(read.body.equals(content))
    },
  )

  await context.test(
    'what the store completed before its replica died is finished by the same PUT, or goes',
    async () => {
      await one.start()
      const contents = [randomBytes(7_000_000), randomBytes(6_000_000)]
      const locations: string[] = []
      for (const content of contents) {
        const location = await begin()
        assert.equal((await first.request('PATCH', location, { body: content })).status, 202)
        locations.push(location)
      }
      const before = (await all.inBucket()).objects.length
      const held = store.add({ method: 'POST', path: /uploadId=/, last: 2, how: { act: 'hold' } })
      const finish = (turn: number) => `${locations[turn]}?digest=${sha256(contents[turn]!)}`
      const lost = [0, 1].map((turn) => assert.rejects(first.request('PUT', finish(turn))))
      await until('both are complete', async () => (await all.inBucket()).objects.length === before + 2)
      await one.kill()
      await Promise.all(lost)
      assert.equal(held.struck(), 2)
      await all.pass(UPLOAD_LOCK)
      assert.equal((await second.request('PUT', finish(0))).status, 201)
      assert.equal((await second.request('PUT', finish(0))).status, 201, 'a client that missed the answer asks again')
      const digest = sha256(contents[0]!)
      assert.ok((await second.request('GET', `/v2/a/b/blobs/${digest}`)).body.equals(contents[0]!))
      assert.equal(await second.blob('a/b', contents[0]!), digest)
      const said = await administer(bale, other, ['gc', '--uploads-older-than', '0', '--grace', '0'])
      assert.match(said, /^Uploads that were never finished: 1$/m)
      await assertUndamaged(bale, other)
    },
  )

  await context.test('a collection whose process died is finished by the next one', async () => {
    await one.start()
    const kept = await first.image('a/kept', 'x'.repeat(6_000_000), { tag: '1' })
    for (let turn = 0; turn < 3; turn++) {
      const digest = await first.blob('a/b', randomBytes(10_000))
      assert.equal((await first.request('DELETE', `/v2/a/b/blobs/${digest}`)).status, 202)
    }
    const before = (await all.inBucket()).objects.length
    const held = store.add({ method: 'DELETE', how: { act: 'hold' } })
    const collector = await all.replica({
      endpoint: store.url,
      more: { anonymous: 'push', collection: { every: '1s', grace: '0s' } },
    })
    await collector.start()
    await until('it deletes', () => held.struck() === 1)
    await collector.kill()
    const next = ['registry', 'gc', '--grace', '0', '--config', other.config]
    const refused = await bale.try(next)
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /another process of the registry is collecting/)
    await all.pass(TURN)
    await bale.run(next)
    const left = await all.inBucket()
    assert.deepEqual([left.objects.length, left.uploads], [before - 3, []])
    for (const digest of [kept.config, kept.layer]) {
      assert.equal(sha256((await second.request('GET', `/v2/a/kept/blobs/${digest}`)).body), digest)
    }
    await assertUndamaged(bale, other)
  })
})

const disasters = [
  { name: 'PostgreSQL', server: () => shared!.postgres, told: /the database of the registry does not answer/ },
  {
    name: 'the gateway of the store',
    server: () => shared!.ceph.gateway,
    told: /the bucket \S+ at \S+ is not available/,
  },
]
test('a server that dies and comes back under pushes and pulls', { skip }, async (context) => {
  await using replicas = await pair({ anonymous: 'push', collection: QUIET })
  const { one, other } = replicas
  await using balancer = await startHaproxy([one.address, other.address])
  for (const { name, server, told } of disasters) {
    await context.test(`${name}: what was confirmed exists, and failures are temporary only`, async () => {
      const load = startPushLoad(balancer.address)
      try {
        await until('some are pushed', () => load.pushed.length > 5)
        await server().kill()
        const failures = load.failures()
        await until('clients are asked to wait', () => load.failures() > failures + 3)
        await server().start()
        const before = load.pushed.length
        await until('pushes go on', () => load.pushed.length > before + 5)
      } finally {
        await load.stop()
      }
      assert.deepEqual(load.complaints, [])
      assert.match(one.output() + other.output(), told, 'the operator sees it')
      for (const { address } of [one, other]) assert.deepEqual(await missingOf(address, load.pushed), [])
      await assertUndamaged(shared!.bale, other)
    })
  }
})

const PASSWORD = 'correct-horse-battery'

test('replicas as clients and operators use them', { skip }, async (context) => {
  await using replicas = await pair({ collection: { ...QUIET, grace: '0s' } })
  const { one, other } = replicas
  const { bale } = shared!
  await using balancer = await startHaproxy([one.address, other.address])
  const host = balancer.address
  const login = (password: string, place = bale) =>
    place.try(['login', '-u', 'ann', '--password-stdin', host], { input: password })

  await context.test('users and grants that are given beside one replica hold at all at once', async () => {
    await administer(bale, one, ['user', 'add', '--password-stdin', 'ann'], 'the-first-password\n')
    await administer(bale, other, ['user', 'add', '--password-stdin', 'bob'], `${PASSWORD}\n`)
    assert.equal((await login('the-first-password')).code, 0)
    await administer(bale, one, ['user', 'passwd', '--password-stdin', 'ann'], `${PASSWORD}\n`)
    await administer(bale, other, ['grant', 'ann', 'team/*', 'write'])
    assert.notEqual((await login('the-first-password')).code, 0)
    assert.equal((await login(PASSWORD)).code, 0)
    const listed = await administer(bale, one, ['user', 'ls'])
    assert.match(listed, /^ann +no +.*team\/\*=write/m)
    assert.match(listed, /^bob /m)
    const asBob = (replica: Replica) => clientOf(replica.address).request('GET', '/v2/', { login: `bob:${PASSWORD}` })
    assert.equal((await asBob(one)).status, 200)
    await administer(bale, other, ['user', 'rm', 'bob'])
    for (const replica of [one, other]) assert.equal((await asBob(replica)).status, 401)
  })

  await context.test(
    'what the file says cannot be said by flags as well, and a backup is refused in words',
    async () => {
      const file = ['--config', one.config]
      const flags = [
        ['--root', '/nowhere'],
        ['--listen', '127.0.0.1:0'],
        ['--anonymous-pull'],
        ['--min-free', '5'],
        ['--trusted-proxy', '10.0.0.1'],
      ]
      await atOnce(flags, async (flag) => {
        const { code, stderr } = await bale.try(['registry', 'serve', ...file, ...flag])
        assert.deepEqual([code, stderr.includes(`--config and ${flag[0]} exclude each other`)], [1, true], stderr)
      })
      const both = await bale.try(['registry', 'gc', ...file, '--root', '/nowhere'])
      assert.match(both.stderr, /--config and --root exclude each other/)
      const backup = await bale.try(['registry', 'backup', ...file, join(bale.directory, 'backup')])
      assert.deepEqual([backup.code, /tools of its database and its store/.test(backup.stderr)], [1, true])
    },
  )

  const ROUNDS = 10
  const image = (round: number) => `${host}/team/image:${round}`
  await context.test('replicas that are stopped and started one after the other fail no push and no pull', async () => {
    await atOnce(Array.from({ length: ROUNDS }).keys(), async (round) => {
      const text = randomBytes(2_000_000).toString('hex')
      const input = await tarOf([{ entry: tarEntry(`file${round}`), text }])
      await bale.run(['import', '-', image(round)], { input })
    })
    await using puller = await testBale()
    assert.equal((await login(PASSWORD, puller)).code, 0)
    const stopping = new AbortController()
    const codes: (number | null)[] = []
    const rolling = (async () => {
      while (!stopping.signal.aborted) {
        for (const replica of [one, other]) {
          codes.push(await replica.stop())
          await replica.start()
          // Until the balancer has seen that it is back.
          await sleep(1000)
        }
      }
    })()
    try {
      for (let round = 0; round <= ROUNDS; round++) {
        const pushing = round < ROUNDS ? bale.run(['push', '-q', image(round)]) : undefined
        const pulling = round > 0 ? puller.run(['pull', '-q', image(round - 1)]) : undefined
        await Promise.all([pushing, pulling])
      }
    } finally {
      stopping.abort()
      await rolling
    }
    assert.ok(codes.length >= 2 && codes.every((code) => code === 0), `they ended with ${codes}`)
    const ids = (place: TestBale) => place.run(['images', '-q', '--no-trunc', `${host}/team/image`])
    assert.equal((await ids(puller)).split('\n').toSorted().join(), (await ids(bale)).split('\n').toSorted().join())
  })

  await context.test('skopeo copies from and to them with a login; the registry is undamaged in the end', async () => {
    const insecure = ['--src-tls-verify=false', '--dest-tls-verify=false']
    const creds = ['--src-creds', `ann:${PASSWORD}`, '--dest-creds', `ann:${PASSWORD}`]
    const names = [image(0), `${host}/team/copied:1`].map((name) => `docker://${name}`)
    const copied = await execute('skopeo', ['copy', '-q', ...insecure, ...creds, ...names])
    assert.equal(copied.code, 0, copied.stderr)
    await bale.run(['pull', '-q', `${host}/team/copied:1`])
    const id = (name: string) => bale.run(['image', 'inspect', '--format', '{{.Id}}', name])
    assert.equal(await id(`${host}/team/copied:1`), await id(image(0)))
    await administer(bale, one, ['gc', '--grace', '0'])
    await assertUndamaged(bale, other)
  })
})
