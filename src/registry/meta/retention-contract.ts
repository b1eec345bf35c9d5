import assert from 'node:assert/strict'
import type { KeptTags } from '../decide/index.ts'
import { blob, type Check, DAY, manifest, NOW, push, type Under } from './kit-contract.ts'

const keep = (parts: Partial<KeptTags>): KeptTags => ({ kind: 'keep', pattern: 'a/*', tags: [], ...parts })

/** Pushes a tag a day, from NOW on: `t0`, `t1` and so on. */
async function daily({ meta, setTime }: Under, count: number, repository = 'a/b') {
  for (let day = 0; day < count; day++) {
    await setTime(NOW + day * DAY)
    await meta.putManifest(repository, manifest({ content: `${repository} ${day}`, tags: [`t${day}`] }))
  }
}

export function retentionContract(check: Check): void {
  const left = async ({ other }: Under, repository = 'a/b') =>
    (await other.listTags(repository, { limit: 10_000 })) ?? []

  check('without a policy that keeps tags of a repository all of them stay', async (under) => {
    await daily(under, 2)
    await under.meta.addPolicy(keep({ pattern: 'c/**', last: 1 }))
    await under.meta.addPolicy({ kind: 'immutable', pattern: '**', tags: ['x'], except: [] })
    assert.deepEqual(await under.other.unkeptTags('a/b'), [])
    assert.equal(await under.other.removeUnkept('a/b'), 0)
    assert.equal(await under.other.removeUnkept('none'), 0)
    assert.deepEqual(await left(under), ['t0', 't1'])
  })

  check(
    'the newest, those of a period and those of a name are kept, and a dry run says why others are not',
    async (under) => {
      const { meta, other } = under
      await daily(under, 6)
      const id = await meta.addPolicy(keep({ last: 1, within: 2 * DAY, tags: ['x', '*0'] }))
      const policies = [{ id, ...keep({ last: 1, within: 2 * DAY, tags: ['x', '*0'] }) }]
      assert.deepEqual(await other.listPolicies(), policies)
      const unkept = await other.unkeptTags('a/b')
      assert.deepEqual(
        unkept.map(({ tag, age, place, digest }) => [tag, age / DAY, place, digest]),
        [
          ['t2', 3, 4, manifest({ content: 'a/b 2' }).digest],
          ['t1', 4, 5, manifest({ content: 'a/b 1' }).digest],
        ],
      )
      assert.deepEqual(unkept[0]!.policies, policies)
      assert.equal((await left(under)).length, 6, 'a dry run removes nothing')
      assert.equal(await other.removeUnkept('a/b'), 2)
      assert.equal(await other.removeUnkept('a/b'), 0)
      assert.deepEqual(await left(under), ['t0', 't3', 't4', 't5'])
      const [line] = await other.tagHistory('a/b', 't1', { limit: 1 })
      assert.deepEqual([line!.digest, line!.actor], [undefined, 'retention'])
    },
  )

  check('of several policies one that keeps a tag is enough, and immutable tags stay', async (under) => {
    const { meta, other } = under
    await daily(under, 6)
    await meta.addPolicy(keep({ last: 1 }))
    await meta.addPolicy(keep({ pattern: '**', tags: ['t3'] }))
    await meta.addPolicy(keep({ pattern: 'c/*', tags: ['*'] }))
    await meta.addPolicy({ kind: 'immutable', pattern: 'a/*', tags: ['t0', 't1'], except: ['t1'] })
    assert.equal(await other.removeUnkept('a/b'), 3)
    assert.deepEqual(await left(under), ['t0', 't3', 't5'])
  })

  check('a push of what the tag has already makes it the newest', async (under) => {
    const { meta, other, setTime } = under
    await daily(under, 3)
    await setTime(NOW + 9 * DAY)
    await meta.putManifest('a/b', manifest({ content: 'a/b 0', tags: ['t0'] }))
    await meta.addPolicy(keep({ within: DAY }))
    assert.equal(await other.removeUnkept('a/b'), 2)
    assert.deepEqual(await left(under), ['t0'])
  })

  check('signatures that are tags stay and do not count as long as what they sign is there', async (under) => {
    const { meta, other } = under
    await daily(under, 2)
    const signatureOf = (content: string) => `${manifest({ content }).digest.replace(':', '-')}.sig`
    const [signature, stale] = [signatureOf('a/b 1'), signatureOf('gone')]
    await meta.putManifest('a/b', manifest({ content: 'signature', tags: [signature] }))
    await meta.putManifest('a/b', manifest({ content: 'stale', tags: [stale] }))
    await meta.addPolicy(keep({ tags: ['t1'] }))
    assert.deepEqual(
      (await other.unkeptTags('a/b')).map(({ tag, place }) => [tag, place]),
      [
        [stale, 1],
        ['t0', 3],
      ],
    )
    await meta.deleteManifest('a/b', manifest({ content: 'a/b 1' }).digest, 'ann')
    assert.equal(await other.removeUnkept('a/b'), 3, 'what it signed is gone')
    assert.deepEqual(await left(under), [])
  })

  check(
    'what retention untagged goes as other untagged manifests do: after the period, and not what an index holds',
    async ({ meta, other, setTime }) => {
      await push(meta, 'a/b', 'blob', { lease: 0 })
      const child = manifest({ content: 'child', blobs: [blob('blob')], tags: ['child'] })
      const alone = manifest({ content: 'alone', blobs: [blob('blob')], tags: ['alone'] })
      const signature = manifest({ content: 'signature', subject: child.digest })
      const index = manifest({ content: 'index', children: [child.digest], tags: ['index'] })
      for (const one of [child, alone, signature, index]) await meta.putManifest('a/b', one)
      await meta.addPolicy(keep({ tags: ['index'] }))
      assert.equal(await other.removeUnkept('a/b'), 2)
      await setTime(NOW + 7 * DAY - 1)
      assert.equal(await other.removeUntagged(1, 7 * DAY), 0)
      await setTime(NOW + 7 * DAY)
      assert.equal(await other.removeUntagged(1, 7 * DAY), 1)
      assert.equal(await meta.findManifest('a/b', { digest: alone.digest }), undefined)
      for (const { digest } of [child, signature, index]) assert.ok(await meta.findManifest('a/b', { digest }))
    },
  )

  check('many tags go in several transactions', async (under) => {
    const tags = Array.from({ length: 1100 }, (_, number) => `t${number}`)
    await under.meta.putManifest('a/b', manifest({ content: 'one', tags }))
    await under.meta.addPolicy(keep({ last: 3 }))
    assert.equal(await under.other.removeUnkept('a/b'), 1097)
    assert.deepEqual(await left(under), ['t0', 't1', 't10'])
  })

  check('retention and a push of the same tag at once: the tag is there', async ({ meta, other, setTime }) => {
    await meta.addPolicy(keep({ within: DAY }))
    for (let round = 0; round < 20; round++) {
      await setTime(NOW)
      const image = manifest({ content: `image ${round}`, tags: ['t'] })
      await meta.putManifest('a/b', image)
      await setTime(NOW + 2 * DAY)
      const next = round % 2 ? image : manifest({ content: `next ${round}`, tags: ['t'] })
      await Promise.all([other.removeUnkept('a/b'), meta.putManifest('a/b', next)])
      assert.equal((await other.findManifest('a/b', { tag: 't' }))?.digest, next.digest)
    }
  })
}
