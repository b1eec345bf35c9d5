/** What is delivered when processes of a registry die, and by several of them. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import pg from 'pg'
import { hookReceiver } from '../../../test/kit/hook-receiver.ts'
import { startPostgres, withoutPostgres } from '../../../test/kit/postgres.ts'
import { clientOf } from '../../../test/kit/registry-client.ts'
import { type Replica, servedFiles } from '../../../test/kit/replica.ts'
import { until } from '../../../test/kit/until.ts'
import { openConfiguredAdmin, readConfiguration } from '../index.ts'

const skip = withoutPostgres()
const postgres = skip ? undefined : await startPostgres()
after(() => postgres?.[Symbol.asyncDispose]())

/** Replicas as processes, and a receiver that they may tell. */
async function replicas(count: number, place: object) {
  await using opened = new AsyncDisposableStack()
  const files = opened.use(await servedFiles())
  const receiver = opened.use(await hookReceiver())
  const all: Replica[] = []
  for (let number = 0; number < count; number++) {
    const rest = { anonymous: 'push', hooks: { 'allow-addresses': ['127.0.0.1'] } }
    all.push(await files.replica({ ...rest, ...place }))
    await all.at(-1)!.start()
  }
  const admin = opened.use(await openConfiguredAdmin(await readConfiguration(all[0]!.config), { environment: {} }))
  const parts = opened.move()
  return { all, receiver, hooks: admin.hooks, [Symbol.asyncDispose]: () => parts.disposeAsync() }
}

const scaledOut = (url: string) => ({
  metadata: { postgres: { url } },
  objects: { directory: 'objects' },
  'secret-file': 'secret',
})

test('what was pushed before the registry was killed is told after its next start, under the same ID', async () => {
  await using under = await replicas(1, { directory: 'registry' })
  const { all, receiver, hooks } = under
  const [replica] = all as [Replica]
  await hooks.add('ci', { url: receiver.url })
  receiver.reply = () => 'hold'
  const { answer } = await clientOf(replica.address).image('team/web', 'one', { tag: '1' })
  assert.equal(answer.status, 201)
  await until('an attempt is under way', () => receiver.messages.length === 1)
  await replica.kill()
  receiver.reply = () => ({ status: 204 })
  await replica.start()
  await until('it is told again', () => receiver.messages.length === 2)
  const [first, second] = receiver.messages
  assert.equal(second!.headers['webhook-id'], first!.headers['webhook-id'])
  assert.equal(second!.body, first!.body)
  await until('it is on record', async () => (await hooks.deliveries({ state: 'delivered' })).length === 1)
})

test('what nobody had tried to deliver when the registry was killed is told after its next start', async () => {
  await using under = await replicas(1, { directory: 'registry' })
  const { all, receiver, hooks } = under
  const [replica] = all as [Replica]
  await hooks.add('ci', { url: receiver.url })
  const { answer } = await clientOf(replica.address).image('team/web', 'one', { tag: '1' })
  // Deliveries begin some time after the answer.
  await replica.kill()
  assert.equal(answer.status, 201)
  await replica.start()
  await until('it is told', () => receiver.messages.length > 0)
  assert.deepEqual(receiver.told()[0], 'tag.set team/web:1')
})

test('a replica that is stopped hands over what it was about to deliver', { skip }, async () => {
  await using under = await replicas(2, scaledOut(await postgres!.database()))
  const { all, receiver, hooks } = under
  const [one] = all as [Replica, Replica]
  await hooks.add('ci', { url: receiver.url })
  receiver.reply = () => 'hold'
  await clientOf(one.address).image('team/web', 'one', { tag: '1' })
  await until('an attempt is under way', () => receiver.messages.length > 0)
  receiver.reply = () => ({ status: 204 })
  for (const replica of all) await replica.stop()
  const [waiting] = await hooks.deliveries()
  assert.deepEqual([waiting!.state, waiting!.attempts, waiting!.dueAt <= Date.now() + 1000], ['pending', 0, true])
  await one.start()
  await until('it is told', async () => (await hooks.deliveries({ state: 'delivered' })).length === 1)
})

test('two replicas tell each event once; what one had taken when it was killed is told by the other', {
  skip,
}, async () => {
  const url = await postgres!.database()
  await using under = await replicas(2, scaledOut(url))
  const { all, receiver, hooks } = under
  await hooks.add('ci', { url: receiver.url, events: ['tag.set'] })
  const clients = all.map(({ address }) => clientOf(address))
  const push = async (number: number) =>
    await clients[number % 2]!.image('team/web', `image ${number}`, { tag: `t${number}` })
  await Promise.all(Array.from({ length: 60 }, (_, number) => push(number)))
  await until('all are on record', async () => (await hooks.deliveries({ state: 'delivered' })).length === 60)
  assert.equal(receiver.messages.length, 60, 'none came twice')
  assert.equal(new Set(receiver.messages.map(({ headers }) => headers['webhook-id'])).size, 60)

  receiver.reply = () => 'hold'
  await push(60)
  await until('an attempt is under way', () => receiver.messages.length === 61)
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    // Either of them has it.
    for (const replica of all) await replica.kill()
    receiver.reply = () => ({ status: 204 })
    await all[1]!.start()
    assert.equal(receiver.messages.length, 61, 'it is not due before the lease is over')
    await client.query('UPDATE hook_deliveries SET due_at = due_at - 60000 WHERE token IS NOT NULL')
    await until('it is told', async () => (await hooks.deliveries({ state: 'delivered' })).length === 61)
  } finally {
    await client.end()
  }
  assert.equal(receiver.messages.length, 62)
  assert.equal(receiver.messages[61]!.headers['webhook-id'], receiver.messages[60]!.headers['webhook-id'])
})
