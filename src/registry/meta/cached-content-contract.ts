import assert from 'node:assert/strict'
import { digestOf } from '#blob'
import { blob, type Check, DAY, dueKeys, manifest, NOW, push } from './kit-contract.ts'

const HUB = 'docker.io/library/a'

export function cachedContentContract(check: Check): void {
  check(
    'a manifest of an upstream is there before its blobs and children, and knows when it was asked for',
    async (under) => {
      const { meta, other, setTime } = under
      const image = manifest({ content: 'image', blobs: [blob('config'), blob('layer')], tags: ['1'] })
      const index = manifest({ content: 'index', children: [image.digest, digestOf('absent')] })
      assert.equal(await meta.putManifest(HUB, index).then((objection) => objection && 'missing' in objection), true)
      assert.equal(await meta.putCached(HUB, image), undefined)
      assert.equal(await meta.putCached(HUB, index), undefined)
      await setTime(NOW + 5000)
      const { bytes: _, ...known } = (await other.findCached(HUB, { tag: '1' }))!
      assert.deepEqual(known, { digest: image.digest, mediaType: 'application/x', checkedAgo: 5000, pulledAgo: 5000 })
      await meta.confirmCachedTag(HUB, '1')
      await meta.notePull(HUB, image.digest)
      const again = await other.findCached(HUB, { tag: '1' })
      assert.deepEqual([again!.checkedAgo, again!.pulledAgo], [0, 0])
      const byDigest = await other.findCached(HUB, { digest: index.digest })
      assert.deepEqual([byDigest!.checkedAgo, byDigest!.pulledAgo], [undefined, 5000])
      assert.equal(await other.findCached(HUB, { tag: '2' }), undefined)
      const [line] = await other.tagHistory(HUB, '1', { limit: 1 })
      assert.deepEqual([line!.digest, line!.actor], [image.digest, 'ann'])
    },
  )

  check('a blob that comes later is held by the manifests that expect it', async ({ meta, other, setTime }) => {
    const image = manifest({ content: 'image', blobs: [blob('layer'), blob('lost')] })
    await meta.putCached(HUB, image)
    assert.equal(await other.expectedSize(HUB, digestOf('layer')), 5)
    assert.equal(await other.expectedSize('docker.io/library/b', digestOf('layer')), undefined)
    const linked = await push(meta, HUB, 'layer', { lease: DAY })
    const stray = await push(meta, HUB, 'stray', { lease: DAY })
    for (const { digest } of [linked, stray]) await meta.linkExpected(HUB, digest)
    await meta.linkExpected(HUB, digestOf('lost'))
    await setTime(NOW + 2 * DAY)
    await meta.condemnBlobs(0)
    assert.ok(await other.findBlob(HUB, linked.digest))
    assert.equal(await other.findBlob(HUB, stray.digest), undefined)
    assert.deepEqual(await dueKeys(other), [stray.key])
  })

  check('a manifest that gives another size for a blob that is there is not stored', async ({ meta, other }) => {
    await push(meta, HUB, 'layer')
    const wrong = manifest({ content: 'image', blobs: [{ ...blob('layer'), size: 4 }], tags: ['1'] })
    assert.deepEqual(await meta.putCached(HUB, wrong), { wrongSize: digestOf('layer'), size: 5 })
    assert.equal(await other.findCached(HUB, { tag: '1' }), undefined)
  })

  check('what nobody has pulled for a while goes with its tags, indexes before their children', async (under) => {
    const { meta, other, setTime } = under
    const child = manifest({ content: 'child', blobs: [blob('layer')] })
    const index = manifest({ content: 'index', children: [child.digest], tags: ['1'] })
    const fixed = manifest({ content: 'fixed', tags: ['v1'] })
    const pushed = manifest({ content: 'pushed', tags: ['2'] })
    const elsewhere = manifest({ content: 'elsewhere', tags: ['1'] })
    await meta.putManifest(HUB, pushed)
    for (const one of [child, index, fixed, pushed]) await meta.putCached(HUB, one)
    await meta.putCached('docker.io0/a', elsewhere)
    await meta.addPolicy({ kind: 'immutable', pattern: 'docker.io/**', tags: ['v*'], except: [] })
    await setTime(NOW + DAY)
    await meta.notePull(HUB, index.digest)
    await setTime(NOW + DAY + 5000)
    assert.equal(await meta.removeUnpulled('docker.io', DAY), 0, 'the index is used, and holds the child')
    await setTime(NOW + 3 * DAY)
    assert.equal(await meta.removeUnpulled('docker.io', DAY), 2)
    assert.equal(await meta.removeUnpulled('docker.io', DAY), 0)
    assert.deepEqual(await other.listTags(HUB, { limit: 9 }), ['2', 'v1'])
    assert.ok(await other.findCached('docker.io0/a', { tag: '1' }))
    const [line] = await other.tagHistory(HUB, '1', { limit: 1 })
    assert.deepEqual([line!.digest, line!.actor], [undefined, 'collector'])
  })

  check('an immutable tag keeps what it got first', async ({ meta, other }) => {
    await meta.addPolicy({ kind: 'immutable', pattern: 'docker.io/**', tags: ['v*'], except: [] })
    const first = manifest({ content: 'first', tags: ['v1'] })
    await meta.putCached(HUB, first)
    const second = manifest({ content: 'second', tags: ['v1'] })
    await assert.rejects(meta.putCached(HUB, second), { code: 'TAG_IMMUTABLE' })
    assert.equal((await other.findCached(HUB, { tag: 'v1' }))!.digest, first.digest)
    assert.equal(await other.findCached(HUB, { digest: second.digest }), undefined)
  })
}
