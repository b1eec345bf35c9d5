import assert from 'node:assert/strict'
import { digestOf } from '#blob'
import { blob, type Check, DAY, manifest, NOW, push } from './kit-contract.ts'

const lease = DAY

export function promotionContract(check: Check): void {
  check(
    'an index is promoted with all that is in it, once, and stays when the source goes',
    async ({ meta, other, setTime }) => {
      const as = meta.as({ actor: 'operator' })
      await push(meta, 'a/b', 'layer', { lease: 0 })
      const child = manifest({ content: 'child', blobs: [blob('layer'), blob('elsewhere', true)] })
      const inner = manifest({ content: 'inner', children: [child.digest] })
      const index = manifest({ content: 'index', children: [inner.digest], tags: ['1'], artifactType: 'x/y' })
      for (const one of [child, inner, index]) assert.equal(await meta.putManifest('a/b', one), undefined)
      const promote = (how = {}) =>
        as.promoteImage({ repository: 'a/b', tag: '1' }, { repository: 'c', tag: '2' }, { lease: 0, ...how })
      const tried = await promote({ dryRun: true })
      assert.deepEqual(tried, { digest: index.digest, changed: true, manifests: 3, bytes: 20 })
      assert.deepEqual(await other.listRepositories({ limit: 9 }), ['a/b'])
      assert.deepEqual(await promote(), tried)
      assert.deepEqual(await promote(), { ...tried, changed: false, bytes: 0 })
      const byDigest = { repository: 'a/b', digest: child.digest }
      assert.equal((await other.promoteImage(byDigest, { repository: 'd' }, { lease }))?.manifests, 1)
      await meta.deleteManifest('a/b', index.digest, 'ann')
      await meta.deleteManifest('a/b', inner.digest, 'ann')
      await meta.deleteManifest('a/b', child.digest, 'ann')
      await setTime(NOW + 1)
      await other.condemnBlobs(0)
      assert.deepEqual(await other.listRepositories({ limit: 9 }), ['c', 'd'])
      assert.equal((await other.findManifest('c', { tag: '2' }))?.digest, index.digest)
      assert.ok(await other.findBlob('c', digestOf('layer')))
      assert.deepEqual(
        (await other.tagHistory('c', '2', { limit: 9 })).map(({ actor }) => actor),
        ['operator'],
      )
      const lines = (await other.listAudit({ action: 'image.promote', limit: 9 })).map(({ target, detail }) => [
        target,
        detail,
      ])
      assert.deepEqual(lines, [
        ['d', `a/b@${child.digest}`],
        ['c', `a/b@${index.digest}`],
      ])
      assert.equal(await promote(), undefined)
    },
  )

  check(
    'with referrers, what refers to an image comes along, also by tags, and what refers to that',
    async ({ meta }) => {
      const image = manifest({ content: 'image', tags: ['1'] })
      const about = manifest({ content: 'about', subject: image.digest, artifactType: 'x/about' })
      const signed = manifest({ content: 'signed', subject: about.digest })
      const tag = image.digest.replace(':', '-')
      const bySig = manifest({ content: 'sig', tags: [`${tag}.sig`] })
      const other = manifest({ content: 'other', tags: [`${tag}0`, 'x'] })
      for (const one of [image, about, signed, bySig, other]) await meta.putManifest('a', one)
      const promote = (to: string, referrers: boolean) =>
        meta.promoteImage({ repository: 'a', tag: '1' }, { repository: to, tag: '1' }, { lease, referrers })
      assert.equal((await promote('b', false))?.manifests, 1)
      assert.equal((await promote('c', true))?.manifests, 4)
      assert.deepEqual(await meta.listTags('c', { limit: 9 }), ['1', `${tag}.sig`])
      const [found] = (await meta.listReferrers('c', image.digest, { limit: 9, bytes: 999 })).descriptors
      assert.deepEqual(found, about.descriptor)
      assert.ok(await meta.findManifest('c', { digest: signed.digest }))
    },
  )

  check('what a policy or quota refuses is not promoted in part', async ({ meta, other }) => {
    await push(meta, 'a', 'layer')
    const child = manifest({ content: 'child', blobs: [blob('layer')] })
    const index = manifest({ content: 'index', children: [child.digest], tags: ['1'] })
    for (const one of [child, index]) await meta.putManifest('a', one)
    await meta.putManifest('b', manifest({ content: 'earlier', tags: ['1'] }))
    const promote = (to: string) =>
      other.promoteImage({ repository: 'a', tag: '1' }, { repository: to, tag: '1' }, { lease })
    await meta.addPolicy({ kind: 'immutable', pattern: 'b', tags: ['*'], except: [] })
    await assert.rejects(promote('b'), { code: 'TAG_IMMUTABLE' })
    assert.equal(await other.findBlob('b', digestOf('layer')), undefined)
    await meta.setQuota({ scope: 'c', bytes: 14 })
    await assert.rejects(promote('c'), { code: 'QUOTA_EXCEEDED' })
    assert.deepEqual(await other.listRepositories({ limit: 9 }), ['a', 'b'])
    await meta.setQuota({ scope: 'c', bytes: 15 })
    assert.equal((await promote('c'))?.bytes, 15)
    await meta.deleteManifest('a', child.digest, 'ann')
    await assert.rejects(promote('d'), {
      code: 'MANIFEST_NOT_FOUND',
      message: `a lacks ${child.digest}, which the image needs`,
    })
  })

  check('promotions at once with pushes and collections end whole', async ({ meta, other, setTime }) => {
    for (let round = 0; round < 10; round++) {
      await setTime(NOW)
      const content = `layer ${round}`
      await push(meta, 'a', content, { lease: 0 })
      await meta.putManifest('a', manifest({ content: `image ${round}`, blobs: [blob(content)], tags: ['1'] }))
      await setTime(NOW + 1)
      const promote = (to: string) =>
        meta.promoteImage({ repository: 'a', tag: '1' }, { repository: to, tag: '1' }, { lease: 0 })
      const digest = digestOf(`image ${round}`)
      const [b, c] = await Promise.allSettled([
        promote('b'),
        promote('c'),
        other.deleteManifest('a', digest, 'ann'),
        other.condemnBlobs(0),
        push(other, 'c', content, { lease: 0 }),
      ])
      for (const [name, one] of [
        ['b', b],
        ['c', c],
      ] as const) {
        if (one.status === 'rejected' || one.value?.digest !== digest) continue
        assert.equal((await other.findManifest(name, { tag: '1' }))?.digest, digest)
        assert.ok(await other.findBlob(name, digestOf(content)))
      }
    }
    assert.deepEqual(await meta.recountUsage(), [])
  })
}
