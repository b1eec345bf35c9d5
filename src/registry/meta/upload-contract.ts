import assert from 'node:assert/strict'
import { digestOf } from '#blob'
import { type Check, DAY, dueKeys, keyOf, NOW, nextKey, push } from './kit-contract.ts'
import type { MetaStore } from './meta-store.ts'

export function uploadContract(check: Check): void {
  const begin = async (meta: MetaStore, repository = 'a/b') => {
    const [id, key] = [nextKey(), nextKey()]
    await meta.createUpload({ id, key, repository, principal: 'ann', algorithm: 'sha512' }, DAY)
    return { id, key }
  }

  check('an upload is resumed by another process where it was recorded', async ({ meta, other }) => {
    const { id, key } = await begin(meta)
    const progress = { offset: 3, digest: digestOf('hal'), state: '{"parts":1}' }
    assert.equal(await meta.lockUpload(id, { token: 'one', offset: 0, lock: 1000 }), true)
    assert.equal(await meta.advanceUpload(id, { token: 'one', ...progress, lock: 0, keep: DAY }), true)
    const found = await other.findUpload(id)
    const rest = { repository: 'a/b', principal: 'ann', algorithm: 'sha512', done: undefined }
    assert.deepEqual({ ...found }, { id, key, ...progress, ...rest })
    assert.equal(await other.lockUpload(id, { token: 'two', offset: 0, lock: 1000 }), false, 'moved on')
    assert.equal(await other.lockUpload(id, { token: 'two', offset: 3, lock: 1000 }), true)
    const finish = { token: 'two', digest: digestOf('half'), size: 4, key: keyOf(7), lease: DAY, keep: DAY, grace: 0 }
    assert.equal(await other.finishUpload(id, finish), 'added')
    assert.equal((await meta.findUpload(id))?.done, digestOf('half'))
    assert.deepEqual(await meta.findBlob('a/b', digestOf('half')), { size: 4, key: keyOf(7), gate: 1 })
    assert.equal(await other.finishUpload(id, finish), 'lost', 'it is finished once')
  })

  check('of many who want the place of the writer at once one gets it', async ({ meta, other }) => {
    const { id } = await begin(meta)
    const taken = await Promise.all(
      Array.from({ length: 12 }, (_, number) =>
        (number % 2 ? meta : other).lockUpload(id, { token: `t${number}`, offset: 0, lock: 1000 }),
      ),
    )
    assert.equal(taken.filter(Boolean).length, 1)
  })

  check('a writer whose time is over is fenced off by the next one', async ({ meta, other, setTime }) => {
    const { id, key } = await begin(meta)
    const lock = (store: MetaStore, token: string) => store.lockUpload(id, { token, offset: 0, lock: 1000 })
    assert.equal(await lock(meta, 'slow'), true)
    await setTime(NOW + 999)
    assert.equal(await lock(other, 'next'), false)
    await setTime(NOW + 1001)
    assert.equal(await lock(other, 'next'), true)
    assert.equal(await meta.advanceUpload(id, { token: 'slow', offset: 9, lock: 5000, keep: DAY }), false)
    const finish = { digest: digestOf('x'), size: 1, key, lease: 0, keep: DAY, grace: 0 }
    assert.equal(await meta.finishUpload(id, { token: 'slow', ...finish }), 'lost')
    assert.equal((await meta.findUpload(id))?.offset, 0)
    assert.equal(await other.finishUpload(id, { token: 'next', ...finish }), 'added')
  })

  check('a writer keeps its place as long as it renews it', async ({ meta, other, setTime }) => {
    const { id } = await begin(meta)
    assert.equal(await meta.lockUpload(id, { token: 'one', offset: 0, lock: 1000 }), true)
    await setTime(NOW + 900)
    assert.equal(await meta.advanceUpload(id, { token: 'one', offset: 5, lock: 1000, keep: DAY }), true)
    await setTime(NOW + 1800)
    assert.equal(await other.lockUpload(id, { token: 'two', offset: 5, lock: 1000 }), false)
  })

  check('locks of a process that died are given back', async ({ meta, other }) => {
    const { id } = await begin(meta)
    const options = { offset: 0, lock: 1e9 }
    await meta.lockUpload(id, { token: 'dead', ...options })
    await other.freeUploads()
    assert.equal(await other.lockUpload(id, { token: 'new', ...options }), true)
    assert.equal(await meta.advanceUpload(id, { token: 'dead', offset: 1, lock: 0, keep: DAY }), false)
  })

  check('locks of one process that died are given back, and those of others are not', async ({ meta, other }) => {
    const [dead, alive] = [await begin(meta), await begin(meta)]
    const options = { offset: 0, lock: 1e9 }
    await meta.lockUpload(dead.id, { token: 'aa1', ...options })
    await meta.lockUpload(alive.id, { token: 'ab1', ...options })
    await other.freeUploads('aa')
    assert.equal(await other.lockUpload(dead.id, { token: 'new', ...options }), true)
    assert.equal(await other.lockUpload(alive.id, { token: 'new', ...options }), false)
  })

  check(
    'the same bytes brought by many at once are added once; the blob has the object that came last, the others go',
    async ({ meta, other }) => {
      const all = await Promise.all(
        Array.from({ length: 10 }, (_, number) => push(number % 2 ? meta : other, `r${number}/x`, 'same')),
      )
      assert.equal(all.filter((one) => one.outcome === 'added').length, 1)
      assert.equal(all.filter((one) => one.outcome === 'known').length, 9)
      const key = (await meta.findBlob('r0/x', digestOf('same')))!.key
      for (const number of all.keys()) {
        assert.equal((await meta.findBlob(`r${number}/x`, digestOf('same')))?.key, key)
      }
      const others = all.map((one) => one.key).filter((one) => one !== key)
      assert.equal(others.length, 9)
      assert.deepEqual(await dueKeys(other), others.toSorted())
    },
  )

  check(
    'a cancelled upload is forgotten and its object is due with its notes; one that became a blob keeps its object',
    async ({ meta, other }) => {
      const { id, key } = await begin(meta)
      await meta.lockUpload(id, { token: 'one', offset: 0, lock: 1000 })
      await meta.advanceUpload(id, { token: 'one', offset: 3, state: 'notes', lock: 0, keep: DAY })
      const done = await push(meta, 'a/b', 'done')
      await meta.cancelUpload(id)
      await meta.cancelUpload(done.id)
      await meta.cancelUpload(keyOf(0))
      assert.equal(await other.findUpload(id), undefined)
      assert.deepEqual(await other.dueObjects(10), [{ key, state: 'notes' }])
      assert.ok(await other.findBlob('a/b', done.digest))
    },
  )
}
