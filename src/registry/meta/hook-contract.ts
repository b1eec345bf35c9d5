import assert from 'node:assert/strict'
import { blob, type Check, DAY, manifest, NOW, push, type Under } from './kit-contract.ts'
import type { MetaStore } from './meta-store.ts'

const LEASE = 60_000

/** A hook, whose ID is its name. */
async function addHook(meta: MetaStore, name: string, parts: { pattern?: string; events?: string[] } = {}) {
  const { pattern = '**', events = ['tag.*'] } = parts
  const hook = { id: name, name, url: `https://${name}.example/`, pattern, events, secret: `sealed of ${name}` }
  assert.equal(await meta.addHook(hook), true)
}

const take = (meta: MetaStore, hook: string, limit = 100) => meta.takeDeliveries(hook, { lease: LEASE, limit })

const words = async (meta: MetaStore, hook?: string) =>
  (await meta.listDeliveries({ hook, limit: 1000 })).map(({ action, target }) => `${action} ${target}`).toReversed()

export function hookContract(check: Check): void {
  check(
    'hooks are kept by name, paused and removed, and the audit log says so without URL',
    async ({ meta, other }) => {
      await addHook(meta, 'scan', { pattern: 'a/*', events: ['tag.set', 'manifest.*'] })
      await addHook(meta, 'chat')
      assert.equal(await other.addHook({ ...(await meta.listHooks())[0]!, id: 'x', secret: 's' }), false)
      const [chat, scan] = await other.listHooks()
      assert.deepEqual(scan, {
        ...{
          id: 'scan',
          name: 'scan',
          url: 'https://scan.example/',
          pattern: 'a/*',
          events: ['tag.set', 'manifest.*'],
        },
        ...{ active: true, createdAt: NOW },
      })
      assert.equal(chat!.name, 'chat')
      assert.deepEqual([await meta.setHookActive('scan', false), await meta.setHookActive('scan', false)], [true, true])
      assert.equal((await other.listHooks())[1]!.active, false)
      assert.equal(await meta.setHookActive('none', false), false)
      assert.equal(await meta.setHookActive('scan', true), true)
      assert.deepEqual([await meta.removeHook('chat'), await meta.removeHook('chat')], [true, false])
      const log = await other.listAudit({ limit: 10, action: 'hook.*' })
      assert.deepEqual(log.map(({ action, target, detail }) => [action, target, detail]).toReversed(), [
        ['hook.add', 'scan', 'a/*: tag.set manifest.*'],
        ['hook.add', 'chat', '**: tag.*'],
        ['hook.disable', 'scan', undefined],
        ['hook.enable', 'scan', undefined],
        ['hook.remove', 'chat', undefined],
      ])
    },
  )

  check('a hook is told of what its pattern and events match, in order, each change once', async (under) => {
    const { meta, other } = under
    await addHook(meta, 'tags', { pattern: 'a/*' })
    await addHook(meta, 'content', { events: ['manifest.*', 'blob.delete'] })
    await addHook(meta, 'accounts', { events: ['user.*', 'policy.add'] })
    await addHook(meta, 'narrow', { pattern: 'a/*', events: ['user.*'] })
    const [image, bare] = [manifest({ content: 'image', tags: ['1', '2'] }), manifest({ content: 'bare' })]
    await other.putManifest('a/b', image)
    await other.putManifest('a/b', image)
    await other.putManifest('c/d', manifest({ content: 'else', tags: ['1'] }))
    await other.putManifest('a/b', bare)
    await other.deleteTag('a/b', '2', 'user:ann')
    await other.deleteManifest('a/b', image.digest, 'user:ann')
    const { digest } = await push(meta, 'a/b', 'content')
    await meta.unlinkBlob('a/b', digest)
    await meta.addAccount({ kind: 'user', name: 'bob', passwordHash: 'h', admin: false })
    await meta.addPolicy({ kind: 'immutable', pattern: '**', tags: ['x'], except: [] })
    assert.deepEqual(await words(meta, 'tags'), [
      'tag.set a/b:1',
      'tag.set a/b:2',
      'tag.delete a/b:2',
      'tag.delete a/b:1',
    ])
    assert.deepEqual(await words(meta, 'content'), [
      `manifest.push a/b@${bare.digest}`,
      `manifest.delete a/b@${image.digest}`,
      `blob.delete a/b@${digest}`,
    ])
    assert.deepEqual(await words(meta, 'accounts'), ['user.add bob', 'policy.add **'])
    assert.deepEqual(await words(meta, 'narrow'), [])
    const [set, , deleted] = await take(meta, 'tags')
    assert.deepEqual(set!.data, { repository: 'a/b', tag: '1', digest: image.digest, actor: 'ann' })
    assert.deepEqual(deleted!.data, { repository: 'a/b', tag: '2', actor: 'user:ann' })
  })

  check('what the registry removes by itself is told, too', async ({ meta, other, setTime }) => {
    await addHook(meta, 'tags')
    await addHook(meta, 'repositories', { events: ['repository.*'] })
    await other.putManifest('a/b', manifest({ content: 'old', tags: ['old'] }))
    await other.putManifest('a/b', manifest({ content: 'new', tags: ['new'] }))
    await meta.addPolicy({ kind: 'keep', pattern: '**', tags: ['new'] })
    await other.removeUnkept('a/b')
    assert.deepEqual(await words(meta), ['tag.set a/b:old', 'tag.set a/b:new', 'tag.delete a/b:old'])
    await push(meta, 'c/d', 'content', { lease: 0 })
    await setTime(NOW + DAY)
    await other.condemnBlobs(0)
    assert.deepEqual(await words(meta, 'repositories'), ['repository.remove c/d'])
    const [removed] = await take(meta, 'repositories')
    assert.deepEqual(removed!.data, { repository: 'c/d', actor: 'collector' })
  })

  check('a change that fails is told to nobody, and all hooks get one that happened under one ID', async (under) => {
    const { meta, other } = under
    for (const name of ['one', 'two']) await addHook(meta, name)
    const missing = manifest({ content: 'x', tags: ['1'], blobs: [blob('missing')] })
    assert.ok(await other.putManifest('a/b', missing))
    await meta.addPolicy({ kind: 'immutable', pattern: '**', tags: ['v*'], except: [] })
    await other.putManifest('a/b', manifest({ content: 'first', tags: ['v1'] }))
    await assert.rejects(other.putManifest('a/b', manifest({ content: 'second', tags: ['v1', 'zz'] })), {
      code: 'TAG_IMMUTABLE',
    })
    assert.deepEqual([await words(meta, 'one'), await words(meta, 'two')], [['tag.set a/b:v1'], ['tag.set a/b:v1']])
    const [[one], [two]] = [await take(meta, 'one'), await take(meta, 'two')]
    assert.match(one!.eventId, /^[0-9a-f-]{36}$/)
    assert.equal(one!.eventId, two!.eventId)
  })
}

export function hookDeliveryContract(check: Check): void {
  const tagged = async ({ meta }: Under, count: number) => {
    const tags = Array.from({ length: count }, (_, number) => `t${String(number).padStart(3, '0')}`)
    await meta.putManifest('a/b', manifest({ content: 'image', tags }))
  }

  check('each delivery is taken by one, oldest first, and again by another when its lease is over', async (under) => {
    const { meta, other, setTime } = under
    await addHook(meta, 'hook')
    await tagged(under, 40)
    assert.deepEqual(await other.dueHooks(), ['hook'])
    const taken = await Promise.all(Array.from({ length: 8 }, (_, at) => take(at % 2 ? meta : other, 'hook', 5)))
    const ids = taken.flat().map(({ id }) => id)
    assert.deepEqual([ids.length, new Set(ids).size], [40, 40])
    assert.deepEqual([await other.dueHooks(), await take(other, 'hook')], [[], []])
    const first = taken.flat().toSorted((a, b) => a.id - b.id)[0]!
    assert.deepEqual(
      [first.hook, first.action, first.target, first.at, first.attempts],
      [
        { id: 'hook', name: 'hook', url: 'https://hook.example/', secret: 'sealed of hook' },
        'tag.set',
        'a/b:t000',
        NOW,
        1,
      ],
    )
    await setTime(NOW + LEASE)
    const [again] = await take(other, 'hook', 1)
    assert.deepEqual([again!.id, again!.eventId, again!.attempts], [first.id, first.eventId, 2])
    assert.equal(await meta.endAttempt(first, { next: 'delivered' }), undefined, 'another one has it')
    assert.equal(await meta.endAttempt(again!, { status: 204, next: 'delivered' }), 'delivered')
    assert.equal(await meta.endAttempt(again!, { next: 'dead' }), undefined)
    assert.equal(await meta.pendingDeliveries(100), 39)
    assert.equal(await meta.pendingDeliveries(10), 10)
  })

  check('an attempt that failed is due later, until that is not worth it', async (under) => {
    const { meta, other, setTime } = under
    await addHook(meta, 'hook')
    await tagged(under, 1)
    const next = { again: 3_600_000, within: DAY }
    const failed = { status: 500, failure: 'the answer is 500', answer: 'oops', next }
    assert.equal(await meta.endAttempt((await take(meta, 'hook'))[0]!, failed), 'pending')
    assert.deepEqual(await take(other, 'hook'), [])
    const [waiting] = await other.listDeliveries({ limit: 1 })
    assert.deepEqual(waiting, {
      ...{
        id: waiting!.id,
        hook: 'hook',
        action: 'tag.set',
        target: 'a/b:t000',
        at: NOW,
        state: 'pending',
        attempts: 1,
      },
      ...{ dueAt: NOW + 3_600_000, lastAt: NOW, status: 500, failure: 'the answer is 500', answer: 'oops' },
    })
    await setTime(NOW + DAY - 3_600_000)
    assert.equal(await meta.endAttempt((await take(meta, 'hook'))[0]!, failed), 'pending')
    await setTime(NOW + DAY)
    assert.equal(await meta.endAttempt((await take(meta, 'hook'))[0]!, failed), 'dead')
    await setTime(NOW + 2 * DAY)
    assert.deepEqual(await take(other, 'hook'), [])
    assert.equal(await other.redeliver(waiting!.id), true)
    const [again] = await take(meta, 'hook')
    assert.deepEqual([again!.id, again!.attempts], [waiting!.id, 1])
    assert.equal(await meta.endAttempt(again!, failed), 'pending', 'its time starts over')
    assert.equal(await other.redeliver(waiting!.id + 1), false)
    const acts = (await meta.listAudit({ action: 'hook.redeliver', limit: 9 })).map(({ target, detail }) => [
      target,
      detail,
    ])
    assert.deepEqual(acts, [['hook', `delivery ${waiting!.id}`]])
  })

  check('what is given back is due at once, as nothing had been', async (under) => {
    const { meta, other } = under
    await addHook(meta, 'hook')
    await tagged(under, 2)
    const [one, two] = await take(meta, 'hook')
    await meta.releaseDelivery(one!)
    const [again] = await take(other, 'hook')
    assert.deepEqual([again!.id, again!.attempts], [one!.id, 1])
    await meta.releaseDelivery(one!)
    assert.deepEqual(await take(other, 'hook'), [], 'it is not its own any more')
    await other.freeDeliveries()
    assert.deepEqual((await take(other, 'hook')).map(({ id }) => id).toSorted(), [again!.id, two!.id].toSorted())
  })

  check('a hook that is not active is told nothing, and what waited for it waits', async (under) => {
    const { meta, other, setTime } = under
    await addHook(meta, 'hook')
    await tagged(under, 1)
    await meta.setHookActive('hook', false)
    await other.deleteTag('a/b', 't000', 'ann')
    assert.deepEqual([await other.dueHooks(), await take(other, 'hook')], [[], []])
    await setTime(NOW + DAY)
    assert.equal(await other.expireDeliveries(DAY), 0)
    await meta.setHookActive('hook', true)
    assert.deepEqual(
      (await take(other, 'hook')).map(({ action }) => action),
      ['tag.set'],
    )
    await setTime(NOW + 3 * DAY)
    assert.equal(await other.expireDeliveries(DAY), 0, 'an active hook gets it')
    await meta.setHookActive('hook', false)
    assert.equal(await other.expireDeliveries(DAY), 1)
  })

  check(
    'deliveries are listed by hook, state and page, forgotten some time after their end, and go with their hook',
    async (under) => {
      const { meta, other, setTime } = under
      for (const name of ['one', 'two']) await addHook(meta, name)
      await tagged(under, 5)
      const taken = await take(meta, 'one')
      await meta.endAttempt(taken[0]!, { status: 200, next: 'delivered' })
      await meta.endAttempt(taken[1]!, { failure: 'gone', next: 'dead' })
      const ids = async (page: Parameters<MetaStore['listDeliveries']>[0]) =>
        (await other.listDeliveries(page)).map(({ id }) => id)
      const own = taken.map(({ id }) => id).toReversed()
      assert.deepEqual(await ids({ hook: 'one', limit: 2 }), own.slice(0, 2))
      assert.deepEqual(await ids({ hook: 'one', limit: 9, before: own[1]! }), own.slice(2))
      assert.deepEqual(await ids({ state: 'dead', limit: 9 }), [taken[1]!.id])
      assert.equal((await ids({ limit: 100 })).length, 10)
      await setTime(NOW + DAY)
      assert.equal(await other.expireDeliveries(DAY), 0)
      await setTime(NOW + DAY + 1)
      assert.equal(await other.expireDeliveries(DAY), 2)
      await meta.removeHook('one')
      assert.equal((await ids({ limit: 100 })).length, 5)
    },
  )

  check('a trial is taken as it is made, and by nobody else', async ({ meta, other }) => {
    await addHook(meta, 'hook', { events: ['user.add', 'hook.test'] })
    const trial = await meta.takeTrial('hook', { lease: LEASE })
    assert.deepEqual(
      [trial!.action, trial!.target, trial!.attempts, trial!.hook.name],
      ['hook.test', 'hook', 1, 'hook'],
    )
    assert.deepEqual(await take(other, 'hook'), [])
    assert.equal(await meta.endAttempt(trial!, { failure: 'no', next: 'dead' }), 'dead')
    assert.equal(await meta.takeTrial('none', { lease: LEASE }), undefined)
    const [line, ...more] = await other.listAudit({ action: 'hook.test', limit: 9 })
    assert.deepEqual([line!.actor, line!.target, more], ['operator', 'hook', []])
    assert.deepEqual(await take(other, 'hook'), [], 'it changed nothing that hooks would be told of')
  })
}
