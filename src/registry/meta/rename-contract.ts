import assert from 'node:assert/strict'
import { digestOf } from '#blob'
import { blob, type Check, DAY, manifest, NOW, nextKey, push } from './kit-contract.ts'

const moved = { code: 'REPOSITORY_MOVED' }

export function renameContract(check: Check): void {
  check('a renamed repository keeps what is in it, and what names exactly it follows', async ({ meta, other }) => {
    await push(meta, 'a/b', 'layer')
    const image = manifest({ content: 'image', blobs: [blob('layer')], tags: ['1'] })
    await meta.putManifest('a/b', image)
    await push(meta, 'a/c', 'x')
    for (const kind of ['user', 'organisation'] as const) await meta.addAccount({ kind, name: kind, adopt: true })
    await meta.addAccount({ kind: 'organisation', name: 'a', adopt: true })
    await meta.addAccount({ kind: 'team', name: 'a/t', owner: 'a' })
    for (const name of ['user', 'a/t'])
      for (const pattern of ['a/b', 'a/*']) await meta.setGrant(name, pattern, 'write')
    await meta.setPublic('a/b', true)
    await meta.setQuota({ scope: 'a/b', tags: 5 })
    const rule = { kind: 'immutable', tags: ['*'], except: [] } as const
    for (const pattern of ['a/b', 'a/*']) await meta.addPolicy({ ...rule, tags: ['*'], except: [], pattern })
    const [id, key] = [nextKey(), nextKey()]
    await meta.createUpload({ id, key, repository: 'a/b', principal: 'ann', algorithm: 'sha256' }, DAY)
    assert.equal(await other.renameRepository('a/b', 'a/d', { redirect: 0 }), 'renamed')
    assert.equal(await other.findUpload(id), undefined)
    assert.deepEqual(await meta.listRepositories({ limit: 9 }), ['a/c', 'a/d'])
    assert.equal((await meta.findManifest('a/d', { tag: '1' }))?.digest, image.digest)
    assert.equal((await meta.tagHistory('a/d', '1', { limit: 9 })).length, 1)
    assert.deepEqual(await meta.usage('a/b'), { bytes: 0, tags: 0, repositories: 0 })
    assert.deepEqual(await meta.usage('a/d'), { bytes: 10, tags: 1, repositories: 1 })
    assert.deepEqual(await meta.usage('a/**'), { bytes: 11, tags: 1, repositories: 2 })
    assert.deepEqual(await meta.recountUsage(), [])
    assert.deepEqual(
      (await meta.listPolicies()).map(({ pattern }) => pattern),
      ['a/d', 'a/*'],
    )
    assert.deepEqual(await meta.listQuotas(), [{ scope: 'a/d', tags: 5 }])
    assert.deepEqual(await meta.publicPatterns(), ['a/d'])
    const grants = async (name: string) => (await meta.findAccount({ name }))!.grants.map(({ pattern }) => pattern)
    assert.deepEqual(
      [await grants('user'), await grants('a/t')],
      [
        ['a/*', 'a/d'],
        ['a/*', 'a/d'],
      ],
    )
    const [line] = await other.listAudit({ limit: 1 })
    assert.deepEqual([line?.action, line?.target, line?.detail], ['repository.rename', 'a/b', 'a/d'])
    assert.equal(await other.renameRepository('a/d', 'user/d', { redirect: 0 }), 'renamed')
    assert.deepEqual(
      [await grants('user'), await grants('a/t')],
      [
        ['a/*', 'user/d'],
        ['a/*', 'a/d'],
      ],
    )
    assert.equal(await push(meta, 'a/b', 'new').then(({ outcome }) => outcome), 'added', 'the name is free')
  })

  check('names that are taken, and quotas without room, keep a repository where it is', async ({ meta, other }) => {
    await push(meta, 'a/b', 'layer')
    await push(meta, 'a/c', 'x')
    assert.equal(await meta.renameRepository('a/x', 'a/y', { redirect: 0 }), 'absent')
    assert.equal(await meta.renameRepository('a/b', 'a/c', { redirect: 0 }), 'taken')
    await meta.setQuota({ scope: 'b/**', bytes: 4 })
    await assert.rejects(meta.renameRepository('a/b', 'b/b', { redirect: 0 }), { code: 'QUOTA_EXCEEDED' })
    assert.ok(await other.findBlob('a/b', digestOf('layer')))
    await meta.setQuota({ scope: 'a/**', bytes: 1 })
    assert.equal(await meta.renameRepository('a/b', 'a/d', { redirect: 0 }), 'renamed', 'it was counted there before')
  })

  check(
    'a former name is redirected to what the repository is called by then, and takes nothing new',
    async ({ meta, other, setTime }) => {
      await push(meta, 'a/b', 'layer', { lease: 2 * DAY })
      await push(meta, 'x', 'x')
      await meta.renameRepository('a/b', 'a/c', { redirect: DAY })
      await meta.renameRepository('a/c', 'a/d', { redirect: 2 * DAY })
      assert.deepEqual([await other.findRedirect('a/b'), await other.findRedirect('a/c')], ['a/d', 'a/d'])
      assert.deepEqual(await other.listRedirects(), [
        { name: 'a/b', to: 'a/d', until: NOW + DAY },
        { name: 'a/c', to: 'a/d', until: NOW + 2 * DAY },
      ])
      await assert.rejects(push(other, 'a/b', 'new'), moved)
      await assert.rejects(other.putManifest('a/b', manifest({ content: 'new' })), moved)
      await assert.rejects(other.mountBlob('a/b', digestOf('x'), { from: 'x', lease: DAY }), moved)
      assert.equal(await other.renameRepository('x', 'a/b', { redirect: 0 }), 'taken')
      assert.equal(await other.renameRepository('a/d', 'a/c', { redirect: 0 }), 'renamed', 'back again')
      assert.deepEqual([await other.findRedirect('a/b'), await other.findRedirect('a/c')], ['a/c', undefined])
      assert.equal(await meta.endRedirect('a/b'), true)
      assert.equal(await meta.endRedirect('a/b'), false)
      assert.equal((await push(other, 'a/b', 'new', { lease: 0 })).outcome, 'added')
      await meta.renameRepository('a/c', 'a/e', { redirect: DAY })
      await setTime(NOW + DAY + 1)
      assert.equal(await other.findRedirect('a/c'), undefined)
      assert.equal((await push(other, 'a/c', 'newer')).outcome, 'added')
      await meta.renameRepository('a/e', 'a/f', { redirect: 9 * DAY })
      await setTime(NOW + 3 * DAY)
      await meta.condemnBlobs(0)
      assert.equal(await other.findRedirect('a/e'), undefined, 'it ends with its repository')
    },
  )

  check('pushes, deletions and renames at once: all is counted where it is', async ({ meta, other }) => {
    for (let round = 0; round < 12; round++) {
      const [from, to] = round % 2 ? ['a/c', 'b/c'] : ['b/c', 'a/c']
      await push(meta, from!, 'kept')
      await push(meta, from!, `old ${round}`)
      await meta.putManifest(from!, manifest({ content: `image ${round}`, tags: ['1'] }))
      await Promise.allSettled([
        push(other, from!, `new ${round}`),
        other.unlinkBlob(from!, digestOf(`old ${round}`)),
        meta.renameRepository(from!, to!, { redirect: 0 }),
        other.deleteManifest(from!, digestOf(`image ${round}`), 'ann'),
        meta.putManifest(from!, manifest({ content: `another ${round}`, tags: ['2'] })),
        other.foldUsage(),
      ])
      assert.deepEqual(await meta.recountUsage(), [], `round ${round}`)
      await other.renameRepository(from!, 'gone/c', { redirect: 0 })
      await meta.renameRepository('gone/c', `gone/${round}`, { redirect: 0 })
    }
  })
}
