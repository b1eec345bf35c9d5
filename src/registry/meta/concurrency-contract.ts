import assert from 'node:assert/strict'
import { digestOf } from '#blob'
import { blob, type Check, DAY, manifest, NOW, push } from './kit-contract.ts'
import type { MetaStore } from './meta-store.ts'

const ROUNDS = 20

/** What must hold whichever of two processes is a little faster. */
export function concurrencyContract(check: Check): void {
  check(
    'a mount and a collection at once: a blob that was reported as mounted is mounted',
    async ({ meta, other, setTime }) => {
      for (let round = 0; round < ROUNDS; round++) {
        await setTime(NOW)
        const { digest } = await push(meta, 'a/b', `blob ${round}`, { lease: 0 })
        await setTime(NOW + 1)
        const [mounted] = await Promise.all([
          meta.mountBlob('c/d', digest, { from: 'a/b', lease: DAY }),
          other.condemnBlobs(1000),
        ])
        assert.equal((await other.findBlob('c/d', digest)) !== undefined, mounted)
      }
    },
  )

  check(
    'a lease and a collection at once: a blob that was reported as leased stays',
    async ({ meta, other, setTime }) => {
      for (let round = 0; round < ROUNDS; round++) {
        await setTime(NOW)
        const { digest } = await push(meta, 'a/b', `blob ${round}`, { lease: 0 })
        await setTime(NOW + 1)
        const [found] = await Promise.all([meta.findBlob('a/b', digest, { lease: DAY }), other.condemnBlobs(1000)])
        if (found) assert.deepEqual(await other.findBlob('a/b', digest), found)
      }
    },
  )

  check(
    'a manifest and a collection, or a removal of its blob, at once: a stored manifest misses nothing',
    async ({ meta, other, setTime }) => {
      for (let round = 0; round < ROUNDS; round++) {
        await setTime(NOW)
        const content = `blob ${round}`
        const { digest } = await push(meta, 'a/b', content, { lease: 0 })
        await setTime(NOW + 1)
        const image = manifest({ content: `image ${round}`, blobs: [blob(content)] })
        const [objection] = await Promise.all([
          meta.putManifest('a/b', image),
          round % 2 ? other.condemnBlobs(1000) : other.unlinkBlob('a/b', digest),
        ])
        assert.equal((await other.findBlob('a/b', digest)) !== undefined, objection === undefined)
      }
    },
  )

  check(
    'an index and a collection of untagged manifests at once: a stored index has its children, a stored tag its manifest',
    async ({ meta, other, setTime }) => {
      for (let round = 0; round < ROUNDS; round++) {
        await setTime(NOW)
        const child = manifest({ content: `child ${round}` })
        await meta.putManifest('a/b', child)
        await setTime(NOW + 1)
        const holder =
          round % 2
            ? manifest({ content: `index ${round}`, children: [child.digest], tags: [`t${round}`] })
            : { ...child, tags: [`t${round}`] }
        const [objection] = await Promise.all([meta.putManifest('a/b', holder), other.removeUntagged(0)])
        const there = await other.findManifest('a/b', { digest: child.digest })
        if (objection === undefined) assert.ok(there)
        const tagged = await other.findManifest('a/b', { tag: `t${round}` })
        assert.equal(tagged?.digest, objection === undefined ? holder.digest : undefined)
      }
    },
  )

  check('pushes, collections and removals of everything at once end without an error', async ({ meta, other }) => {
    const work = async (store: MetaStore, worker: number) => {
      for (let round = 0; round < ROUNDS; round++) {
        const repository = `r${(worker + round) % 3}/x`
        const content = `blob ${round % 4}`
        await push(store, repository, content, { lease: 0 })
        const image = manifest({ content: `image ${round % 5}`, blobs: [blob(content)], tags: ['latest'] })
        await store.putManifest(repository, image)
        if (round % 2) await store.deleteManifest(repository, image.digest, 'ann')
        else await store.unlinkBlob(repository, digestOf(content))
        if (round % 5 === worker) await store.condemnBlobs(0)
        if (round % 5 === worker + 1) await store.removeUntagged(-1)
      }
    }
    await Promise.all([meta, other, meta, other].map(work))
  })
}
