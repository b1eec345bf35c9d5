/** Rounds of a dispatcher over a database, with a receiver that does what a test says. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BaleError, systemClock } from '#base'
import { digestOf } from '#blob'
import { sqlitePlace } from '../../../test/kit/meta-places.ts'
import { until } from '../../../test/kit/until.ts'
import type { MetaStore, TakenDelivery } from '../meta/index.ts'
import { createDispatcher } from './dispatcher.ts'
import type { Sent } from './hook-sender.ts'

interface Under {
  meta: MetaStore
  reported: string[]
  dispatcher: ReturnType<typeof createDispatcher>
}

type Send = (delivery: TakenDelivery, options?: { signal?: AbortSignal }) => Promise<Sent>

/** A hook `ci` with so many deliveries that are due. */
async function dispatching(count: number, { send, broken }: { send: Send; broken?: Partial<MetaStore> }) {
  await using opened = new AsyncDisposableStack()
  const place = opened.use(await sqlitePlace())
  const meta = await place.open()
  opened.defer(() => meta.close())
  await meta.addHook({ id: 'ci', name: 'ci', url: 'https://ci/', pattern: '**', events: ['tag.set'], secret: '' })
  const bytes = Buffer.from('image')
  const image = { digest: digestOf(bytes), mediaType: 'x', bytes, blobs: [], children: [], actor: 'ann' }
  const descriptor = { mediaType: 'x', digest: image.digest, size: bytes.length }
  const tags = Array.from({ length: count }, (_, number) => `t${number}`)
  await meta.putManifest('a/b', { ...image, descriptor, tags })
  const reported: string[] = []
  const dispatcher = createDispatcher({
    meta: { ...meta, ...broken },
    sender: { send, [Symbol.asyncDispose]: () => Promise.resolve() },
    clock: systemClock,
    retryFor: 1000,
    report: (failure, what) => reported.push(`${what}: ${(failure as Error).message}`),
    observe: undefined,
  })
  opened.use(dispatcher)
  const parts = opened.move()
  return { meta, reported, dispatcher, [Symbol.asyncDispose]: () => parts.disposeAsync() } satisfies Under &
    AsyncDisposable
}

const inState = async ({ meta }: Under, state: 'pending' | 'delivered' | 'dead') =>
  (await meta.listDeliveries({ state, limit: 1000 })).length

test('one round delivers all that is due, some at once and each once', async () => {
  const sent: number[] = []
  let [now, most] = [0, 0]
  await using under = await dispatching(250, {
    async send({ id }) {
      sent.push(id)
      most = Math.max(most, ++now)
      await new Promise((resolve) => setImmediate(resolve))
      now--
      return { outcome: 'delivered' }
    },
  })
  await under.dispatcher.round()
  await until('all are delivered', async () => (await inState(under, 'delivered')) === 250)
  assert.deepEqual([sent.length, new Set(sent).size, most], [250, 250, 4])
})

test('a receiver that takes nothing is asked for some deliveries in a round, not for all', async () => {
  let asked = 0
  await using under = await dispatching(50, {
    async send() {
      asked++
      return { outcome: 'failed', failure: 'down' }
    },
  })
  await under.dispatcher.round()
  await until(
    'some were tried',
    async () => (await under.meta.listDeliveries({ limit: 50 })).filter(({ lastAt }) => lastAt).length === 4,
  )
  await under.dispatcher[Symbol.asyncDispose]()
  assert.equal(asked, 4)
})

test('what runs when it ends is given back, untried, and waited for', async () => {
  let running = 0
  await using under = await dispatching(3, {
    send: (_delivery, { signal } = {}) =>
      new Promise((_resolve, reject) => {
        running++
        signal!.addEventListener('abort', () => reject(signal!.reason as Error))
      }),
  })
  await under.dispatcher.round()
  await until('all run', () => running === 3)
  await under.dispatcher[Symbol.asyncDispose]()
  const left = await under.meta.listDeliveries({ limit: 9 })
  assert.deepEqual(
    left.map(({ state, attempts, dueAt }) => [state, attempts, dueAt <= Date.now()]),
    [
      ['pending', 0, true],
      ['pending', 0, true],
      ['pending', 0, true],
    ],
  )
  assert.deepEqual(under.reported, [])
})

test('a database that fails and a secret that does not open are reported to the operator; nothing is lost', async () => {
  await using failing = await dispatching(1, {
    send: async () => ({ outcome: 'delivered' }),
    broken: { endAttempt: () => Promise.reject(new Error('no database')) },
  })
  await failing.dispatcher.round()
  await until('it is told', () => failing.reported.length > 0)
  assert.deepEqual([failing.reported, await inState(failing, 'pending')], [['delivering to hooks: no database'], 1])
  await using sealed = await dispatching(1, {
    send: () => Promise.reject(new BaleError('DENIED', 'another secret')),
  })
  await sealed.dispatcher.round()
  const [one] = await until('it is on record', async () => {
    const found = await sealed.meta.listDeliveries({ limit: 1 })
    return found[0]?.failure !== undefined && found
  })
  assert.deepEqual([one!.failure, sealed.reported], ['another secret', ['hook ci: another secret']])
})
