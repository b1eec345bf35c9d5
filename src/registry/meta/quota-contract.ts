import assert from 'node:assert/strict'
import { digestOf } from '#blob'
import { blob, type Check, DAY, manifest, NOW, nextKey, push } from './kit-contract.ts'
import type { MetaStore, NewManifest } from './meta-store.ts'

const exceeded = { code: 'QUOTA_EXCEEDED' }
const none = { bytes: 0, tags: 0, repositories: 0 }

export function quotaContract(check: Check): void {
  usageChecks(check)
  refusalChecks(check)
  uploadChecks(check)
  raceChecks(check)
}

function usageChecks(check: Check): void {
  check('what repositories use counts once in each of them, and is given back', async ({ meta, other, setTime }) => {
    const { digest } = await push(meta, 'a/b', 'twelve bytes', { lease: 0 })
    await push(meta, 'a/b', 'twelve bytes', { lease: 0 })
    assert.deepEqual(await other.usage('a/b'), { bytes: 12, tags: 0, repositories: 1 })
    await meta.mountBlob('a/c/d', digest, { from: 'a/b', lease: 0 })
    const image = manifest({ content: 'image', blobs: [blob('twelve bytes')], tags: ['1', '2'] })
    for (const [pushed, tags] of [
      [image, 2],
      [{ ...image, tags: ['2'] }, 2],
      [{ ...image, tags: ['3'] }, 3],
    ] as [NewManifest, number][]) {
      await meta.putManifest('a/b', pushed)
      assert.deepEqual(await other.usage('a/**'), { bytes: 29, tags, repositories: 2 })
    }
    assert.deepEqual(await other.usage('a/c/**'), { bytes: 12, tags: 0, repositories: 1 })
    assert.deepEqual(await other.usage('**'), await other.usage('a/**'))
    assert.deepEqual(await other.usage('a'), none)
    assert.ok((await other.foldUsage()) > 0)
    assert.equal(await other.foldUsage(), 0)
    assert.deepEqual(await meta.usage('a/**'), { bytes: 29, tags: 3, repositories: 2 })
    await meta.deleteTag('a/b', '1', 'ann')
    assert.equal((await meta.usage('a/**')).tags, 2)
    assert.equal(await meta.unlinkBlob('a/c/d', digest), 'removed')
    assert.deepEqual(await meta.usage('a/c/**'), { bytes: 0, tags: 0, repositories: 1 })
    await meta.deleteManifest('a/b', image.digest, 'ann')
    assert.deepEqual(await meta.usage('a/**'), { bytes: 12, tags: 0, repositories: 2 })
    await setTime(NOW + 1)
    await other.condemnBlobs(0)
    for (const scope of ['a/b', 'a/**', '**']) assert.deepEqual(await meta.usage(scope), none)
    await other.foldUsage()
    assert.deepEqual(await meta.recountUsage(), [])
  })

  check('whatever is done at once, what is counted is what is there', async ({ meta, other }) => {
    const random = sequence(7)
    const repositories = ['a/b', 'a/c', 'a/b/d', 'b']
    const act = async (store: MetaStore): Promise<void> => {
      const [repository, from] = [repositories[random(4)]!, repositories[random(4)]!]
      const content = `${random(6)}`.repeat(1 + random(6))
      const image = manifest({ content: `image ${random(5)}`, blobs: [], tags: [`t${random(4)}`] })
      const acts = [
        () => push(store, repository, content, { lease: 0 }),
        () => store.mountBlob(repository, digestOf(content), { from, lease: 0 }),
        () => store.unlinkBlob(repository, digestOf(content)),
        () => store.putManifest(repository, image),
        () => store.deleteManifest(repository, image.digest, 'ann'),
        () => store.deleteTag(repository, image.tags[0]!, 'ann'),
        () => store.foldUsage(),
        () => store.condemnBlobs(0),
        () => store.removeUntagged(-1),
      ]
      await acts[random(acts.length)]!()
    }
    for (let round = 0; round < 8; round++) {
      await Promise.all(
        [meta, other, meta, other].map(async (store) => {
          for (let step = 0; step < 12; step++) await act(store)
        }),
      )
      assert.deepEqual(await other.recountUsage(), [], `round ${round}`)
      const [below, each] = [
        await meta.usage('a/**'),
        await Promise.all(['a/b', 'a/c', 'a/b/d'].map((name) => meta.usage(name))),
      ]
      for (const kind of ['bytes', 'tags', 'repositories'] as const) {
        assert.equal(
          below[kind],
          each.reduce((sum, one) => sum + one[kind], 0),
        )
      }
    }
  })
}

function refusalChecks(check: Check): void {
  check('quotas are set, replaced, listed and removed', async ({ meta, other }) => {
    await meta.setQuota({ scope: 'b/**', bytes: 5 })
    await meta.setQuota({ scope: 'a/**', bytes: 5, tags: 7 })
    await meta.setQuota({ scope: 'b/**', repositories: 0 })
    assert.deepEqual(await other.listQuotas(), [
      { scope: 'a/**', bytes: 5, tags: 7 },
      { scope: 'b/**', repositories: 0 },
    ])
    assert.equal(await meta.setQuota({ scope: 'a/**' }), true)
    assert.equal(await meta.setQuota({ scope: 'a/**' }), false)
    const actions = (await other.listAudit({ limit: 10 })).map(({ action, target, detail }) => [action, target, detail])
    assert.deepEqual(actions[0], ['quota.remove', 'a/**', undefined])
    assert.deepEqual(actions[1], ['quota.set', 'b/**', 'repositories=0'])
  })

  check(
    'uploads, mounts, manifests, referrers, tags and repositories that need more are refused whole (A16)',
    async ({ meta, other }) => {
      await meta.setQuota({ scope: 'a/**', bytes: 20, tags: 1, repositories: 1 })
      const { digest } = await push(meta, 'b/c', 'twelve bytes')
      await push(meta, 'a/b', 'twelve bytes')
      await assert.rejects(push(other, 'a/b', 'nine more'), {
        ...exceeded,
        message: 'the quota of a/** is 20B: 12B are used, and this needs 9B more',
      })
      assert.equal(await meta.findBlob('a/b', digestOf('nine more')), undefined)
      await assert.rejects(other.mountBlob('a/c', digest, { from: 'b/c', lease: DAY }), exceeded)
      assert.equal(await other.mountBlob('a/b', digest, { from: 'b/c', lease: DAY }), true, 'it has it already')
      await meta.putManifest('a/b', manifest({ content: 'image', tags: ['1'] }))
      const referrer = manifest({ content: 'about', subject: digestOf('image') })
      await assert.rejects(meta.putManifest('a/b', referrer), exceeded)
      assert.deepEqual((await other.listReferrers('a/b', digestOf('image'), { limit: 9, bytes: 99 })).descriptors, [])
      await meta.putManifest('a/b', manifest({ content: 'image', tags: ['1'] }))
      await assert.rejects(meta.putManifest('a/b', manifest({ content: 'image', tags: ['2'] })), {
        message: 'the quota of a/** is 1 tag: 1 tag is used, and this needs 1 tag more',
      })
      assert.deepEqual(await meta.listTags('a/b', { limit: 9 }), ['1'])
      await assert.rejects(meta.putManifest('a/c', manifest({ content: 'x' })), exceeded)
      await meta.setQuota({ scope: 'a/**', bytes: 1 })
      await meta.putManifest('a/b', manifest({ content: 'image', tags: ['1', '3'] }))
      await meta.deleteTag('a/b', '3', 'ann')
      await meta.setQuota({ scope: 'a/b', tags: 1 })
      await assert.rejects(meta.restoreTag('a/b', '3', { digest: digestOf('image'), actor: 'ann' }), exceeded)
      await push(meta, 'b/c', 'outside')
    },
  )
}

function uploadChecks(check: Check): void {
  check('an upload holds what it reserves until it ends or is forgotten', async ({ meta, other, setTime }) => {
    await meta.setQuota({ scope: 'a/**', bytes: 100 })
    const begin = async (repository = 'a/b') => {
      const id = nextKey()
      await meta.createUpload({ id, key: nextKey(), repository, principal: 'ann', algorithm: 'sha256' }, DAY)
      assert.equal(await meta.lockUpload(id, { token: id, offset: 0, lock: 1000 }), true)
      return {
        id,
        reserve: (bytes: number, least = bytes) => other.reserveUpload(id, { repository, token: id, bytes, least }),
      }
    }
    const [one, two] = [await begin(), await begin('a/c')]
    assert.equal(await one.reserve(60), 60)
    assert.equal((await meta.usage('a/**')).bytes, 60)
    await assert.rejects(two.reserve(41), { ...exceeded, message: /60B are used, and this needs 41B more/ })
    assert.equal(await two.reserve(90, 40), 40)
    await assert.rejects(one.reserve(61), exceeded)
    await meta.advanceUpload(one.id, { token: one.id, offset: 30, lock: 0, keep: DAY })
    assert.equal((await meta.usage('a/**')).bytes, 70)
    assert.equal(await one.reserve(40), 'lost')
    await meta.cancelUpload(one.id)
    assert.equal((await meta.usage('a/**')).bytes, 40)
    const finish = { token: two.id, digest: digestOf('z'), size: 40, key: nextKey(), lease: 0, keep: DAY, grace: 0 }
    assert.equal(await meta.finishUpload(two.id, finish), 'added')
    assert.equal((await meta.usage('a/**')).bytes, 40)
    const three = await begin()
    assert.equal(await three.reserve(60), 60)
    await setTime(NOW + 2 * DAY)
    await other.expireUploads()
    assert.equal((await meta.usage('a/b')).bytes, 0)
    const free = await begin('b/c')
    assert.equal(await free.reserve(1e9), undefined)
  })
}

function raceChecks(check: Check): void {
  check(
    'uploads at once that would overfill a quota together are refused, but for those that fit (A16)',
    async ({ meta, other }) => {
      await meta.setQuota({ scope: 'a/**', bytes: 100 })
      for (let round = 0; round < 5; round++) {
        const outcomes = await Promise.allSettled(
          Array.from({ length: 8 }, (_, number) =>
            push(number % 2 ? meta : other, `a/r${number}`, `${round} ${number} ${'.'.repeat(26)}`),
          ),
        )
        const failures = outcomes.filter((one) => one.status === 'rejected').map((one) => one.reason.code)
        assert.deepEqual(failures, Array(5).fill('QUOTA_EXCEEDED'))
        assert.equal((await meta.usage('a/**')).bytes, 90)
        for (let number = 0; number < 8; number++) {
          await other.unlinkBlob(`a/r${number}`, digestOf(`${round} ${number} ${'.'.repeat(26)}`))
        }
      }
    },
  )

  check(
    'small pushes at once into a quota with much room neither fail nor fill it too far',
    async ({ meta, other }) => {
      await meta.setQuota({ scope: '**', bytes: 40_000 })
      await push(meta, 'a/full', 'x'.repeat(34_900))
      let pushed = 0
      await Promise.all(
        [meta, other, meta, other].map(async (store, worker) => {
          for (let number = 0; number < 100; number++) {
            try {
              await store.putManifest(`w${worker}/r`, manifest({ content: `${worker} ${number}`.padEnd(19) }))
              pushed++
            } catch (error) {
              assert.equal((error as { code: string }).code, 'QUOTA_EXCEEDED')
            }
          }
        }),
      )
      assert.equal(pushed, Math.floor((40_000 - 34_900) / 19))
    },
  )
}

/** Numbers below `most` that are the same in each run. */
function sequence(seed: number): (most: number) => number {
  let state = seed
  return (most) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return (state >>> 8) % most
  }
}
