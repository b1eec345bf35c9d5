import assert from 'node:assert/strict'
import { blob, type Check, DAY, dueKeys, keyOf, manifest, NOW, nextKey, push } from './kit-contract.ts'

export function collectorContract(check: Check): void {
  const GRACE = 1000
  const none = { blobs: 0, bytes: 0 }

  check(
    'a blob without a manifest stays for its lease; its object goes after the grace',
    async ({ meta, other, setTime }) => {
      const { digest, key } = await push(meta, 'a/b', 'blob', { lease: 100 })
      await setTime(NOW + 100)
      assert.deepEqual(await other.condemnBlobs(GRACE), none)
      assert.ok(await meta.findBlob('a/b', digest))
      await setTime(NOW + 101)
      assert.deepEqual(await other.condemnBlobs(GRACE), { blobs: 1, bytes: 4 })
      assert.equal(await meta.findBlob('a/b', digest), undefined)
      assert.deepEqual(await meta.listRepositories({ limit: 10 }), [], 'an empty repository goes')
      await setTime(NOW + 100 + GRACE)
      assert.deepEqual(await dueKeys(other), [])
      await setTime(NOW + 101 + GRACE)
      assert.deepEqual(await dueKeys(other), [key])
      await other.forgetObject(key)
      await other.forgetObject(key)
      assert.deepEqual(await dueKeys(meta, 10, DAY), [])
    },
  )

  check('a lease that is asked for with the blob holds it, in any repository', async ({ meta, other, setTime }) => {
    const { digest } = await push(meta, 'a/b', 'blob', { lease: 100 })
    await setTime(NOW + 90)
    assert.ok(await other.findBlob('a/b', digest, { lease: 10_000 }))
    await setTime(NOW + 5000)
    await meta.condemnBlobs(GRACE)
    assert.ok(await meta.findBlob('a/b', digest))
    await setTime(NOW + 9000)
    assert.equal(await meta.mountBlob('c/d', digest, { from: 'a/b', lease: 11_000 }), true)
    await setTime(NOW + 15_000)
    await other.condemnBlobs(GRACE)
    assert.equal(await meta.findBlob('a/b', digest), undefined)
    assert.ok(await meta.findBlob('c/d', digest))
    await setTime(NOW + 20_002)
    assert.deepEqual(await other.condemnBlobs(GRACE), { blobs: 1, bytes: 4 })
  })

  check('a manifest holds its blobs; without it they go when their lease is over', async ({ meta, other, setTime }) => {
    const { digest } = await push(meta, 'a/b', 'blob', { lease: 0 })
    const image = manifest({ content: 'image', blobs: [blob('blob')] })
    await meta.putManifest('a/b', image)
    await setTime(NOW + DAY)
    assert.deepEqual(await other.condemnBlobs(GRACE), none)
    assert.ok(await other.findBlob('a/b', digest))
    await meta.deleteManifest('a/b', image.digest, 'ann')
    assert.deepEqual(await other.condemnBlobs(GRACE), { blobs: 1, bytes: 4 })
  })

  check(
    'what was condemned and comes again has a new object, which the old deletion does not hit',
    async ({ meta, other, setTime }) => {
      const old = await push(meta, 'a/b', 'blob', { lease: 0 })
      await setTime(NOW + 1)
      assert.equal((await other.condemnBlobs(GRACE)).blobs, 1)
      const again = await push(meta, 'a/b', 'blob')
      assert.equal(again.outcome, 'added')
      assert.notEqual(again.key, old.key)
      await other.forgetObject(old.key)
      assert.deepEqual(await meta.findBlob('a/b', again.digest), { size: 4, key: again.key, gate: 1 })
    },
  )

  check(
    'untagged manifests go when they are old; tags, indexes and subjects hold, and an index lets go of its children',
    async ({ meta, other, setTime }) => {
      const child = manifest({ content: 'child' })
      const index = manifest({ content: 'index', children: [child.digest] })
      const tagged = manifest({ content: 'tagged', tags: ['t'] })
      const signature = manifest({ content: 'signature', subject: tagged.digest })
      for (const one of [child, index, tagged, signature]) await meta.putManifest('a/b', one)
      await setTime(NOW + 10)
      const young = manifest({ content: 'young' })
      await meta.putManifest('a/b', young)
      assert.equal(await other.removeUntagged(10), 0, 'none was pushed before')
      assert.equal(await other.removeUntagged(5), 2)
      const left = await Promise.all(
        [child, index, tagged, signature, young].map(
          async ({ digest }) => (await meta.findManifest('a/b', { digest })) !== undefined,
        ),
      )
      assert.deepEqual(left, [false, false, true, true, true])
    },
  )

  check('abandoned uploads are forgotten, but not while they are being written', async ({ meta, other, setTime }) => {
    const [id, key] = [nextKey(), nextKey()]
    await push(meta, 'a/b', 'finished')
    await meta.createUpload({ id, key, repository: 'a/b', principal: 'ann', algorithm: 'sha256' }, DAY)
    await setTime(NOW + DAY + 1)
    await meta.lockUpload(id, { token: 't', offset: 0, lock: 100 })
    assert.equal(await other.expireUploads(), 0)
    await setTime(NOW + DAY + 102)
    assert.equal(await other.expireUploads(), 1, 'finished ones do not count')
    assert.equal(await meta.findUpload(id), undefined)
    assert.deepEqual(await dueKeys(other), [key])
  })

  check(
    'unfinished uploads that have not moved for long are forgotten when asked for',
    async ({ meta, other, setTime }) => {
      const begin = async () => {
        const id = nextKey()
        const upload = { id, key: nextKey(), repository: 'a/b', principal: 'ann', algorithm: 'sha256' } as const
        await meta.createUpload(upload, DAY)
        return id
      }
      const [idle, moved] = [await begin(), await begin()]
      const done = await push(meta, 'a/b', 'done')
      await setTime(NOW + 100)
      await meta.lockUpload(moved, { token: 't', offset: 0, lock: 1 })
      await meta.advanceUpload(moved, { token: 't', offset: 1, lock: 0, keep: DAY })
      await setTime(NOW + 101)
      assert.equal(await other.expireUploads(102), 0)
      assert.equal(await other.expireUploads(51), 1)
      assert.equal(await other.findUpload(idle), undefined)
      assert.ok(await other.findUpload(moved))
      assert.ok(await other.findUpload(done.id), 'a client may still ask for what became of it')
    },
  )

  check(
    'due objects are given at most so many at a time, later ones when asked for',
    async ({ meta, other, setTime }) => {
      await Promise.all(Array.from({ length: 6 }, (_, number) => push(meta, `r${number}/x`, 'same')))
      assert.equal((await other.dueObjects(2)).length, 2)
      assert.equal((await other.dueObjects(100)).length, 5)
      await push(meta, 'late/x', 'late', { lease: 0 })
      await setTime(NOW + 1)
      await meta.condemnBlobs(GRACE)
      assert.equal((await other.dueObjects(100)).length, 5)
      assert.equal((await other.dueObjects(100, GRACE)).length, 6)
    },
  )
}

export function damageContract(check: Check): void {
  check(
    'a lost blob appears not to exist, and what refers to it is whole again when it is pushed again',
    async ({ meta, other, setTime }) => {
      const { digest, key } = await push(meta, 'a/b', 'blob', { lease: 0 })
      const image = manifest({ content: 'image', blobs: [blob('blob')] })
      await meta.putManifest('a/b', image)
      const [listed, ...more] = await other.listBlobs({ after: 0, limit: 10 })
      assert.deepEqual(more, [])
      assert.deepEqual(listed, { id: listed!.id, size: 4, key, digest, lost: false })
      assert.deepEqual(await other.listBlobs({ after: listed!.id, limit: 10 }), [])
      assert.deepEqual(await other.manifestsWith(listed!.id), [{ repository: 'a/b', manifest: image.digest }])
      assert.equal(await other.markBlob(listed!.id, { key: keyOf(0), lost: true }), false, 'it has another object')
      assert.equal(await other.markBlob(listed!.id, { key, lost: true, deleteAfter: 1 }), true)
      assert.equal(await meta.findBlob('a/b', digest), undefined)
      assert.deepEqual(await meta.repositoriesWith(digest, 10), [])
      assert.equal(await meta.mountBlob('c/d', digest, { from: 'a/b', lease: 0 }), false)
      const second = manifest({ content: 'second', blobs: [blob('blob')] })
      assert.deepEqual(await meta.putManifest('a/b', second), { missing: digest })
      const again = await push(other, 'a/b', 'blob', { lease: 0 })
      assert.equal(again.outcome, 'known')
      assert.deepEqual(await meta.findBlob('a/b', digest), { size: 4, key: again.key, gate: 1 })
      await setTime(NOW + 1)
      assert.deepEqual(await dueKeys(meta), [key])
      await meta.forgetObject(key)
      await setTime(NOW + DAY)
      assert.deepEqual(await meta.condemnBlobs(0), { blobs: 0, bytes: 0 }, 'the first manifest holds it')
    },
  )

  check('a blob that was only thought lost comes back as it was', async ({ meta }) => {
    const { digest, key } = await push(meta, 'a/b', 'blob')
    const { id } = (await meta.listBlobs({ after: 0, limit: 1 }))[0]!
    await meta.markBlob(id, { key, lost: true, deleteAfter: 1 })
    assert.equal(await meta.markBlob(id, { key, lost: false }), true)
    assert.deepEqual(await meta.findBlob('a/b', digest), { size: 4, key, gate: 1 })
    assert.deepEqual(await dueKeys(meta, 10, DAY), [])
  })

  check('an object is known as long as a blob, an upload or the queue has it', async ({ meta, other }) => {
    const [id, key, noted] = [nextKey(), nextKey(), nextKey()]
    await meta.createUpload({ id, key, repository: 'a/b', principal: 'ann', algorithm: 'sha256' }, DAY)
    await meta.lockUpload(id, { token: 't', offset: 0, lock: 1000 })
    await meta.advanceUpload(id, { token: 't', offset: 1, state: `{"tail":"${noted}"}`, lock: 0, keep: DAY })
    const pushed = await push(meta, 'a/b', 'blob')
    const known = () => Promise.all([key, noted, pushed.key, keyOf(0)].map((one) => other.isObjectKnown(one)))
    assert.deepEqual(await known(), [true, true, true, false])
    await meta.cancelUpload(id)
    assert.deepEqual(await known(), [true, true, true, false])
    await meta.forgetObject(key)
    assert.deepEqual(await known(), [false, false, true, false])
  })

  check('while something holds objects none is due', async ({ meta, other, setTime }) => {
    await push(meta, 'a/b', 'same')
    await push(meta, 'a/b', 'same')
    await other.hold('one', 100)
    await other.hold('two', 10)
    await other.hold('two', 200)
    await setTime(NOW + 100)
    assert.deepEqual(await dueKeys(meta), [])
    await setTime(NOW + 199)
    assert.deepEqual(await dueKeys(meta, 10, DAY), [])
    await meta.release('two')
    assert.equal((await meta.dueObjects(10)).length, 1)
    await meta.release('none')
  })
}
