import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digestOf } from '#blob'
import type { Descriptor, Digest } from '#spec'
import type { MetaPlace } from '../../../test/kit/meta-places.ts'
import type { MetaStore, NewManifest } from './meta-store.ts'

/** Two openings of the same data, at the time `NOW`. */
interface Under {
  meta: MetaStore
  other: MetaStore
  setTime(time: number): Promise<void>
}

const NOW = 1_700_000_000_000
const DAY = 86_400_000
let counter = 0

const keyOf = (number: number) => number.toString(16).padStart(32, '0')

/** Brings a blob into a repository by an upload, as a client would. Returns its digest and the key of the upload. */
async function push(meta: MetaStore, repository: string, content: string, { lease = DAY } = {}) {
  const [id, key, digest] = [keyOf(++counter), keyOf(++counter), digestOf(content)]
  await meta.createUpload({ id, key, repository, principal: 'ann', algorithm: 'sha256' }, DAY)
  assert.equal(await meta.lockUpload(id, { token: id, offset: 0, lock: 1000 }), true)
  const finish = { token: id, digest, size: content.length, key, lease, keep: DAY, grace: 0 }
  return { digest, key, outcome: await meta.finishUpload(id, finish), id }
}

interface ManifestParts {
  content: string
  tags?: string[]
  blobs?: NewManifest['blobs']
  children?: Digest[]
  subject?: Digest
  artifactType?: string
}

function manifest({
  content,
  tags = [],
  blobs = [],
  children = [],
  subject,
  artifactType,
}: ManifestParts): NewManifest {
  const bytes = Buffer.from(content)
  const digest = digestOf(bytes)
  const descriptor: Descriptor = { mediaType: 'application/x', digest, size: bytes.length, artifactType }
  return {
    digest,
    mediaType: 'application/x',
    bytes,
    descriptor,
    blobs,
    children,
    tags,
    actor: 'ann',
    subject,
    artifactType,
  }
}

const blob = (content: string, optional = false) => ({ digest: digestOf(content), size: content.length, optional })

/** What every metadata store of a registry promises, seen through two openings of the same data. */
export function metaStoreContract(name: string, create: () => Promise<MetaPlace>): void {
  const check = (title: string, body: (under: Under) => Promise<void>) =>
    test(`${name}: ${title}`, async () => {
      await using place = await create()
      const [meta, other] = [await place.open(), await place.open()]
      await place.setTime(NOW)
      try {
        await body({ meta, other, setTime: (time) => place.setTime(time) })
      } finally {
        await other.close()
        await meta.close()
      }
    })
  contentContract(check)
  listingContract(check)
  uploadContract(check)
  collectorContract(check)
  damageContract(check)
  accountContract(check)
  coordinationContract(check)
  concurrencyContract(check)
}

type Check = (title: string, body: (under: Under) => Promise<void>) => void

function contentContract(check: Check): void {
  check(
    'a blob is seen in the repositories that hold it alone, and is mounted from one that does',
    async ({ meta, other }) => {
      const { digest, key } = await push(meta, 'a/b', 'blob')
      assert.deepEqual(await other.findBlob('a/b', digest), { size: 4, key })
      assert.equal(await other.findBlob('c/d', digest), undefined)
      assert.equal(await other.mountBlob('c/d', digest, { from: 'e/f', lease: DAY }), false)
      assert.equal(await other.findBlob('c/d', digest), undefined)
      assert.equal(await other.mountBlob('c/d', digest, { from: 'a/b', lease: DAY }), true)
      assert.deepEqual(await meta.findBlob('c/d', digest), { size: 4, key })
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
      await meta.putManifest('a/b', two)
      assert.equal((await other.findManifest('a/b', { tag: 't' }))?.digest, two.digest)
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

function listingContract(check: Check): void {
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
    }
    assert.deepEqual(await list(5), [])
    assert.deepEqual(await other.listRepositories({ limit: 5, last: 'team/a', within: ['team/**'] }), [
      'team/a/b',
      'team/b',
    ])
  })

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

function uploadContract(check: Check): void {
  const begin = async (meta: MetaStore, repository = 'a/b') => {
    const [id, key] = [keyOf(++counter), keyOf(++counter)]
    await meta.createUpload({ id, key, repository, principal: 'ann', algorithm: 'sha512' }, DAY)
    return { id, key }
  }

  check('an upload is resumed by another process where it was recorded', async ({ meta, other }) => {
    const { id, key } = await begin(meta)
    const progress = { offset: 3, digest: digestOf('hal'), state: '{"parts":1}' }
    assert.equal(await meta.lockUpload(id, { token: 'one', offset: 0, lock: 1000 }), true)
    assert.equal(await meta.advanceUpload(id, { token: 'one', ...progress, lock: 0, keep: DAY }), true)
    const found = await other.findUpload(id)
    const rest = { repository: 'a/b', principal: 'ann', algorithm: 'sha512', done: undefined }
    assert.deepEqual({ ...found }, { id, key, ...progress, ...rest })
    assert.equal(await other.lockUpload(id, { token: 'two', offset: 0, lock: 1000 }), false, 'moved on')
    assert.equal(await other.lockUpload(id, { token: 'two', offset: 3, lock: 1000 }), true)
    const finish = { token: 'two', digest: digestOf('half'), size: 4, key: keyOf(7), lease: DAY, keep: DAY, grace: 0 }
    assert.equal(await other.finishUpload(id, finish), 'added')
    assert.equal((await meta.findUpload(id))?.done, digestOf('half'))
    assert.deepEqual(await meta.findBlob('a/b', digestOf('half')), { size: 4, key: keyOf(7) })
    assert.equal(await other.finishUpload(id, finish), 'lost', 'it is finished once')
  })

  check('of many who want the place of the writer at once one gets it', async ({ meta, other }) => {
    const { id } = await begin(meta)
    const taken = await Promise.all(
      Array.from({ length: 12 }, (_, number) =>
        (number % 2 ? meta : other).lockUpload(id, { token: `t${number}`, offset: 0, lock: 1000 }),
      ),
    )
    assert.equal(taken.filter(Boolean).length, 1)
  })

  check('a writer whose time is over is fenced off by the next one', async ({ meta, other, setTime }) => {
    const { id, key } = await begin(meta)
    const lock = (store: MetaStore, token: string) => store.lockUpload(id, { token, offset: 0, lock: 1000 })
    assert.equal(await lock(meta, 'slow'), true)
    await setTime(NOW + 999)
    assert.equal(await lock(other, 'next'), false)
    await setTime(NOW + 1001)
    assert.equal(await lock(other, 'next'), true)
    assert.equal(await meta.advanceUpload(id, { token: 'slow', offset: 9, lock: 5000, keep: DAY }), false)
    const finish = { digest: digestOf('x'), size: 1, key, lease: 0, keep: DAY, grace: 0 }
    assert.equal(await meta.finishUpload(id, { token: 'slow', ...finish }), 'lost')
    assert.equal((await meta.findUpload(id))?.offset, 0)
    assert.equal(await other.finishUpload(id, { token: 'next', ...finish }), 'added')
  })

  check('a writer keeps its place as long as it renews it', async ({ meta, other, setTime }) => {
    const { id } = await begin(meta)
    assert.equal(await meta.lockUpload(id, { token: 'one', offset: 0, lock: 1000 }), true)
    await setTime(NOW + 900)
    assert.equal(await meta.advanceUpload(id, { token: 'one', offset: 5, lock: 1000, keep: DAY }), true)
    await setTime(NOW + 1800)
    assert.equal(await other.lockUpload(id, { token: 'two', offset: 5, lock: 1000 }), false)
  })

  check('locks of a process that died are given back', async ({ meta, other }) => {
    const { id } = await begin(meta)
    const options = { offset: 0, lock: 1e9 }
    await meta.lockUpload(id, { token: 'dead', ...options })
    await other.freeUploads()
    assert.equal(await other.lockUpload(id, { token: 'new', ...options }), true)
    assert.equal(await meta.advanceUpload(id, { token: 'dead', offset: 1, lock: 0, keep: DAY }), false)
  })

  check(
    'the same bytes brought by many at once are added once; the blob has the object that came last, the others go',
    async ({ meta, other }) => {
      const all = await Promise.all(
        Array.from({ length: 10 }, (_, number) => push(number % 2 ? meta : other, `r${number}/x`, 'same')),
      )
      assert.equal(all.filter((one) => one.outcome === 'added').length, 1)
      assert.equal(all.filter((one) => one.outcome === 'known').length, 9)
      const key = (await meta.findBlob('r0/x', digestOf('same')))!.key
      for (const number of all.keys()) {
        assert.equal((await meta.findBlob(`r${number}/x`, digestOf('same')))?.key, key)
      }
      const others = all.map((one) => one.key).filter((one) => one !== key)
      assert.equal(others.length, 9)
      assert.deepEqual(await dueKeys(other), others.toSorted())
    },
  )

  check(
    'a cancelled upload is forgotten and its object is due with its notes; one that became a blob keeps its object',
    async ({ meta, other }) => {
      const { id, key } = await begin(meta)
      await meta.lockUpload(id, { token: 'one', offset: 0, lock: 1000 })
      await meta.advanceUpload(id, { token: 'one', offset: 3, state: 'notes', lock: 0, keep: DAY })
      const done = await push(meta, 'a/b', 'done')
      await meta.cancelUpload(id)
      await meta.cancelUpload(done.id)
      await meta.cancelUpload(keyOf(0))
      assert.equal(await other.findUpload(id), undefined)
      assert.deepEqual(await other.dueObjects(10), [{ key, state: 'notes' }])
      assert.ok(await other.findBlob('a/b', done.digest))
    },
  )
}

const dueKeys = async (meta: MetaStore, limit = 100, ahead?: number) =>
  (await meta.dueObjects(limit, ahead)).map(({ key }) => key).toSorted()

function collectorContract(check: Check): void {
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
      assert.deepEqual(await meta.findBlob('a/b', again.digest), { size: 4, key: again.key })
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

  check(
    'uploads that nobody goes on with are forgotten, but not while somebody writes',
    async ({ meta, other, setTime }) => {
      const [id, key] = [keyOf(++counter), keyOf(++counter)]
      await push(meta, 'a/b', 'finished')
      await meta.createUpload({ id, key, repository: 'a/b', principal: 'ann', algorithm: 'sha256' }, DAY)
      await setTime(NOW + DAY + 1)
      await meta.lockUpload(id, { token: 't', offset: 0, lock: 100 })
      assert.equal(await other.expireUploads(), 0)
      await setTime(NOW + DAY + 102)
      assert.equal(await other.expireUploads(), 1, 'finished ones do not count')
      assert.equal(await meta.findUpload(id), undefined)
      assert.deepEqual(await dueKeys(other), [key])
    },
  )

  check(
    'unfinished uploads that have not moved for long are forgotten when asked for',
    async ({ meta, other, setTime }) => {
      const begin = async () => {
        const id = keyOf(++counter)
        const upload = { id, key: keyOf(++counter), repository: 'a/b', principal: 'ann', algorithm: 'sha256' } as const
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

function damageContract(check: Check): void {
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
      assert.deepEqual(await meta.findBlob('a/b', digest), { size: 4, key: again.key })
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
    assert.deepEqual(await meta.findBlob('a/b', digest), { size: 4, key })
    assert.deepEqual(await dueKeys(meta, 10, DAY), [])
  })

  check('an object is known as long as a blob, an upload or the queue has it', async ({ meta, other }) => {
    const [id, key, noted] = [keyOf(++counter), keyOf(++counter), keyOf(++counter)]
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

function accountContract(check: Check): void {
  check(
    'accounts and grants are kept, replaced and removed, and another process sees it at once',
    async ({ meta, other }) => {
      assert.equal(await meta.addAccount({ name: 'ann', passwordHash: 'h1', admin: true }), 'added')
      assert.deepEqual(await other.addAccount({ name: 'ann', passwordHash: 'h2', admin: false }), { taken: 'ann' })
      assert.equal(await meta.setGrant('ann', 'b/*', 'read'), true)
      assert.equal(await meta.setGrant('ann', 'a/*', 'write'), true)
      assert.equal(await other.setGrant('ann', 'b/*', 'admin'), true)
      const grants = [
        { pattern: 'a/*', role: 'write' },
        { pattern: 'b/*', role: 'admin' },
      ]
      const ann = (await other.findAccount({ name: 'ann' }))!
      assert.match(ann.id, /^[0-9a-f]{32}$/)
      assert.deepEqual(ann, { id: ann.id, generation: 1, name: 'ann', passwordHash: 'h1', admin: true, grants })
      assert.deepEqual(await meta.findAccount({ id: ann.id }), ann)
      assert.equal(await meta.setGrant('ann', 'a/*', undefined), true)
      assert.equal(await meta.setGrant('ann', 'a/*', undefined), false)
      assert.equal(await meta.setGrant('nobody', 'a/*', 'read'), false)
      assert.equal(await meta.setPassword('ann', 'h3'), true)
      assert.equal((await other.findAccount({ id: ann.id }))?.generation, 2)
      assert.equal(await meta.setPassword('nobody', 'h3'), false)
      await meta.addAccount({ name: 'Bob', passwordHash: 'h', admin: false })
      assert.deepEqual(
        (await other.listAccounts()).map((one) => [one.name, one.passwordHash, one.grants.length]),
        [
          ['Bob', 'h', 0],
          ['ann', 'h3', 1],
        ],
      )
      assert.equal(await other.removeAccount('ann'), true)
      assert.equal(await other.removeAccount('ann'), false)
      assert.equal(await meta.findAccount({ name: 'ann' }), undefined)
      await meta.addAccount({ name: 'ann', passwordHash: 'h', admin: false })
      const again = (await other.findAccount({ name: 'ann' }))!
      assert.deepEqual(again.grants, [], 'grants go with the account')
      assert.notEqual(again.id, ann.id, 'a later user of the name is another one')
      assert.equal(await meta.findAccount({ id: ann.id }), undefined)
    },
  )

  check('a name below which there is something is given to a new account only on purpose', async ({ meta, other }) => {
    const add = (name: string, adopt?: boolean) => meta.addAccount({ name, passwordHash: 'h', admin: false, adopt })
    await other.putManifest('team/web', manifest({ content: 'image' }))
    assert.deepEqual(await add('team'), { taken: 'team/web' })
    assert.deepEqual(await add('tea'), 'added', 'a name is not part of another')
    assert.equal(await add('team', true), 'added')
    await other.setGrant('tea', 'cat/*', 'read')
    assert.deepEqual(await add('cat'), { taken: 'cat/*' })
    assert.equal(await add('ca'), 'added')
  })

  check('of two who take a name at once one gets it', async ({ meta, other }) => {
    const added = await Promise.all(
      Array.from({ length: 8 }, (_, number) =>
        (number % 2 ? meta : other).addAccount({ name: 'ann', passwordHash: `h${number}`, admin: false }),
      ),
    )
    assert.equal(added.filter((one) => one === 'added').length, 1)
    assert.equal((await meta.findAccount({ name: 'ann' }))?.passwordHash, `h${added.indexOf('added')}`)
  })

  check('signing keys come newest first, are replaced and removed', async ({ meta, other, setTime }) => {
    await meta.putSigningKey({ id: 'old', privateKey: 'o' })
    await setTime(NOW + 1)
    await meta.putSigningKey({ id: 'new', privateKey: 'n' })
    await other.putSigningKey({ id: 'old', privateKey: 'sealed' })
    await setTime(NOW + 5)
    assert.deepEqual(await other.signingKeys(), [
      { id: 'new', privateKey: 'n', age: 4 },
      { id: 'old', privateKey: 'sealed', age: 5 },
    ])
    await other.removeSigningKey('old')
    assert.deepEqual(
      (await meta.signingKeys()).map(({ id }) => id),
      ['new'],
    )
  })
}

function coordinationContract(check: Check): void {
  check('the time is the one of the database', async ({ meta, other, setTime }) => {
    assert.deepEqual([await meta.now(), await other.now()], [NOW, NOW])
    await setTime(NOW + 5)
    assert.equal(await other.now(), NOW + 5)
  })

  check('attempts count within the period, and one that was right is given back', async ({ meta, other, setTime }) => {
    const limits = [
      { key: 'b', limit: 2 },
      { key: 'a', limit: 3 },
    ]
    const count = (store: MetaStore, id: string) => store.countAttempt(id, { limits, period: 1000 })
    assert.equal(await count(meta, '1'), 'counted')
    await setTime(NOW + 100)
    assert.equal(await count(other, '2'), 'counted')
    assert.deepEqual(await count(meta, '3'), { wait: 900 })
    const only = [{ key: 'a', limit: 3 }]
    assert.equal(await meta.countAttempt('4', { limits: only, period: 1000 }), 'counted', 'a refused one did not count')
    assert.deepEqual(await meta.countAttempt('5', { limits: only, period: 1000 }), { wait: 900 })
    await other.giveBackAttempt('1', ['a', 'b', 'none'])
    assert.equal(await count(meta, '6'), 'counted')
    await setTime(NOW + 1101)
    assert.equal(await count(other, '7'), 'counted')
    await setTime(NOW + 9000)
    await meta.expireUploads()
    assert.equal(await count(other, '8'), 'counted')
  })

  check('of many attempts at once no more than the limit count', async ({ meta, other }) => {
    const limits = [
      { key: 'account', limit: 4 },
      { key: 'address', limit: 100 },
    ]
    const counted = await Promise.all(
      Array.from({ length: 16 }, (_, number) =>
        (number % 2 ? meta : other).countAttempt(`${number}`, { limits, period: 1000 }),
      ),
    )
    assert.equal(counted.filter((one) => one === 'counted').length, 4)
  })

  check('a turn is one process’s until it is over or ended', async ({ meta, other, setTime }) => {
    assert.equal(await meta.takeTurn('collection', 'one', 100), true)
    assert.equal(await other.takeTurn('collection', 'two', 100), false)
    assert.equal(await other.takeTurn('other work', 'two', 100), true)
    await setTime(NOW + 90)
    assert.equal(await meta.takeTurn('collection', 'one', 100), true, 'it may be renewed')
    await setTime(NOW + 150)
    assert.equal(await other.takeTurn('collection', 'two', 100), false)
    await other.endTurn('collection', 'two')
    assert.equal(await other.takeTurn('collection', 'two', 100), false, 'another process’s turn is not ended')
    await meta.endTurn('collection', 'one')
    assert.equal(await other.takeTurn('collection', 'two', 100), true)
    await setTime(NOW + 251)
    assert.equal(await meta.takeTurn('collection', 'one', 100), true, 'a dead process keeps none')
  })
}

const ROUNDS = 20

/** What must hold whichever of two processes is a little faster. */
function concurrencyContract(check: Check): void {
  check(
    'a mount and a collection at once: who was told that it has the blob has it',
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
    'a lease and a collection at once: who was told that the blob stays has it',
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
