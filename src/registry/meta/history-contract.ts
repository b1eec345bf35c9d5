import assert from 'node:assert/strict'
import { digestOf } from '#blob'
import { blob, type Check, DAY, manifest, NOW, push } from './kit-contract.ts'
import type { MetaStore } from './meta-store.ts'

const lines = async (meta: MetaStore, tag: string, page: { before?: number; limit: number } = { limit: 100 }) =>
  (await meta.tagHistory('a/b', tag, page)).map(({ digest, at, actor, there }) => [digest, at - NOW, actor, there])

export function historyContract(check: Check): void {
  check(
    'the history of a tag is read newest first, in pages, with what is still there',
    async ({ meta, other, setTime }) => {
      const [one, two] = [manifest({ content: 'one', tags: ['t', 'u'] }), manifest({ content: 'two', tags: ['t'] })]
      await meta.putManifest('a/b', one)
      await setTime(NOW + 1)
      await meta.putManifest('a/b', { ...two, actor: 'bob' })
      await meta.putManifest('a/b', two)
      await setTime(NOW + 2)
      await meta.deleteTag('a/b', 't', 'cat')
      await meta.putManifest('a/b', one)
      await setTime(NOW + 3)
      await meta.deleteManifest('a/b', two.digest, 'dan')
      const all = [
        [one.digest, 2, 'ann', true],
        [undefined, 2, 'cat', false],
        [two.digest, 1, 'bob', false],
        [one.digest, 0, 'ann', true],
      ]
      assert.deepEqual(await lines(other, 't'), all)
      assert.deepEqual(await lines(other, 'u'), [[one.digest, 0, 'ann', true]])
      const first = await other.tagHistory('a/b', 't', { limit: 3 })
      assert.equal(first.length, 3)
      assert.deepEqual(await lines(other, 't', { before: first[2]!.id, limit: 3 }), all.slice(3))
      assert.deepEqual(await other.tagHistory('c/d', 't', { limit: 3 }), [])
    },
  )

  check('a tag is set back to what it was, after a move as after its deletion', async ({ meta, other }) => {
    const [one, two] = [manifest({ content: 'one', tags: ['t'] }), manifest({ content: 'two', tags: ['t'] })]
    await meta.putManifest('a/b', one)
    await meta.putManifest('a/b', two)
    await meta.putManifest('a/b', manifest({ content: 'three', tags: ['u'] }))
    const restore = (digest = one.digest, tag = 't', repository = 'a/b') =>
      other.restoreTag(repository, tag, { digest, actor: 'operator' })
    assert.equal(await restore(), 'restored')
    assert.equal((await meta.findManifest('a/b', { tag: 't' }))?.digest, one.digest)
    await meta.deleteTag('a/b', 't', 'ann')
    assert.equal(await restore(two.digest), 'restored')
    assert.equal(await restore(two.digest), 'restored', 'twice is once')
    assert.equal((await meta.findManifest('a/b', { tag: 't' }))?.digest, two.digest)
    assert.deepEqual(
      (await lines(meta, 't')).map(([digest, , actor]) => [digest, actor]),
      [
        [two.digest, 'operator'],
        [undefined, 'ann'],
        [one.digest, 'operator'],
        [two.digest, 'ann'],
        [one.digest, 'ann'],
      ],
    )
    assert.equal(await restore(digestOf('three')), 'not in the history', 'another tag had it')
    assert.equal(await restore(one.digest, 't', 'c/d'), 'not in the history')
    await meta.deleteManifest('a/b', one.digest, 'ann')
    assert.equal(await restore(), 'manifest deleted')
    assert.equal((await meta.findManifest('a/b', { tag: 't' }))?.digest, two.digest)
  })

  check(
    'an immutable tag that was deleted can be restored; one that exists cannot be moved',
    async ({ meta, other }) => {
      const [one, two] = [manifest({ content: 'one', tags: ['t'] }), manifest({ content: 'two', tags: ['t'] })]
      await meta.putManifest('a/b', one)
      await meta.putManifest('a/b', two)
      await meta.deleteTag('a/b', 't', 'ann')
      await meta.addPolicy({ kind: 'immutable', pattern: '**', tags: ['*'], except: [] })
      assert.equal(await other.restoreTag('a/b', 't', { digest: one.digest, actor: 'x' }), 'restored')
      assert.equal(await other.restoreTag('a/b', 't', { digest: one.digest, actor: 'x' }), 'restored')
      await assert.rejects(other.restoreTag('a/b', 't', { digest: two.digest, actor: 'x' }), { code: 'TAG_IMMUTABLE' })
    },
  )

  check(
    'a manifest that lost a tag lately is not removed as untagged: the tag can be set back',
    async ({ meta, other, setTime }) => {
      const image = (content: string, ...tags: string[]) => manifest({ content, tags })
      const [deleted, moved, never] = [image('deleted', 'd'), image('moved', 'm'), image('never')]
      for (const one of [deleted, moved, never]) await meta.putManifest('a/b', one)
      await setTime(NOW + 5 * DAY)
      await meta.deleteTag('a/b', 'd', 'ann')
      await setTime(NOW + 6 * DAY)
      await meta.putManifest('a/b', image('new', 'm'))
      // Other changes of the same tags prolong nothing.
      await meta.putManifest('a/b', image('newer', 'm'))
      await meta.putManifest('a/b', image('newer', 'd'))
      await meta.deleteTag('a/b', 'd', 'ann')
      const there = async () =>
        Promise.all(
          [deleted, moved, never].map(async ({ digest }) => (await meta.findManifest('a/b', { digest })) !== undefined),
        )
      await setTime(NOW + 12 * DAY - 1)
      assert.equal(await other.removeUntagged(DAY, 7 * DAY), 1)
      assert.deepEqual(await there(), [true, true, false])
      await setTime(NOW + 12 * DAY)
      assert.equal(await other.removeUntagged(DAY, 7 * DAY), 1)
      assert.deepEqual(await there(), [false, true, false])
      assert.equal(await other.restoreTag('a/b', 'm', { digest: moved.digest, actor: 'x' }), 'restored')
      await setTime(NOW + 30 * DAY)
      // What the tag had before it was set back has lost it long ago.
      assert.equal(await other.removeUntagged(DAY, 7 * DAY), 2)
      assert.deepEqual(await there(), [false, true, false])
    },
  )

  check(
    'the history of a repository ends with it: a later one of its name has none',
    async ({ meta, other, setTime }) => {
      await push(meta, 'a/b', 'blob', { lease: 0 })
      const image = manifest({ content: 'image', blobs: [blob('blob')], tags: ['t'] })
      await meta.putManifest('a/b', image)
      await meta.deleteManifest('a/b', image.digest, 'ann')
      assert.equal((await lines(other, 't')).length, 2)
      await setTime(NOW + 1)
      await other.condemnBlobs(0)
      // SQLite gives the ID of the last repository again.
      await push(meta, 'a/b', 'blob')
      assert.deepEqual(await lines(other, 't'), [])
    },
  )
}
