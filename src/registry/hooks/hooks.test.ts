/** Hooks of a served registry, and a server that they tell. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '#base'
import { type HookReceiver, hookReceiver, signatureOf } from '../../../test/kit/hook-receiver.ts'
import { startRegistry } from '../../../test/kit/registry-client.ts'
import { until } from '../../../test/kit/until.ts'
import type { ServeOptions } from '../index.ts'

const LOOPBACK = ['127.0.0.0/8']
const HOUR = 3_600_000

/** A registry whose hooks may be on this machine, and whose time can be moved on. */
async function told(options: Partial<ServeOptions> = {}) {
  await using opened = new AsyncDisposableStack()
  const receiver: HookReceiver = opened.use(await hookReceiver())
  const time = { ahead: 0 }
  const clock = { ...systemClock, now: () => Date.now() + time.ahead }
  const hooks = { allowAddresses: LOOPBACK, ...options.hooks }
  const registry = opened.use(await startRegistry({ clock, ...options, hooks }))
  const parts = opened.move()
  return {
    ...registry,
    hooks: registry.registry.hooks,
    receiver,
    /** Lets time go by, and looks for what is due then. */
    async pass(milliseconds: number) {
      time.ahead += milliseconds
      await registry.request('DELETE', '/v2/none/none/tags/none')
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}

test('a push, a moved and a deleted tag and a manifest are told as signed CloudEvents, within a moment', async () => {
  await using registry = await told({ externalUrl: 'https://registry.example' })
  const { receiver, hooks } = registry
  const secret = await hooks.add('ci', { url: `${receiver.url}?x=1`, pattern: 'team/*' })
  await registry.image('other/web', 'elsewhere', { tag: '1' })
  const image = await registry.image('team/web', 'one', { tag: '1' })
  const began = performance.now()
  const bare = await registry.image('team/web', 'bare')
  await registry.request('DELETE', '/v2/team/web/manifests/1')
  await registry.request('DELETE', `/v2/team/web/manifests/${bare.digest}`)
  await until('all is told', () => receiver.messages.length === 4)
  assert.ok(performance.now() - began < 4_000, 'it did not wait for the next round')
  assert.deepEqual(receiver.told().toSorted(), [
    `manifest.delete team/web@${bare.digest}`,
    `manifest.push team/web@${bare.digest}`,
    'tag.delete team/web:1',
    'tag.set team/web:1',
  ])
  const message = receiver.messages.find(({ body }) => body.includes('tag.set'))!
  const { id, time, sequence, ...event } = JSON.parse(message.body)
  assert.deepEqual(event, {
    specversion: '1.0',
    source: 'https://registry.example',
    type: 'bale.registry.tag.set',
    subject: 'team/web:1',
    datacontenttype: 'application/json',
    data: { repository: 'team/web', tag: '1', digest: image.digest, actor: 'anonymous' },
  })
  assert.ok(Math.abs(Date.parse(time) - Date.now()) < 60_000)
  assert.match(sequence, /^\d{16}$/)
  assert.equal(message.path, '/hook?x=1')
  assert.equal(message.headers['content-type'], 'application/cloudevents+json; charset=utf-8')
  assert.equal(message.headers['webhook-id'], id)
  assert.ok(Math.abs(Number(message.headers['webhook-timestamp']) - Date.now() / 1000) < 60)
  for (const one of receiver.messages) assert.equal(one.headers['webhook-signature'], signatureOf(secret, one))
  await until('all are on record', async () => (await hooks.deliveries({ state: 'delivered' })).length === 4)
  const [last] = await hooks.deliveries()
  assert.deepEqual([last!.hook, last!.attempts, last!.status, last!.failure], ['ci', 1, 204, undefined])
})

test('what a receiver does not take is tried again under the same ID, ever more seldom, and given up in the end', async () => {
  await using registry = await told({ hooks: { retryFor: 2 * HOUR } })
  const { receiver, hooks } = registry
  receiver.reply = () => ({ status: 500, body: `no\u0000way ${'x'.repeat(500)}` })
  await hooks.add('ci', { url: receiver.url })
  await registry.image('team/web', 'one', { tag: '1' })
  let recorded = 0
  const attempts = (count: number) =>
    until(`${count} attempts are on record`, async () => {
      const [one] = await hooks.deliveries()
      if (one?.attempts !== count || one.lastAt === undefined || one.lastAt === recorded) return undefined
      recorded = one.lastAt
      return one
    })
  const first = await attempts(1)
  assert.deepEqual([first.state, first.status, first.failure], ['pending', 500, 'the answer is 500'])
  assert.match(first.answer!, /^no\\x00way x{60,72}…?$/)
  await registry.pass(1000)
  assert.equal(receiver.messages.length, 1, 'not at once')
  const pauses = [first.dueAt - first.lastAt!]
  for (let count = 2; count <= 8; count++) {
    await registry.pass(pauses.at(-1)! + 1)
    const { dueAt, lastAt } = await attempts(count)
    pauses.push(dueAt - lastAt!)
  }
  for (const [at, pause] of pauses.entries()) {
    const middle = 5_000 * 2 ** at
    assert.ok(pause >= middle / 2 && pause <= 1.5 * middle, `${pause} of ${middle}`)
  }
  assert.equal(new Set(receiver.messages.map(({ headers }) => headers['webhook-id'])).size, 1)
  assert.equal(new Set(receiver.messages.map(({ body }) => body)).size, 1)
  await registry.pass(2 * HOUR)
  await until('it is given up', async () => (await hooks.deliveries({ state: 'dead' })).length === 1)
  await registry.pass(24 * HOUR)
  const before = receiver.messages.length
  receiver.reply = () => ({ status: 200, body: 'fine' })
  await hooks.redeliver(first.id)
  await registry.pass(0)
  await until('it is delivered', async () => (await hooks.deliveries({ state: 'delivered' })).length === 1)
  assert.equal(receiver.messages.length, before + 1)
  assert.equal(receiver.messages.at(-1)!.headers['webhook-id'], receiver.messages[0]!.headers['webhook-id'])
})

test('a receiver that says when to come again is asked then, and one that wants nothing any more is not asked', async () => {
  await using registry = await told()
  const { receiver, hooks } = registry
  receiver.reply = () => ({ status: 503, headers: { 'retry-after': '1800' } })
  await hooks.add('ci', { url: receiver.url })
  await registry.image('team/web', 'one', { tag: '1' })
  const [later] = await until('it is put off', async () => {
    const found = await hooks.deliveries()
    return found[0]?.lastAt !== undefined && found
  })
  assert.equal(later!.dueAt - later!.lastAt!, 1_800_000)
  receiver.reply = () => ({ status: 410 })
  await registry.pass(1_800_001)
  await until('it is given up', async () => (await hooks.deliveries({ state: 'dead' })).length === 1)
})

test('A13: a hook at an address of this machine, by number, by name or by redirect, is told nothing, and the answer says why', async () => {
  await using registry = await told({ hooks: { allowAddresses: [] } })
  const { receiver, hooks } = registry
  const { port } = receiver
  for (const [name, host] of [
    ['address', '127.0.0.1'],
    ['decimal', '2130706433'],
    ['mapped', '[::ffff:127.0.0.1]'],
    ['name', 'localhost'],
  ]) {
    await hooks.add(name!, { url: `http://${host}:${port}/` })
    const { delivered, failure } = await hooks.test(name!)
    assert.equal(delivered, false)
    assert.match(failure!, /^connections to .+ are not allowed$/, name)
  }
  await registry.image('team/web', 'one', { tag: '1' })
  await until('it was tried', async () => (await hooks.deliveries({ state: 'pending' })).every(({ lastAt }) => lastAt))
  assert.equal(receiver.messages.length, 0)
})

test('A13: a redirect is not followed, also to where the hook may be', async () => {
  await using registry = await told()
  const { receiver, hooks } = registry
  receiver.reply = ({ path }) =>
    path === '/hook' ? { status: 307, headers: { location: `${receiver.url}/internal` } } : { status: 204 }
  await hooks.add('ci', { url: receiver.url })
  const tried = await hooks.test('ci')
  assert.deepEqual([tried.delivered, tried.status, tried.failure], [false, 307, 'the answer is 307'])
  assert.deepEqual(
    receiver.messages.map(({ path }) => path),
    ['/hook'],
  )
})

test('A13: a name whose address is another one at the next attempt (DNS rebinding) is not connected to', async () => {
  let address = '127.0.0.1'
  await using registry = await told({
    hooks: {
      allowAddresses: ['127.0.0.1'],
      lookup: (_name, options, done) => {
        assert.equal(options.all, true)
        done(null, [{ address, family: 4 }])
      },
    },
  })
  const { receiver, hooks } = registry
  receiver.reply = () => ({ status: 500, headers: { connection: 'close' } })
  await hooks.add('ci', { url: `http://hook.example:${receiver.port}/` })
  await registry.image('team/web', 'one', { tag: '1' })
  await until('it was tried', async () => (await hooks.deliveries())[0]?.lastAt)
  address = '127.0.0.2'
  await registry.pass(10_000)
  const again = await until('it was tried again', async () => {
    const [one] = await hooks.deliveries()
    return one?.attempts === 2 && one.failure?.startsWith('conn') && one
  })
  assert.equal(again.failure, 'connections to hook.example (127.0.0.2) are not allowed')
  assert.equal(receiver.messages.length, 1)
})

test('a hook that is slow or broken does not hold up another one', async () => {
  await using registry = await told()
  const { receiver, hooks } = registry
  await using slow = await hookReceiver()
  slow.reply = () => 'hold'
  await hooks.add('slow', { url: slow.url })
  await hooks.add('down', { url: 'http://127.0.0.1:1/' })
  await hooks.add('fine', { url: receiver.url })
  const tags = Array.from({ length: 12 }, (_, number) => `t${number}`)
  for (const tag of tags) await registry.image('team/web', 'one', { tag })
  await until('the other hears all', () => receiver.messages.length === 12)
  assert.ok(slow.messages.length <= 4, 'and no more than some connections are open to it')
})

test('a test is sent from here, answered and listed; a disabled hook is told nothing until it is enabled', async () => {
  await using registry = await told()
  const { receiver, hooks } = registry
  receiver.reply = () => ({ status: 200, body: 'hello' })
  await hooks.add('ci', { url: receiver.url, events: ['tag.set'] })
  const { delivered, status, answer } = await hooks.test('ci')
  assert.deepEqual([delivered, status, answer], [true, 200, 'hello'])
  assert.deepEqual(receiver.told(), ['hook.test ci'])
  const [listed] = await hooks.deliveries({ hook: 'ci' })
  assert.deepEqual([listed!.action, listed!.state], ['hook.test', 'delivered'])
  await hooks.disable('ci')
  await registry.image('team/web', 'one', { tag: '1' })
  await hooks.enable('ci')
  await registry.image('team/web', 'two', { tag: '2' })
  await until('it is told again', () => receiver.messages.length === 2)
  assert.equal(receiver.told()[1], 'tag.set team/web:2')
  await hooks.remove('ci')
  await registry.image('team/web', 'three', { tag: '3' })
  assert.deepEqual([await hooks.list(), await hooks.deliveries()], [[], []])
})

test('changes of accounts are told to hooks of all repositories that ask for them, without secrets', async () => {
  await using registry = await told()
  const { receiver, hooks } = registry
  const own = await hooks.add('rights', { url: receiver.url, events: ['user.*', 'robot.add', 'hook.*'] })
  await registry.registry.users.add('ann', 'password-of-ann')
  const secret = await registry.registry.robots.add('ann+ci', { grants: [] })
  await hooks.add('more', { url: receiver.url, events: ['blob.delete'] })
  await registry.pass(0)
  await until('all is told', () => receiver.messages.length === 4)
  assert.deepEqual(receiver.told().toSorted(), ['hook.add more', 'hook.add rights', 'robot.add ann+ci', 'user.add ann'])
  const all = receiver.messages.map(({ body }) => body).join()
  for (const hidden of [secret, own, 'password-of-ann', receiver.url]) assert.ok(!all.includes(hidden))
})

test('what cannot be a hook is refused by name', async () => {
  await using registry = await told()
  const { hooks } = registry
  const url = 'https://ci.example/'
  const wrong: [string, Parameters<typeof hooks.add>[1], RegExp][] = [
    ['CI', { url }, /not the name of a hook: CI/],
    ['ci', { url: 'ftp://ci.example' }, /not the URL of a hook: ftp/],
    ['ci', { url: 'https://ann:word@ci.example' }, /not the URL of a hook/],
    ['ci', { url: 'ci.example' }, /not the URL of a hook/],
    ['ci', { url, pattern: 'Team' }, /not a pattern of repositories: Team/],
    ['ci', { url, events: ['tag.psuh'] }, /not an event of repositories \*\*: tag.psuh/],
    ['ci', { url, events: [] }, /would be told nothing/],
    ['ci', { url, pattern: 'a/*', events: ['user.add'] }, /not an event of repositories a\/\*: user.add/],
    ['ci', { url, secret: 'whsec_short' }, /not a secret of a hook/],
  ]
  for (const [name, hook, message] of wrong) {
    await assert.rejects(hooks.add(name, hook), { code: 'INVALID_ARGUMENT', message })
  }
  await hooks.add('ci', { url })
  await assert.rejects(hooks.add('ci', { url }), { code: 'CONFLICT', message: /there is a hook ci already/ })
  for (const act of [hooks.remove, hooks.enable, hooks.disable, (name: string) => hooks.test(name)]) {
    await assert.rejects(act('none'), { code: 'NOT_FOUND', message: /there is no hook none/ })
  }
  await assert.rejects(hooks.redeliver(99), { code: 'NOT_FOUND', message: /there is no delivery 99/ })
})

test('the database has no secret of a hook that could be read, and another secret of the registry opens none', async () => {
  await using registry = await told()
  const { hooks, receiver } = registry
  const given = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
  assert.equal(await hooks.add('ci', { url: receiver.url, secret: given }), given)
  const { DatabaseSync } = await import('node:sqlite')
  using file = new DatabaseSync(`${registry.directory}/registry.db`)
  const row = file.prepare('SELECT secret FROM hooks').get()!
  assert.match(String(row['secret']), /^sealed:/)
  assert.ok(!String(row['secret']).includes(given.slice(6, 30)))
  file.exec("UPDATE hooks SET id = 'another'")
  const { delivered, failure } = await hooks.test('ci')
  assert.deepEqual([delivered, receiver.messages.length], [false, 0])
  assert.match(failure!, /the secret is not the one that the secrets of hooks are sealed with/)
})
