import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import type { Digest } from '#spec'
import { debianAdvisory, debianLayer, type ScanPlace, scanPlace } from '../../../test/kit/scan-place.ts'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'
import { until } from '../../../test/kit/until.ts'
import type { MetaStore } from '../meta/index.ts'
import type { RegistryEvent } from '../operation/index.ts'
import { decodeInventory, scanFactsOf } from './scan-record.ts'
import { createScanner, type ScannerParts } from './scanner.ts'

/** A scanner over a place, and what it tells. */
function scannerOf(place: ScanPlace, more: Partial<ScannerParts> = {}) {
  const [reports, events]: [string[], RegistryEvent[]] = [[], []]
  const scanner = createScanner({
    ...{ meta: place.meta, objects: place.objects, upstreams: undefined, clock: place.clock },
    report: (failure, what) => void reports.push(`${what}: ${(failure as Error).message}`),
    observe: (event) => void events.push(event),
    ...more,
    settings: { memory: 256 * 1024 * 1024, advisories: place.advisories, ...more.settings },
  })
  const ended = () => events.flatMap((event) => (event.kind === 'scan-ended' ? [event.outcome] : []))
  return { scanner, reports, events, ended, [Symbol.asyncDispose]: () => scanner[Symbol.asyncDispose]() }
}

const statusOf = async (meta: MetaStore, digest: Digest) => (await meta.releaseFacts('acme/web', digest))?.scan

async function findingsOf({ meta }: ScanPlace, digest: Digest): Promise<string[] | undefined> {
  const status = await statusOf(meta, digest)
  const bytes = status?.result?.bytes
  return bytes && scanFactsOf(bytes, { knownFor: new Map(), now: 0 }).findings.map((one) => `${one.id} ${one.package}`)
}

test('an image that came is scanned, and held against the advisories at once', async () => {
  await using place = await scanPlace()
  await place.putAdvisories([debianAdvisory('CVE-2024-1', 'openssl')])
  const { digest } = await place.push([debianLayer({ openssl: '3.0', bash: '5.2' })])
  await using under = scannerOf(place)
  await under.scanner.round()
  assert.deepEqual(await until('it has a result', () => findingsOf(place, digest)), ['CVE-2024-1 deb/openssl'])
  const status = (await statusOf(place.meta, digest))!
  assert.deepEqual([status.state, status.running], ['scanned', false])
  const inventory = decodeInventory((await place.meta.findInventory(digest))!)
  assert.deepEqual(
    inventory.packages.map(({ name }) => name),
    ['bash', 'openssl'],
  )
  assert.deepEqual([...(await place.meta.knownFor(['CVE-2024-1 deb/openssl'])).values()], [0])
  assert.deepEqual(under.ended(), ['scanned'])
  assert.deepEqual(under.reports, [])
})

test('an artifact is no image: it is not looked at again', async () => {
  await using place = await scanPlace()
  const digest = await place.pushArtifact()
  await using under = scannerOf(place)
  await under.scanner.round()
  await until('that is known', () => under.ended().length === 1)
  assert.deepEqual(under.ended(), ['no-image'])
  assert.equal((await statusOf(place.meta, digest))?.state, 'none')
  assert.deepEqual(await place.meta.countScans(10), { waiting: 0, failed: 0 })
  assert.deepEqual(under.reports.slice(1), [])
})

test('an image of which a layer is missing is not held for scanned', async () => {
  await using place = await scanPlace()
  const upper = debianLayer({ openssl: '9.9' })
  const { digest, layers } = await place.push([debianLayer({ openssl: '3.0' }), upper])
  await place.objects.delete((await place.meta.findBlob('acme/web', layers[1]!))!.key)
  await using under = scannerOf(place)
  await under.scanner.round()
  await until('that is known', () => under.ended().length === 1)
  const { state, failure, result } = (await statusOf(place.meta, digest))!
  assert.deepEqual([under.ended(), state, result], [['again'], 'waiting', undefined])
  assert.equal(failure, `the object of ${layers[1]} is missing`)
})

test('a scan that fails is tried again after longer and longer pauses, and given up at the fourth time', async () => {
  await using place = await scanPlace()
  await using program = await programOf('process.exit(3)')
  const { digest } = await place.push([debianLayer({ bash: '5' })])
  await using under = scannerOf(place, { programs: { scan: program.url } })
  for (const [tries, pause] of [30_000, 120_000, 480_000].entries()) {
    await under.scanner.round()
    await until('a try has ended', () => under.ended().length === tries + 1)
    await place.pass(pause - 1)
    await under.scanner.round()
    assert.equal(under.ended().length, tries + 1)
    await place.pass(1)
  }
  await under.scanner.round()
  await until('it is given up', () => under.ended().length === 4)
  assert.deepEqual(under.ended(), ['again', 'again', 'again', 'failed'])
  const status = (await statusOf(place.meta, digest))!
  assert.deepEqual([status.state, status.failure], ['failed', 'the scan process ended (code 3)'])
  assert.equal(await place.meta.queueScan('acme/web', digest), 1)
  await using mended = scannerOf(place)
  await mended.scanner.round()
  await until('it is scanned', async () => (await statusOf(place.meta, digest))?.state === 'scanned')
})

test('two scanners over one database do each scan once', async () => {
  await using place = await scanPlace()
  const images = await Promise.all([1, 2, 3, 4].map((number) => place.push([debianLayer({ bash: `5.${number}` })])))
  const meta = await place.open()
  {
    await using first = scannerOf(place)
    await using second = scannerOf(place, { meta, settings: { workers: 2 } })
    await Promise.all([first.scanner.round(), second.scanner.round()])
    const all = () => [...first.ended(), ...second.ended()]
    await until('all are scanned', async () => (await place.meta.countScans(10)).waiting === 0)
    await until('all have ended', () => all().length >= images.length)
    assert.deepEqual(
      all(),
      images.map(() => 'scanned'),
    )
  }
  await meta.close()
})

test('a scanner that ends gives back what it is at, untried', async () => {
  await using place = await scanPlace()
  await using program = await programOf('setTimeout(() => {}, 100_000)')
  const { digest } = await place.push([debianLayer({ bash: '5' })])
  {
    await using under = scannerOf(place, { programs: { scan: program.url } })
    await under.scanner.round()
    await until('it runs', async () => (await statusOf(place.meta, digest))?.running)
  }
  const { state, running } = (await statusOf(place.meta, digest))!
  assert.deepEqual({ state, running }, { state: 'waiting', running: false })
  assert.equal((await place.meta.takeScan({ lease: 1000, analyser: '1' }))?.tries, 1)
})

test('without a bundle packages are listed; one that is put there is used, and so is the next one', async () => {
  await using place = await scanPlace()
  const { digest } = await place.push([debianLayer({ openssl: '3.0', bash: '5' })])
  await using under = scannerOf(place)
  const { round } = under.scanner
  await round()
  await round()
  await until('it is scanned', async () => (await statusOf(place.meta, digest))?.state === 'scanned')
  assert.equal(await findingsOf(place, digest), undefined)
  assert.deepEqual(under.reports, [
    `matching packages with advisories: there is no bundle of advisories at ${place.advisories}: packages are listed but not checked for vulnerabilities`,
  ])
  // A pass of before may still be at its end.
  const found = async () => {
    await round()
    return await findingsOf(place, digest)
  }
  await place.putAdvisories([debianAdvisory('CVE-2024-1', 'openssl')])
  assert.deepEqual(await until('it has a result', found), ['CVE-2024-1 deb/openssl'])
  await place.pass(1000)
  await place.putAdvisories([debianAdvisory('CVE-2024-2', 'bash')], '2026-11-30T11:00:00.000Z')
  await until('it has another one', async () => (await found())?.[0] === 'CVE-2024-2 deb/bash')
  const created = under.events.flatMap((event) => (event.kind === 'advisories-opened' ? [event.created] : []))
  assert.deepEqual(created, [Date.parse('2026-11-30T00:00:00Z'), Date.parse('2026-11-30T11:00:00Z')])
  const known = await place.meta.knownFor(['CVE-2024-1 deb/openssl', 'CVE-2024-2 deb/bash'])
  assert.deepEqual([...known.values()], [1000, 0])
})

test('a bundle that is replaced while images are matched is used for all of them', async () => {
  await using place = await scanPlace()
  const images = await Promise.all([1, 2, 3].map((number) => place.push([debianLayer({ openssl: `3.${number}` })])))
  {
    await using scanning = scannerOf(place, { settings: { advisories: undefined } })
    await scanning.scanner.round()
    await until('all are scanned', async () => (await place.meta.countScans(10)).waiting === 0)
  }
  await place.putAdvisories([debianAdvisory('CVE-2024-1', 'openssl')])
  let stored = 0
  const meta: MetaStore = {
    ...place.meta,
    async putResults(results) {
      await place.meta.putResults(results)
      if (stored++ === 0)
        await place.putAdvisories([debianAdvisory('CVE-2024-2', 'openssl')], '2026-11-30T11:00:00.000Z')
    },
    listUnmatched: async (version, page) => await place.meta.listUnmatched(version, { ...page, limit: 1 }),
  }
  await using under = scannerOf(place, { meta })
  await under.scanner.round()
  await until('all have the second', async () => {
    const found = await Promise.all(images.map(({ digest }) => findingsOf(place, digest)))
    return found.every((one) => one?.[0] === 'CVE-2024-2 deb/openssl')
  })
  assert.deepEqual(under.reports, [])
})

test('a replica with older advisories leaves what another one found with newer ones', async () => {
  await using place = await scanPlace()
  await using elsewhere = await scanPlace()
  const { digest } = await place.push([debianLayer({ openssl: '3.0' })])
  await place.putAdvisories([debianAdvisory('CVE-2024-2', 'openssl')], '2026-11-30T11:00:00.000Z')
  await elsewhere.putAdvisories([debianAdvisory('CVE-2024-1', 'openssl')], '2026-11-30T10:00:00.000Z')
  {
    await using under = scannerOf(place)
    await under.scanner.round()
    await until('it has a result', () => findingsOf(place, digest))
  }
  await using behind = scannerOf(place, { settings: { advisories: elsewhere.advisories } })
  await behind.scanner.round()
  await until('it has looked', () => behind.events.some((event) => event.kind === 'advisories-opened'))
  await place.meta.queueScan('acme/web', digest)
  await behind.scanner.round()
  await until('it is scanned again', () => behind.ended().length === 1)
  await behind[Symbol.asyncDispose]()
  assert.deepEqual(await findingsOf(place, digest), ['CVE-2024-2 deb/openssl'])
})

test('an inventory that cannot be matched does not keep others from it', async () => {
  await using place = await scanPlace()
  const images = await Promise.all([1, 2, 3].map((number) => place.push([debianLayer({ openssl: `3.${number}` })])))
  const [broken] = images.map(({ digest }) => digest).sort()
  for (let taken = true; taken; ) {
    const one = await place.meta.takeScan({ lease: 1000, analyser: '1' })
    taken = one !== undefined && one.digest !== broken
    if (one?.digest === broken) {
      await place.meta.endScan(one!, { outcome: 'scanned', analyser: '1', inventory: Buffer.from('no inventory') })
    } else if (one) await place.meta.releaseScan(one)
  }
  await place.putAdvisories([debianAdvisory('CVE-2024-1', 'openssl')])
  await using under = scannerOf(place)
  await under.scanner.round()
  await until('the others have results', async () => {
    const found = await Promise.all(images.map(({ digest }) => findingsOf(place, digest)))
    return found.filter((one) => one?.[0] === 'CVE-2024-1 deb/openssl').length === 2
  })
  await until('that is told', () => under.reports.length > 0)
  assert.match(under.reports[0]!, new RegExp(`^matching ${broken}: an inventory cannot be read`))
})

test('a damaged bundle is told, and the results of the one before stay', async () => {
  await using place = await scanPlace()
  await place.putAdvisories([debianAdvisory('CVE-2024-1', 'openssl')])
  const { digest } = await place.push([debianLayer({ openssl: '3.0' })])
  await using under = scannerOf(place)
  await under.scanner.round()
  await until('it has a result', () => findingsOf(place, digest))
  rmSync(place.advisories)
  writeFileSync(place.advisories, 'no bundle')
  // The pass of before may still be at its end.
  await until('that is told', async () => {
    await under.scanner.round()
    return under.reports.length > 0
  })
  assert.match(under.reports[0]!, /^matching: .* is no bundle of advisories/)
  assert.deepEqual(await findingsOf(place, digest), ['CVE-2024-1 deb/openssl'])
})

async function programOf(code: string) {
  const directory = await temporaryDirectory()
  const path = join(directory.path, 'program.mjs')
  writeFileSync(path, code)
  return { url: pathToFileURL(path).href, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() }
}
