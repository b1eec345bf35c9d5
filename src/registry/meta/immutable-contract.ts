import assert from 'node:assert/strict'
import type { ImmutableTags } from '../decide/index.ts'
import { type Check, manifest } from './kit-contract.ts'

const VERSIONS: ImmutableTags = { kind: 'immutable', pattern: 'team/*', tags: ['v*', '1.*'], except: ['v*-rc'] }
const refused = { code: 'TAG_IMMUTABLE' }

export function immutableContract(check: Check): void {
  check('policies are listed by their IDs, which are not given again', async ({ meta, other }) => {
    assert.deepEqual(await other.listPolicies(), [])
    const one = await meta.addPolicy(VERSIONS)
    const two = await meta.addPolicy({ ...VERSIONS, pattern: '**', except: [] })
    assert.deepEqual(await other.listPolicies(), [
      { id: one, ...VERSIONS },
      { id: two, ...VERSIONS, pattern: '**', except: [] },
    ])
    assert.equal(await other.removePolicy(two), true)
    assert.equal(await other.removePolicy(two), false)
    assert.ok((await meta.addPolicy(VERSIONS)) > two)
  })

  check(
    'an immutable tag is made, and made again the same, but neither moved nor deleted, by tag or by digest',
    async ({ meta, other }) => {
      const policy = await meta.addPolicy(VERSIONS)
      const one = manifest({ content: 'one', tags: ['v1'] })
      const two = manifest({ content: 'two', tags: ['also', 'v1'] })
      await meta.putManifest('team/web', one)
      await meta.putManifest('team/web', one)
      await assert.rejects(other.putManifest('team/web', two), {
        ...refused,
        message: `tag v1 of team/web is immutable: policy ${policy} protects v* 1.* in team/*`,
      })
      assert.equal(await meta.findManifest('team/web', { digest: two.digest }), undefined, 'nothing of it is stored')
      assert.equal(await meta.findManifest('team/web', { tag: 'also' }), undefined)
      await assert.rejects(other.deleteTag('team/web', 'v1', 'ann'), refused)
      await assert.rejects(other.deleteManifest('team/web', one.digest, 'ann'), refused)
      assert.equal((await meta.findManifest('team/web', { tag: 'v1' }))?.digest, one.digest)
      assert.equal(await other.deleteTag('team/web', 'v2', 'ann'), false, 'there is none')
      await meta.removePolicy(policy)
      await meta.putManifest('team/web', two)
      assert.equal((await other.findManifest('team/web', { tag: 'v1' }))?.digest, two.digest)
      assert.equal(await other.deleteManifest('team/web', two.digest, 'ann'), true)
    },
  )

  check('tags that are excepted, other tags and other repositories are free', async ({ meta }) => {
    await meta.addPolicy(VERSIONS)
    for (const [repository, tag] of [
      ['team/web', 'v1-rc'],
      ['team/web', 'latest'],
      ['team/web', '1'],
      ['team/a/b', 'v1'],
      ['web', 'v1'],
    ] as const) {
      await meta.putManifest(repository, manifest({ content: 'one', tags: [tag] }))
      const two = manifest({ content: 'two', tags: [tag] })
      await meta.putManifest(repository, two)
      assert.equal((await meta.findManifest(repository, { tag }))?.digest, two.digest, `${repository}:${tag}`)
      assert.equal(await meta.deleteTag(repository, tag, 'ann'), true)
      assert.equal(await meta.deleteManifest(repository, two.digest, 'ann'), true)
    }
  })

  check('what an immutable index has in it is not deleted either', async ({ meta, other }) => {
    await meta.addPolicy(VERSIONS)
    const [child, loose] = [manifest({ content: 'child' }), manifest({ content: 'loose' })]
    const inner = manifest({ content: 'inner', children: [child.digest] })
    const index = manifest({ content: 'index', children: [inner.digest], tags: ['v1'] })
    for (const one of [child, loose, inner, index]) await meta.putManifest('team/web', one)
    await assert.rejects(other.deleteManifest('team/web', inner.digest, 'ann'), refused)
    await assert.rejects(other.deleteManifest('team/web', child.digest, 'ann'), refused)
    assert.equal(await other.deleteManifest('team/web', loose.digest, 'ann'), true)
    assert.equal(await other.removeUntagged(-1), 0)
  })

  check('pushes of a new immutable tag at once: one wins, the others are refused', async ({ meta, other }) => {
    await meta.addPolicy(VERSIONS)
    for (let round = 0; round < 10; round++) {
      const all = Array.from({ length: 6 }, (_, number) =>
        manifest({ content: `${round} ${number}`, tags: [`v${round}`] }),
      )
      const outcomes = await Promise.allSettled(
        all.map((one, number) => (number % 2 ? meta : other).putManifest('team/web', one)),
      )
      const failures = outcomes.filter((one) => one.status === 'rejected').map((one) => one.reason.code)
      assert.deepEqual(failures, Array(5).fill('TAG_IMMUTABLE'))
      const winner = all[outcomes.findIndex((one) => one.status === 'fulfilled')]!
      assert.equal((await other.findManifest('team/web', { tag: `v${round}` }))?.digest, winner.digest)
    }
  })

  check(
    'a push of an immutable tag and the deletion of its manifest at once: a tag that was made stays',
    async ({ meta, other }) => {
      await meta.addPolicy(VERSIONS)
      for (let round = 0; round < 20; round++) {
        const image = manifest({ content: `image ${round}` })
        await meta.putManifest('team/web', image)
        const tag = `v${round}`
        await Promise.allSettled([
          meta.putManifest('team/web', { ...image, tags: [tag] }),
          other.deleteManifest('team/web', image.digest, 'ann'),
        ])
        // The push comes last when it did not come first: it stores the manifest again.
        assert.equal((await other.findManifest('team/web', { tag }))?.digest, image.digest)
      }
    },
  )
}
