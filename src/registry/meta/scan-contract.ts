import assert from 'node:assert/strict'
import { digestOf } from '#blob'
import { MediaType } from '#spec'
import { blob, type Check, DAY, image, index, manifest, NOW, push, scanOf } from './kit-contract.ts'
import type { MetaStore } from './meta-store.ts'
import type { TakenScan } from './scan-meta.ts'
import { MOVED } from './transfer-tables.ts'

const LEASE = 60_000
const take = (meta: MetaStore, analyser = '1') => meta.takeScan({ lease: LEASE, analyser })
const bytes = (content: string) => new Uint8Array(Buffer.from(content))
const scanned = (inventory: string, analyser = '1') =>
  ({ outcome: 'scanned', analyser, inventory: bytes(inventory) }) as const

/** Has images in a repository, a millisecond after each other, and returns them. */
async function pushImages(
  { meta, setTime }: { meta: MetaStore; setTime(time: number): Promise<void> },
  contents: string[],
) {
  const images = contents.map((content) => image(content))
  for (const [at, one] of images.entries()) {
    await setTime(NOW + at)
    await meta.putManifest('a/b', one)
  }
  return images
}

/** Scans whatever waits; the inventory of an image is its content and `suffix`. */
async function scanAll(meta: MetaStore, { analyser = '1', suffix = '' } = {}): Promise<void> {
  for (let taken = await take(meta, analyser); taken; taken = await take(meta, analyser)) {
    const content = Buffer.from(taken.manifest.bytes).toString()
    assert.equal(await meta.endScan(taken, scanned(content + suffix, analyser)), true)
  }
}

/** Matches what is unmatched; a result is the inventory and the version. */
async function matchAll(meta: MetaStore, advisories: string): Promise<void> {
  const unmatched = await meta.listUnmatched(advisories, { limit: 1000 })
  await meta.putResults(
    unmatched.map(({ inventory, ...one }) => ({
      ...one,
      advisories,
      bytes: bytes(`${Buffer.from(inventory)} ${advisories}`),
    })),
  )
}

async function resultOf(meta: MetaStore, content: string): Promise<string | undefined> {
  const result = (await scanOf(meta, 'a/b', digestOf(content)))?.result
  return result && Buffer.from(result.bytes).toString()
}

const inventoryOf = async (meta: MetaStore, content: string, id?: number) => {
  const inventory = await meta.findInventory(digestOf(content), id)
  return inventory && Buffer.from(inventory).toString()
}

export function scanQueueContract(check: Check): void {
  check('each image is queued once, wherever and however it comes, and what is no image is not', async (under) => {
    const { meta, other } = under
    const [one, two, three] = await pushImages(under, ['one', 'two', 'three'])
    await meta.putManifest('c/d', one!)
    await meta.putManifest('a/b', one!)
    await meta.promoteImage({ repository: 'a/b', digest: two!.digest }, { repository: 'e' }, { lease: DAY })
    await meta.putManifest('a/b', index('index', [one!.digest, two!.digest]))
    await meta.putManifest('a/b', manifest({ content: 'else' }))
    const cached = image('cached', { blobs: [blob('layer')], mediaType: MediaType.dockerManifest })
    await meta.putCached('hub/x', cached)
    await push(meta, 'z', 'layer')
    await meta.putManifest('z', cached)
    assert.deepEqual(await other.countScans(10), { waiting: 4, failed: 0 })
    assert.deepEqual(await other.countScans(3), { waiting: 3, failed: 0 })
    const taken: TakenScan[] = []
    for (let next = await take(meta); next; next = await take(taken.length % 2 ? other : meta)) taken.push(next)
    assert.deepEqual(
      taken.map(({ digest, tries, repository }) => [digest, tries, repository]),
      [
        [one!.digest, 1, 'a/b'],
        [two!.digest, 1, 'a/b'],
        [three!.digest, 1, 'a/b'],
        // Whose blobs are there.
        [cached.digest, 1, 'z'],
      ].toSorted((a, b) => taken.findIndex((x) => x.digest === a[0]) - taken.findIndex((x) => x.digest === b[0])),
    )
    assert.deepEqual(taken.map(({ digest }) => digest).slice(0, 2), [one!.digest, two!.digest])
    const { mediaType, bytes: body } = taken[0]!.manifest
    assert.deepEqual([mediaType, Buffer.from(body).toString()], [MediaType.ociManifest, 'one'])
    assert.equal(new Set(taken.map(({ token }) => token)).size, 4)
    assert.equal(await scanOf(meta, 'a/b', digestOf('index')), undefined)
    assert.equal(await scanOf(meta, 'c/d', two!.digest), undefined, 'it is not there')
  })

  check('two processes never scan the same image, and a scan whose process was lost is taken again', async (under) => {
    const { meta, other, setTime } = under
    await pushImages(under, ['one'])
    const [first, none] = [(await take(meta))!, await take(other)]
    assert.equal(none, undefined)
    assert.equal((await scanOf(other, 'a/b', digestOf('one')))?.running, true)
    await setTime(NOW + LEASE - 1)
    assert.equal(await meta.keepScan(first, LEASE), true)
    await setTime(NOW + 2 * LEASE - 2)
    assert.equal(await take(other), undefined)
    await setTime(NOW + 2 * LEASE)
    assert.equal((await scanOf(other, 'a/b', digestOf('one')))?.running, false)
    const second = (await take(other))!
    assert.equal(second.tries, 2)
    const generation = await meta.gateGeneration()
    assert.equal(await meta.keepScan(first, LEASE), false)
    for (const end of [
      scanned('late'),
      { outcome: 'failed', failure: 'late' },
      { outcome: 'again', failure: 'late', pause: 0 },
      { outcome: 'no image' },
    ] as const) {
      assert.equal(await meta.endScan(first, end), false)
    }
    await meta.releaseScan(first)
    assert.equal(await other.keepScan(second, LEASE), true)
    const status = (await scanOf(meta, 'a/b', digestOf('one')))!
    assert.deepEqual([status.state, status.failure, await inventoryOf(meta, 'one')], ['waiting', undefined, undefined])
    assert.equal(await meta.gateGeneration(), generation)
    assert.equal(await other.endScan(second, scanned('whole')), true)
    assert.equal(await other.endScan(second, scanned('twice')), false)
    assert.equal(await inventoryOf(meta, 'one'), 'whole')
  })

  check('many who take at once get each image once', async (under) => {
    const { meta, other } = under
    const contents = Array.from({ length: 12 }, (_, number) => `image ${number}`)
    await pushImages(under, contents)
    const takers = Array.from({ length: 6 }, async (_, number) => {
      const store = number % 2 ? meta : other
      const taken: string[] = []
      // One that finds only what another one is just taking tries again.
      for (let misses = 0; misses < 20; ) {
        const next = await take(store)
        if (next) taken.push(next.digest)
        else misses++
      }
      return taken
    })
    const taken = (await Promise.all(takers)).flat()
    assert.deepEqual(taken.toSorted(), contents.map((content) => digestOf(content)).toSorted())
  })

  check(
    'a scan that is given back does not count as a try, and scans of killed processes can be taken at once',
    async (under) => {
      const { meta, other } = under
      await pushImages(under, ['one', 'two'])
      await meta.releaseScan((await take(meta))!)
      const again = (await take(other))!
      assert.deepEqual([again.digest, again.tries], [digestOf('one'), 1])
      await take(other)
      assert.equal(await take(meta), undefined)
      await other.freeScans()
      assert.equal(await other.endScan(again, scanned('x')), false)
      assert.equal((await take(meta))?.tries, 2)
      assert.ok(await take(meta))
    },
  )

  check('an image that could not be scanned is tried after a pause, or by the next analyser', async (under) => {
    const { meta, other, setTime } = under
    await pushImages(under, ['one'])
    const status = async () => {
      const { state, failure, endedAt } = (await scanOf(other, 'a/b', digestOf('one')))!
      return { state, failure, endedAt }
    }
    assert.equal(await meta.endScan((await take(meta))!, { outcome: 'again', failure: 'no memory', pause: 500 }), true)
    assert.equal(await take(other), undefined)
    assert.deepEqual(await status(), { state: 'waiting', failure: 'no memory', endedAt: undefined })
    await setTime(NOW + 500)
    const again = (await take(meta))!
    assert.equal(again.tries, 2)
    await meta.endScan(again, { outcome: 'failed', failure: 'no gzip' })
    assert.deepEqual(await status(), { state: 'failed', failure: 'no gzip', endedAt: NOW + 500 })
    assert.deepEqual(await meta.countScans(9), { waiting: 0, failed: 1 })
    await setTime(NOW + DAY)
    assert.equal(await take(other), undefined)
    const next = (await take(other, '2'))!
    assert.equal(next.tries, 1)
    await other.endScan(next, scanned('found', '2'))
    assert.deepEqual(await status(), { state: 'scanned', failure: undefined, endedAt: NOW + DAY })
    assert.equal(await take(other, '2'), undefined)
  })

  check('what is found to be no image is not scanned again', async (under) => {
    const { meta, other } = under
    const [chart] = await pushImages(under, ['chart'])
    assert.equal(await meta.endScan((await take(meta))!, { outcome: 'no image' }), true)
    const { state, failure, result } = (await scanOf(other, 'a/b', chart!.digest))!
    assert.deepEqual([state, failure, result], ['none', undefined, undefined])
    await meta.putManifest('c/d', chart!)
    for (const analyser of ['0', '1', '2']) assert.equal(await take(other, analyser), undefined)
    assert.deepEqual(await other.countScans(9), { waiting: 0, failed: 0 })
    assert.equal(await other.queueScan('a/b', chart!.digest), 1)
    assert.ok(await take(other))
  })

  check('images that another analyser scanned are due when nothing waits', async (under) => {
    const { meta, other } = under
    await pushImages(under, ['one', 'two'])
    await scanAll(meta, { analyser: '9' })
    await matchAll(meta, 'v1')
    await meta.putManifest('a/b', image('new'))
    const order = []
    for (let taken = await take(other, '10'); taken; taken = await take(other, '10')) {
      order.push([taken.digest, taken.tries])
      await other.endScan(taken, scanned('again', '10'))
    }
    assert.deepEqual(order[0], [digestOf('new'), 1])
    assert.deepEqual(
      order.slice(1).toSorted(),
      [
        [digestOf('one'), 1],
        [digestOf('two'), 1],
      ].toSorted(),
    )
    assert.equal(await resultOf(meta, 'one'), 'one v1', 'it counts until there is another')
    assert.equal(await inventoryOf(meta, 'one'), 'again')
    assert.equal(await take(meta, '9'), undefined, 'an older one does not scan again')
  })
}

export function scanContract(check: Check): void {
  check('a scan is wanted by hand of an image, or of all in an index, and is on record', async (under) => {
    const { meta, other } = under
    const [one, two] = await pushImages(under, ['one', 'two', 'apart'])
    const whole = index('whole', [index('inner', [one!.digest]).digest, two!.digest, digestOf('attached')])
    await meta.putManifest('a/b', index('inner', [one!.digest]))
    await meta.putManifest('a/b', manifest({ content: 'attached' }))
    await meta.putManifest('a/b', whole)
    await scanAll(meta)
    await matchAll(meta, 'v1')
    const before = await meta.gateGeneration()
    assert.equal(await other.as({ actor: 'user:ann' }).queueScan('a/b', whole.digest), 2)
    assert.equal(await meta.gateGeneration(), before + 1)
    assert.equal(await other.queueScan('c/d', whole.digest), 0)
    assert.equal(await other.queueScan('a/b', digestOf('none')), 0)
    assert.equal(await other.queueScan('a/b', digestOf('attached')), 0)
    const [line, ...more] = await meta.listAudit({ action: 'image.scan', limit: 9 })
    assert.deepEqual([line!.actor, line!.target, line!.outcome, more], ['user:ann', `a/b@${whole.digest}`, 'done', []])
    const running = (await take(meta))!
    assert.equal(await other.queueScan('a/b', running.digest), 1)
    const second = (await take(other))!
    assert.deepEqual([running.digest, second.digest].toSorted(), [one!.digest, two!.digest].toSorted())
    assert.equal(await take(other), undefined, 'nobody takes what is being scanned')
    const status = (await scanOf(meta, 'a/b', one!.digest))!
    assert.deepEqual([status.state, await resultOf(meta, 'one')], ['waiting', 'one v1'])
    assert.equal(await meta.endScan(running, { outcome: 'failed', failure: 'gone' }), true)
    const failed = (await scanOf(meta, 'a/b', running.digest))!
    assert.deepEqual([failed.state, failed.result !== undefined], ['failed', true])
  })

  check('what is known of an image goes with the last manifest of it, and comes anew', async (under) => {
    const { meta, other, setTime } = under
    const [one] = await pushImages(under, ['one'])
    await meta.putManifest('c/d', one!)
    await scanAll(meta)
    await matchAll(meta, 'v1')
    await meta.deleteManifest('a/b', one!.digest, 'ann')
    assert.equal(await scanOf(other, 'a/b', one!.digest), undefined)
    assert.equal(Buffer.from((await scanOf(other, 'c/d', one!.digest))!.result!.bytes).toString(), 'one v1')
    await setTime(NOW + 1)
    await other.removeUntagged(0)
    assert.equal(await other.findManifest('c/d', { digest: one!.digest }), undefined)
    assert.equal(await meta.findInventory(one!.digest), undefined)
    await meta.putManifest('e/f', one!)
    const status = (await scanOf(other, 'e/f', one!.digest))!
    assert.deepEqual([status.state, status.result, status.queuedAt], ['waiting', undefined, NOW + 1])
    const taken = (await take(meta))!
    await other.deleteManifest('e/f', one!.digest, 'ann')
    assert.equal(await meta.endScan(taken, scanned('late')), false)
    assert.equal(await meta.findInventory(one!.digest), undefined)
    assert.equal(await take(meta), undefined)
  })

  check('a queued scan whose manifest no repository has goes, and the next one is taken', async (under) => {
    const { meta, other, setTime } = under
    const waiting = { state: 'waiting', due_at: '0', queued_at: '0', tries: '0', scanned_by: '' }
    const orphans = ['gone', 'lost'].map((content) => ({ ...waiting, digest: digestOf(content) }))
    await meta.putRows(MOVED.find(({ name }) => name === 'scans')!, orphans)
    await pushImages(under, ['one'])
    await setTime(NOW + 1)
    assert.equal((await take(other))?.digest, digestOf('one'))
    assert.equal(await take(meta), undefined)
    assert.deepEqual(await meta.countScans(9), { waiting: 1, failed: 0 }, 'of the one that is being scanned')
  })

  check('a scan that is wanted of a manifest that goes meanwhile leaves nothing to scan', async ({ meta, other }) => {
    for (let round = 0; round < 20; round++) {
      const one = image(`image ${round}`)
      await meta.putManifest('a/b', one)
      await Promise.all([meta.deleteManifest('a/b', one.digest, 'ann'), other.queueScan('a/b', one.digest)])
    }
    assert.deepEqual(await meta.countScans(100), { waiting: 0, failed: 0 })
  })

  check('an image that comes to one repository while it goes from another stays queued', async ({ meta, other }) => {
    for (let round = 0; round < 20; round++) {
      const one = image(`image ${round}`)
      await meta.putManifest('a/b', one)
      await Promise.all([meta.deleteManifest('a/b', one.digest, 'ann'), other.putManifest('c/d', one)])
      assert.equal((await scanOf(meta, 'c/d', one.digest))?.state, 'waiting', `round ${round}`)
    }
    assert.equal((await meta.countScans(100)).waiting, 20)
  })

  check('when a vulnerability was first known of stays, whoever finds it again', async ({ meta, other, setTime }) => {
    const many = Array.from({ length: 150 }, (_, number) => `CVE-2024-${number} deb/openssl`)
    await Promise.all([meta.noteFindings(many), other.noteFindings(many.toReversed())])
    await setTime(NOW + 1000)
    await other.noteFindings([...many, 'new', 'new'])
    await setTime(NOW + 1500)
    const known = await meta.knownFor([...many, 'new', 'never'])
    assert.equal(known.size, 151)
    assert.deepEqual([known.get(many[0]!), known.get(many[149]!), known.get('new')], [1500, 1500, 500])
    assert.equal((await meta.knownFor([])).size, 0)
  })
}

export function resultContract(check: Check): void {
  check('inventories are matched once with each version of the advisories; the last result counts', async (under) => {
    const { meta, other, setTime } = under
    await pushImages(under, ['one', 'two'])
    await scanAll(meta)
    assert.equal((await other.listUnmatched('v1', { limit: 9 })).length, 2)
    const [alone, ...more] = await other.listUnmatched('v1', { digest: digestOf('two') })
    assert.deepEqual([alone!.digest, Buffer.from(alone!.inventory).toString(), more], [digestOf('two'), 'two', []])
    assert.deepEqual(await other.listUnmatched('v1', { digest: digestOf('three') }), [])
    assert.equal(await resultOf(other, 'one'), undefined)
    const before = await meta.gateGeneration()
    await setTime(NOW + 5)
    await matchAll(meta, 'v1')
    assert.equal(await meta.gateGeneration(), before + 1)
    assert.deepEqual(await other.listUnmatched('v1', { limit: 9 }), [])
    assert.deepEqual(await other.listUnmatched('v1', { digest: digestOf('two') }), [])
    const { result } = (await scanOf(other, 'a/b', digestOf('one')))!
    assert.deepEqual([await resultOf(other, 'one'), result!.at], ['one v1', NOW + 5])
    const same = { digest: digestOf('one'), inventoryId: result!.inventoryId, advisories: 'v1' }
    await other.putResults([{ ...same, bytes: bytes('forged') }])
    assert.equal(await resultOf(meta, 'one'), 'one v1', 'a result never changes')
    assert.equal(await meta.gateGeneration(), before + 1)
    await matchAll(other, 'v2')
    assert.deepEqual([await resultOf(meta, 'one'), await resultOf(meta, 'two')], ['one v2', 'two v2'])
    assert.deepEqual(await other.listUnmatched('v1', { limit: 9 }), [], 'later advisories say more')
    await other.putResults([{ ...same, bytes: bytes('of a process with old advisories') }])
    assert.equal(await resultOf(meta, 'one'), 'one v2')
    await other.putResults([{ ...same, bytes: bytes('older') }])
    assert.equal(await resultOf(meta, 'one'), 'one v2')
    assert.deepEqual(await other.listUnmatched('v1', { limit: 9 }), [], 'whoever has older advisories leaves it')
    await other.putResults([{ ...same, digest: digestOf('none'), advisories: 'v2', bytes: bytes('of nothing') }])
    assert.equal(await scanOf(meta, 'a/b', digestOf('none')), undefined)
  })

  check('a result is of the inventory that it was made of, and that stays as long', async (under) => {
    const { meta, other } = under
    await pushImages(under, ['one'])
    await scanAll(meta)
    const [old] = await other.listUnmatched('v1', { limit: 1 })
    await matchAll(meta, 'v1')
    await scanAll(meta, { analyser: '2', suffix: ' deeper' })
    const { result } = (await scanOf(other, 'a/b', digestOf('one')))!
    assert.equal(await inventoryOf(other, 'one', result!.inventoryId), 'one')
    assert.equal(await inventoryOf(other, 'one'), 'one deeper')
    const [due] = await other.listUnmatched('v1', { limit: 1 })
    assert.equal(Buffer.from(due!.inventory).toString(), 'one deeper')
    const { inventory: _, ...late } = old!
    await other.putResults([{ ...late, advisories: 'v2', bytes: bytes('late') }])
    assert.equal(await resultOf(meta, 'one'), 'one v1', 'what was matched before it was scanned again')
    await matchAll(meta, 'v1')
    assert.equal(await resultOf(meta, 'one'), 'one deeper v1')
    assert.equal(await inventoryOf(other, 'one', result!.inventoryId), undefined)
    for (const suffix of [' a', ' b']) {
      await meta.queueScan('a/b', digestOf('one'))
      await scanAll(meta, { analyser: '2', suffix })
    }
    assert.equal(await inventoryOf(other, 'one'), 'one b')
    assert.equal(await inventoryOf(other, 'one', due!.inventoryId + 1), undefined, 'no result is of it')
    assert.equal(await inventoryOf(other, 'one', due!.inventoryId), 'one deeper')
  })

  check('the same inventory again needs no new result', async (under) => {
    const { meta, other } = under
    await pushImages(under, ['one'])
    await scanAll(meta)
    await matchAll(meta, 'v1')
    assert.equal(await meta.queueScan('a/b', digestOf('one')), 1)
    await scanAll(meta)
    assert.deepEqual(await other.listUnmatched('v1', { limit: 9 }), [])
    assert.equal((await scanOf(other, 'a/b', digestOf('one')))?.state, 'scanned')
  })

  check('what is unmatched is listed in pages in the order of digests, whatever it was matched with', async (under) => {
    const { meta, other } = under
    const contents = Array.from({ length: 9 }, (_, number) => `image ${number}`)
    const sorted = contents.map((content) => digestOf(content)).toSorted()
    for (const [at, version] of ['v0', 'v2', 'v1'].entries()) {
      await pushImages(under, contents.slice(at * 3, at * 3 + 3))
      await scanAll(meta)
      const fresh = (await meta.listUnmatched(version, { limit: 99 })).filter(({ digest }) =>
        contents.slice(at * 3, at * 3 + 3).some((content) => digestOf(content) === digest),
      )
      await meta.putResults(
        fresh.map(({ inventory: _, ...one }) => ({ ...one, advisories: version, bytes: bytes(version) })),
      )
    }
    await meta.putManifest('a/b', image('unmatched'))
    await scanAll(meta)
    const listed: string[] = []
    for (let last: string | undefined; ; last = listed.at(-1)) {
      const page = await other.listUnmatched('v3', { ...(last !== undefined && { last }), limit: 2 })
      listed.push(...page.map(({ digest }) => digest))
      if (page.length < 2) break
    }
    assert.deepEqual(listed, [...sorted, digestOf('unmatched')].toSorted())
    const others = (await other.listUnmatched('v2', { limit: 99 })).map(({ digest }) => digest)
    const matched = contents.slice(3, 6).map((content) => digestOf(content))
    assert.deepEqual(
      others,
      listed.filter((digest) => !matched.some((one) => one === digest)),
    )
  })
}
