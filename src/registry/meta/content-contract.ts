import assert from 'node:assert/strict'
import { digestOf } from '#blob'
import type { Digest } from '#spec'
import { blob, type Check, DAY, type ManifestParts, manifest, push } from './kit-contract.ts'

export function contentContract(check: Check): void {
  check(
    'a blob is seen in the repositories that hold it alone, and is mounted from one that does',
    async ({ meta, other }) => {
      const { digest, key } = await push(meta, 'a/b', 'blob')
      assert.deepEqual(await other.findBlob('a/b', digest), { size: 4, key, gate: 1 })
      assert.equal(await other.findBlob('c/d', digest), undefined)
      assert.equal(await other.mountBlob('c/d', digest, { from: 'e/f', lease: DAY }), false)
      assert.equal(await other.findBlob('c/d', digest), undefined)
      assert.equal(await other.mountBlob('c/d', digest, { from: 'a/b', lease: DAY }), true)
      assert.deepEqual(await meta.findBlob('c/d', digest), { size: 4, key, gate: 1 })
      assert.deepEqual((await meta.repositoriesWith(digest, 10)).toSorted(), ['a/b', 'c/d'])
      assert.equal((await meta.repositoriesWith(digest, 1)).length, 1)
      assert.deepEqual(await meta.repositoriesWith(digestOf('none'), 10), [])
    },
  )

  check('a blob leaves one repository; one that a manifest names stays', async ({ meta }) => {
    const { digest } = await push(meta, 'a/b', 'blob')
    await meta.mountBlob('c/d', digest, { from: 'a/b', lease: DAY })
    const image = manifest({ content: 'image', blobs: [blob('blob')] })
    assert.equal(await meta.putManifest('a/b', image), undefined)
    assert.equal(await meta.unlinkBlob('a/b', digest), 'in use')
    assert.equal(await meta.unlinkBlob('c/d', digest), 'removed')
    assert.equal(await meta.unlinkBlob('c/d', digest), 'absent')
    assert.equal(await meta.findBlob('c/d', digest), undefined)
    await meta.deleteManifest('a/b', image.digest, 'ann')
    assert.equal(await meta.unlinkBlob('a/b', digest), 'removed')
  })

  check('a manifest is stored whole or not: what is missing or of another size is named', async ({ meta, other }) => {
    await push(meta, 'a/b', 'layer')
    const objection = async (parts: Omit<ManifestParts, 'content'>) => {
      const one = manifest({ content: JSON.stringify(parts), ...parts, tags: ['refused'] })
      const found = await meta.putManifest('a/b', one)
      assert.equal(await other.findManifest('a/b', { digest: one.digest }), undefined)
      assert.equal(await other.findManifest('a/b', { tag: 'refused' }), undefined)
      return found
    }
    assert.deepEqual(await objection({ blobs: [blob('layer'), blob('gone')] }), { missing: digestOf('gone') })
    assert.deepEqual(await objection({ blobs: [{ ...blob('layer'), size: 6 }] }), {
      wrongSize: digestOf('layer'),
      size: 5,
    })
    assert.deepEqual(await objection({ children: [digestOf('child')] }), { missing: digestOf('child') })
    const fine = manifest({ content: 'fine', blobs: [blob('layer'), blob('foreign', true)], tags: ['t'] })
    assert.equal(await meta.putManifest('a/b', fine), undefined)
    assert.deepEqual(await meta.putManifest('c/d', fine), { missing: digestOf('layer') })
  })

  check(
    'bytes of a manifest come back as they were, by digest and by tag; a tag moves, and goes with its manifest',
    async ({ meta, other }) => {
      const [one, two] = [
        manifest({ content: '{"one": "é\\u0000"}', tags: ['t', 'u'] }),
        manifest({ content: 'two', tags: ['t'] }),
      ]
      await meta.putManifest('a/b', one)
      const found = await other.findManifest('a/b', { tag: 't' })
      assert.equal(found!.digest, one.digest)
      assert.equal(found!.mediaType, 'application/x')
      assert.ok(Buffer.from(found!.bytes).equals(one.bytes))
      await meta.putManifest('a/b', { ...two, actor: 'bob' })
      assert.equal((await other.findManifest('a/b', { tag: 't' }))?.digest, two.digest)
      assert.deepEqual(await other.findTag('a/b', 't'), { digest: two.digest, actor: 'bob' })
      assert.deepEqual(await other.findTag('a/b', 'u'), { digest: one.digest, actor: 'ann' })
      assert.equal(await other.findTag('c/d', 't'), undefined)
      assert.equal((await other.findManifest('a/b', { digest: one.digest }))?.digest, one.digest)
      assert.equal(await other.findManifest('c/d', { digest: one.digest }), undefined)
      assert.equal(await meta.deleteManifest('a/b', two.digest, 'bob'), true)
      assert.equal(await other.findManifest('a/b', { tag: 't' }), undefined)
      assert.equal((await other.findManifest('a/b', { tag: 'u' }))?.digest, one.digest)
      assert.equal(await meta.deleteManifest('a/b', two.digest, 'bob'), false)
      assert.equal(await meta.deleteTag('a/b', 'u', 'bob'), true)
      assert.equal(await meta.deleteTag('a/b', 'u', 'bob'), false)
      assert.equal(await meta.deleteTag('none', 'u', 'bob'), false)
      assert.equal((await other.findManifest('a/b', { digest: one.digest }))?.digest, one.digest)
    },
  )

  check('pushes of one tag at once end with one of them', async ({ meta, other }) => {
    const all = Array.from({ length: 12 }, (_, number) => manifest({ content: `m${number}`, tags: ['t'] }))
    await Promise.all(all.map((one, number) => (number % 2 ? meta : other).putManifest('a/b', one)))
    const tagged = await meta.findManifest('a/b', { tag: 't' })
    assert.ok(all.some((one) => one.digest === tagged?.digest))
    assert.deepEqual(await other.listTags('a/b', { limit: 10 }), ['t'])
    for (const one of all) assert.ok(await other.findManifest('a/b', { digest: one.digest }))
  })
}

/** All pages of a listing, each of at most `limit` names. */
async function pages(list: (last: string | undefined) => Promise<string[] | undefined>): Promise<string[][]> {
  const found: string[][] = []
  for (let page = await list(undefined); page?.length; page = await list(page.at(-1))) found.push(page)
  return found
}

/** As bytes sort, not as people of some country do. */
const NAMES = ['0', '10', '9', 'A', 'B', 'Z', '_x', 'a', 'a-b', 'a.b', 'a_b', 'aa', 'b', 'z']

export function listingContract(check: Check): void {
  check(
    'tags come in pages, sorted by bytes; a repository that does not exist has no list',
    async ({ meta, other }) => {
      await meta.putManifest('a/b', manifest({ content: 'one', tags: NAMES.toReversed() }))
      await meta.putManifest('a/c', manifest({ content: 'one', tags: ['other'] }))
      const found = await pages((last) => other.listTags('a/b', { limit: 4, last }))
      assert.deepEqual(found.flat(), NAMES)
      assert.ok(found.slice(0, -1).every((page) => page.length === 4))
      assert.deepEqual(
        await other.listTags('a/b', { limit: 2, last: 'a-' }),
        ['a-b', 'a.b'],
        'after a tag that is gone',
      )
      assert.equal(await other.listTags('none', { limit: 4 }), undefined)
    },
  )

  check('repositories come in pages, sorted by bytes', async ({ meta, other }) => {
    const names = NAMES.map((one) => `r${one}`)
    for (const one of names.toReversed()) await meta.putManifest(one, manifest({ content: 'one' }))
    assert.deepEqual((await pages((last) => other.listRepositories({ limit: 5, last }))).flat(), names)
    assert.deepEqual(await other.listRepositories({ limit: 0 }), [])
  })

  check('repositories within patterns come in pages too, and others cost no page', async ({ meta, other }) => {
    const names = ['ann/a', 'ann/b/c', 'bob', 'team-x/a', 'team/a', 'team/a/b', 'team/b', 'teams/a', 'web/api', 'x/api']
    for (const one of names.toReversed()) await meta.putManifest(one, manifest({ content: 'one' }))
    const list = async (limit: number, ...within: string[]) =>
      (await pages((last) => other.listRepositories({ limit, last, within }))).flat()
    for (const limit of [1, 2, 100]) {
      assert.deepEqual(await list(limit, 'ann/**'), ['ann/a', 'ann/b/c'])
      assert.deepEqual(await list(limit, 'team/*'), ['team/a', 'team/b'])
      assert.deepEqual(await list(limit, 'team/*', 'bob', 'none', 'team/a'), ['bob', 'team/a', 'team/b'])
      assert.deepEqual(await list(limit, '*/api', 'te*/a'), ['team-x/a', 'team/a', 'teams/a', 'web/api', 'x/api'])
      assert.deepEqual(await list(limit, '**'), names)
      assert.deepEqual(await list(limit, '*'), ['bob'])
      assert.deepEqual(await list(limit, 'x/**', 'team/**', 'ann/*', 'te*/a', 'bob'), [
        ...['ann/a', 'bob', 'team-x/a', 'team/a', 'team/a/b', 'team/b', 'teams/a', 'x/api'],
      ])
    }
    assert.deepEqual(await list(5), [])
    for (const pattern of ['ann/**', 'team/*', 'te*/b', 'none/**', 'web/api', 'x/other', 'zz/**'])
      await meta.setPublic(pattern, true)
    const all = ['ann/a', 'ann/b/c', 'bob', 'team/a', 'team/b', 'web/api']
    for (const limit of [1, 2, 3, 100]) {
      const shown = { limit, andPublic: true, within: ['bob'] }
      assert.deepEqual((await pages((last) => other.listRepositories({ ...shown, last }))).flat(), all)
      const only = { ...shown, only: 'team/**' }
      assert.deepEqual((await pages((last) => other.listRepositories({ ...only, last }))).flat(), ['team/a', 'team/b'])
    }
    assert.deepEqual(await other.listRepositories({ limit: 5, last: 'team/a', within: ['team/**'] }), [
      'team/a/b',
      'team/b',
    ])
  })

  check(
    'public repositories are found among many public names that have none, in pages of any size',
    async ({ meta, other }) => {
      const owner = (number: number) => `o${String(number).padStart(3, '0')}`
      for (let number = 0; number < 350; number++) await meta.setPublic(`${owner(number)}/**`, true)
      const names = [3, 120, 121, 310].flatMap((number) => [`${owner(number)}/a`, `${owner(number)}/b`])
      for (const name of [...names, 'o120-x/private', 'private/a']) {
        await meta.putManifest(name, manifest({ content: 'one' }))
      }
      for (const limit of [1, 3, 100]) {
        const shown = { limit, andPublic: true, within: [] }
        assert.deepEqual((await pages((last) => other.listRepositories({ ...shown, last }))).flat(), names)
      }
    },
  )

  check(
    'referrers come in pages by count and by bytes, also of a subject that was never pushed, filtered by type',
    async ({ meta, other }) => {
      const subject = digestOf('subject')
      const all = Array.from({ length: 7 }, (_, number) =>
        manifest({ content: `r${number}`, subject, artifactType: number % 2 ? 'x/odd' : 'x/even' }),
      )
      for (const one of all) assert.equal(await meta.putManifest('a/b', one), undefined)
      await meta.putManifest('c/d', manifest({ content: 'elsewhere', subject }))
      const sorted = all.map((one) => one.digest).toSorted()
      const list = async (options: { limit: number; bytes?: number; artifactType?: string }) => {
        const found: Digest[] = []
        for (let last: string | undefined, more = true; more; ) {
          const page = await other.listReferrers('a/b', subject, { bytes: 1e9, ...options, last })
          assert.ok(page.descriptors.length <= options.limit)
          found.push(...page.descriptors.map((one) => one.digest))
          last = found.at(-1)
          more = page.more
        }
        return found
      }
      assert.deepEqual(await list({ limit: 3 }), sorted)
      assert.deepEqual(await list({ limit: 7 }), sorted)
      assert.deepEqual(await list({ limit: 100, bytes: 1 }), sorted, 'one at a time when none fits')
      assert.equal((await list({ limit: 2, artifactType: 'x/odd' })).length, 3)
      assert.deepEqual(await other.listReferrers('a/b', digestOf('none'), { limit: 3, bytes: 100 }), {
        descriptors: [],
        more: false,
      })
      const [first] = (await other.listReferrers('a/b', subject, { limit: 1, bytes: 100 })).descriptors
      assert.deepEqual(first, JSON.parse(JSON.stringify(all.find((one) => one.digest === sorted[0])!.descriptor)))
    },
  )
}
