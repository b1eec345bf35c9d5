import assert from 'node:assert/strict'
import { existsSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import type { Clock, ProgressEvent } from '#base'
import { acquireLock } from '#host/file'
import { createFetcher, type Fetcher } from '#transport'
import { type PlannedServer, planServer } from '../../../../../test/kit/planned-server.ts'
import { temporaryDirectory } from '../../../../../test/kit/temporary.ts'
import { until } from '../../../../../test/kit/until.ts'
import { zipOf } from '../../../../../test/kit/zip.ts'
import { openBundle } from '../file/open-bundle.ts'
import type { AdvisoryPlace } from './advisory-place.ts'
import { buildAdvisories } from './build-advisories.ts'
import { defaultPlaces } from './default-places.ts'

const osvRecord = (id: string, packages: readonly (readonly [string, string])[]) =>
  JSON.stringify({
    id,
    modified: '2024-01-01T00:00:00Z',
    aliases: ['CVE-2024-1000'],
    affected: packages.map(([ecosystem, name]) => ({
      package: { ecosystem, name },
      ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }] }],
    })),
  })

const npmZip = (id = 'GHSA-1') =>
  zipOf([
    {
      name: 'a.json',
      data: osvRecord(id, [
        ['npm', 'left'],
        ['PyPI', 'right'],
      ]),
    },
    { name: 'bad.json', data: '{' },
  ])
const tracker = JSON.stringify({
  curl: { 'CVE-2024-1000': { releases: { bookworm: { status: 'open', urgency: 'low' } } } },
})
const secdb = JSON.stringify({
  distroversion: 'v3.19',
  packages: [{ pkg: { name: 'curl', secfixes: { '8-r0': ['CVE-2024-1000'] } } }],
})
const kev = JSON.stringify({ vulnerabilities: [{ cveID: 'CVE-2024-1000', dateAdded: '2024-01-01' }] })
const epss = gzipSync('#v\ncve,epss,percentile\nCVE-2024-1000,0.5,0.9\n')

/** Days pass at once, and pauses of downloads take no time. */
function testClock(): Clock & { day: number } {
  return {
    day: 1,
    now() {
      return Date.UTC(2026, 0, this.day)
    },
    sleep: async () => undefined,
  }
}

interface ServedFile {
  bytes: Uint8Array | string
  etag?: string
  /** Parts come without it. */
  isBare?: boolean
  /** For its next requests. `break`: the connection ends once some of the bytes have arrived. `refuse`: before any. */
  plan?: ('break' | 'refuse')[]
}

interface Work extends AsyncDisposable {
  readonly files: Map<string, ServedFile>
  readonly server: PlannedServer
  readonly clock: ReturnType<typeof testClock>
  readonly path: string
  readonly directory: string
  readonly cache: string
  readonly events: ProgressEvent[]
  place(kind: AdvisoryPlace['kind'], path: string, more?: Partial<AdvisoryPlace>): AdvisoryPlace
  build(from: readonly AdvisoryPlace[], fetcher?: Fetcher): ReturnType<typeof buildAdvisories>
}

const PART = 100_000

/** Bytes of the download that is under way. */
function arrived(cache: string): number {
  return Math.max(
    0,
    ...readdirSync(cache).map((name) => (name.endsWith('.part') ? statSync(join(cache, name)).size : 0)),
  )
}

/** A server with files, which fails as planned, and a place to build in. */
async function workplace(): Promise<Work> {
  await using stack = new AsyncDisposableStack()
  const { path: directory } = stack.use(await temporaryDirectory('bale-build'))
  const cache = join(directory, 'cache')
  const files: Work['files'] = new Map()
  const server = stack.use(
    await planServer(async ({ path, headers }, response) => {
      const file = files.get(path)
      if (!file) return response.writeHead(404).end()
      const bytes = Buffer.from(file.bytes as string)
      const { etag } = file
      if (etag && headers['if-none-match'] === etag)
        return response.writeHead(304, { etag, 'content-length': bytes.length }).end()
      const start =
        etag && headers['if-range'] === etag ? Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0) : 0
      const range = start > 0 ? { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` } : {}
      const step = file.plan?.shift()
      if (step === 'refuse') return response.destroy()
      response.writeHead(start > 0 ? 206 : 200, {
        ...(etag && !(start > 0 && file.isBare) && { etag }),
        ...range,
        'content-length': bytes.length - start,
      })
      if (step !== 'break') return response.end(bytes.subarray(start))
      response.write(bytes.subarray(start, start + PART))
      await until('the bytes have arrived', () => arrived(cache) >= start + PART)
      return response.destroy()
    }),
  )
  const fetcher: Fetcher = stack.use(createFetcher({}))
  const clock = testClock()
  const events: ProgressEvent[] = []
  const path = join(directory, 'advisories.sqlite')
  const held = stack.move()
  return {
    ...{ files, server, clock, path, directory, cache, events },
    place: (kind, path, more) => ({ kind, address: `${server.url}${path}`, ...more }),
    build: (from, other = fetcher) =>
      buildAdvisories({
        from,
        path,
        cache,
        fetcher: other,
        clock,
        progress: (event) => events.push(event),
      }),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}

const asked = ({ server }: Work) =>
  server.seen.map(({ path, headers }) => `${path} ${headers['if-none-match'] ?? headers.range ?? ''}`.trim())

test('a bundle is built of all kinds of places, each said with its date, counts and licence', async () => {
  await using work = await workplace()
  for (const [path, bytes] of Object.entries({
    '/npm.zip': npmZip(),
    '/debian': tracker,
    '/alpine': secdb,
    '/kev': kev,
    '/epss': epss,
  }))
    work.files.set(path, { bytes })
  const { info, places } = await work.build([
    work.place('kev', '/kev', { licence: 'CC0-1.0' }),
    work.place('osv', '/npm.zip', { ecosystem: 'npm', licence: 'CC-BY-4.0' }),
    work.place('debian-tracker', '/debian'),
    work.place('alpine-secdb', '/alpine'),
    work.place('epss', '/epss'),
  ])
  assert.deepEqual(
    places.map(({ state, records, skipped, reason }) => [state, records, skipped, reason]),
    [
      ['new', 1, 0, undefined],
      ['new', 1, 1, undefined],
      ['new', 2, 0, undefined],
      ['new', 1, 0, undefined],
      ['new', 1, 0, undefined],
    ],
  )
  assert.match(places[1]!.examples[0]!, /^bad.json: /)
  assert.equal(info.created, '2026-01-01T00:00:00.000Z')
  assert.deepEqual(
    info.coverage.map(({ ecosystem, source, knows, advisories, asOf }) => [ecosystem, source, knows, advisories, asOf]),
    [
      ['Alpine:v3.19', 'alpine-secdb', 'fixed', 1, info.created],
      ['Debian:12', 'debian-tracker', 'all', 1, info.created],
      // PyPI is not covered by npm's export, although a record is about one of its packages.
      ['npm', 'osv', 'all', 1, info.created],
    ],
  )
  assert.deepEqual(
    info.sources.map(({ kind, licence }) => [kind, licence]),
    [
      ['alpine-secdb', undefined],
      ['debian-tracker', undefined],
      ['epss', undefined],
      ['kev', 'CC0-1.0'],
      ['osv', 'CC-BY-4.0'],
    ],
  )
  using bundle = openBundle(work.path)
  const [found] = bundle.find('npm', 'left')
  assert.deepEqual([found?.id, found?.exploited, found?.exploitProbability], ['GHSA-1', true, 0.5])
})

test('an unchanged source is not downloaded again and is dated by the time of asking; a changed one is downloaded', async () => {
  await using work = await workplace()
  const from = [work.place('debian-tracker', '/debian'), work.place('osv', '/npm.zip')]
  work.files.set('/debian', { bytes: tracker, etag: '"1"' })
  work.files.set('/npm.zip', { bytes: npmZip('GHSA-1'), etag: '"1"' })
  await work.build(from)
  work.files.set('/npm.zip', { bytes: npmZip('GHSA-2'), etag: '"2"' })
  work.clock.day = 5
  const { places, info } = await work.build(from)
  assert.deepEqual(
    places.map(({ state }) => state),
    ['unchanged', 'new'],
  )
  assert.deepEqual(asked(work).sort(), ['/debian', '/debian "1"', '/npm.zip', '/npm.zip "1"'])
  assert.deepEqual([...new Set(info.coverage.map(({ asOf }) => asOf))], ['2026-01-05T00:00:00.000Z'])
  using bundle = openBundle(work.path)
  assert.deepEqual(
    [bundle.find('Debian:12', 'curl').length, bundle.find('npm', 'left').map(({ id }) => id)],
    [1, ['GHSA-2']],
  )
})

/** Long enough to be cut in several places. */
const longTracker = JSON.stringify(
  Object.fromEntries(Array.from({ length: 3000 }, (_, index) => [`p${index}`, JSON.parse(tracker).curl])),
)

test('a download that breaks goes on where it stopped', async () => {
  await using work = await workplace()
  work.files.set('/debian', { bytes: longTracker, etag: '"1"', plan: ['break', 'refuse', 'break'] })
  const { places } = await work.build([work.place('debian-tracker', '/debian')])
  assert.deepEqual([places[0]!.state, places[0]!.records], ['new', 6000])
  assert.deepEqual(asked(work), ['/debian', '/debian bytes=100000-', '/debian bytes=100000-', '/debian bytes=200000-'])
})

test('a state that was named with the beginning of a file alone is remembered', async () => {
  await using work = await workplace()
  const from = [work.place('debian-tracker', '/debian')]
  work.files.set('/debian', { bytes: longTracker, etag: '"1"', isBare: true, plan: ['break'] })
  await work.build(from)
  assert.equal((await work.build(from)).places[0]!.state, 'unchanged')
  assert.equal(asked(work).at(-1), '/debian "1"')
})

test('a server that breaks each connection after a few bytes is not asked for ever', async () => {
  await using work = await workplace()
  const plan = Array.from({ length: 19 }, () => 'break' as const)
  work.files.set('/debian', { bytes: Buffer.alloc(20 * PART), etag: '"1"', plan })
  await assert.rejects(work.build([work.place('debian-tracker', '/debian')]), { code: 'DOWNLOAD_FAILED' })
  assert.equal(asked(work).length, 5)
})

/** As many tries as a download has. */
const gaveUp = (): ServedFile['plan'] => ['break', ...Array.from({ length: 4 }, () => 'refuse' as const)]

test('a download that broke for good is continued by the next build', async () => {
  await using work = await workplace()
  work.files.set('/debian', { bytes: longTracker, etag: '"1"', plan: gaveUp() })
  work.files.set('/alpine', { bytes: secdb })
  const first = await work.build([work.place('debian-tracker', '/debian'), work.place('alpine-secdb', '/alpine')])
  assert.deepEqual(
    first.places.map(({ state }) => state),
    ['failed', 'new'],
  )
  const { places } = await work.build([work.place('debian-tracker', '/debian')])
  assert.deepEqual([places[0]!.state, places[0]!.records, asked(work).at(-1)], ['new', 6000, '/debian bytes=100000-'])
})

test('a broken download of another state is begun again', async () => {
  await using work = await workplace()
  const from = [work.place('debian-tracker', '/debian')]
  work.files.set('/debian', { bytes: longTracker, etag: '"1"', plan: gaveUp() })
  await assert.rejects(work.build(from), { code: 'DOWNLOAD_FAILED' })
  work.files.set('/debian', { bytes: tracker, etag: '"2"' })
  const { places } = await work.build(from)
  assert.deepEqual([places[0]!.state, places[0]!.records], ['new', 2])
})

test('a place that fails is named and leaves the rest; its earlier copy is used, and said to be old', async () => {
  await using work = await workplace()
  const from = [
    work.place('debian-tracker', '/debian'),
    work.place('osv', '/npm.zip', { ecosystem: 'npm' }),
    work.place('kev', '/kev'),
  ]
  work.files.set('/debian', { bytes: tracker })
  work.files.set('/kev', { bytes: kev })
  const first = await work.build(from)
  assert.deepEqual(
    first.places.map(({ state }) => state),
    ['new', 'failed', 'new'],
  )
  assert.match(first.places[1]!.reason!, /404/)
  assert.deepEqual(
    first.info.coverage.map(({ ecosystem }) => ecosystem),
    ['Debian:12'],
  )

  work.files.clear()
  work.files.set('/npm.zip', { bytes: npmZip() })
  work.clock.day = 9
  const second = await work.build(from)
  assert.deepEqual(
    second.places.map(({ state }) => state),
    ['old', 'new', 'old'],
  )
  const [debian, npm] = second.info.coverage
  assert.deepEqual([debian?.asOf, npm?.asOf], ['2026-01-01T00:00:00.000Z', '2026-01-09T00:00:00.000Z'])
  assert.match(debian!.remark!, /^an old copy, since the source could not be read: .*404/)
  assert.match(second.info.sources.find(({ kind }) => kind === 'kev')!.remark!, /^an old copy/)
  const warnings = work.events.filter((event) => event.kind === 'warning').map(({ text }) => text)
  assert.deepEqual(
    warnings.map((text) => text.replace(/^http:\/\/[^/]+/, '').replace(/: .*/, '')),
    [
      '/npm.zip could not be read, so the bundle is without it',
      '/debian could not be read, so an earlier copy is used',
      '/kev could not be read, so an earlier copy is used',
    ],
  )
  using bundle = openBundle(work.path)
  assert.deepEqual([bundle.find('Debian:12', 'curl').length, bundle.find('npm', 'left')[0]?.exploited], [1, true])
})

for (const [title, bytes] of [
  ['an error page', '<html>busy</html>'],
  ['an archive that is cut', npmZip().subarray(0, 300)],
  ['an archive of other things', zipOf([{ name: 'x.json', data: '{}' }])],
  ['nothing', ''],
] as const) {
  test(`an earlier copy outlives ${title} in its place, and the next build asks again`, async () => {
    await using work = await workplace()
    const from = [work.place('osv', '/npm.zip')]
    work.files.set('/npm.zip', { bytes: npmZip(), etag: '"1"' })
    await work.build(from)
    work.files.set('/npm.zip', { bytes, etag: '"2"' })
    const second = await work.build(from)
    assert.deepEqual(
      second.places.map(({ state }) => state),
      ['old'],
    )
    work.files.set('/npm.zip', { bytes: npmZip('GHSA-3'), etag: '"3"' })
    await work.build(from)
    assert.deepEqual(asked(work), ['/npm.zip', '/npm.zip "1"', '/npm.zip "1"'])
    using bundle = openBundle(work.path)
    assert.deepEqual(
      bundle.find('npm', 'left').map(({ id }) => id),
      ['GHSA-3'],
    )
  })
}

test('a message in JSON does not pass for the data of Debian', async () => {
  await using work = await workplace()
  const from = [work.place('debian-tracker', '/debian')]
  work.files.set('/debian', { bytes: tracker })
  await work.build(from)
  work.files.set('/debian', { bytes: '{"error":{"message":"too many requests"}}' })
  const [debian] = (await work.build(from)).places
  assert.equal(debian?.state, 'old')
  assert.match(debian.reason!, /^nothing in .* could be read: /)
})

test('an export of other ecosystems does not pass for that of one', async () => {
  await using work = await workplace()
  work.files.set('/npm.zip', { bytes: npmZip() })
  const from = [work.place('osv', '/npm.zip', { ecosystem: 'Maven' })]
  await assert.rejects(work.build(from), { code: 'DOWNLOAD_FAILED', message: /nothing in/ })
})

/** A fetcher that goes wrong. */
const failing = (error: Error): Fetcher => ({
  get: () => Promise.reject(error),
  [Symbol.asyncDispose]: async () => undefined,
})

test('a full disk, and a mistake in the program, end the build and are not told as a source that fails', async () => {
  await using work = await workplace()
  const from = [work.place('debian-tracker', '/debian')]
  work.files.set('/debian', { bytes: tracker, etag: '"1"' })
  await work.build(from)
  const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
  await assert.rejects(work.build(from, failing(full)), { code: 'NO_SPACE' })
  await assert.rejects(work.build(from, failing(new TypeError('a mistake'))), TypeError)
  const mistaken = Object.defineProperty({ ...from[0]! }, 'licence', {
    get() {
      throw new TypeError('a mistake')
    },
  })
  await assert.rejects(work.build([mistaken]), TypeError)
  // The copy has nothing to do with it.
  assert.equal((await work.build(from)).places[0]!.state, 'unchanged')
})

test('a source whose copy cannot be written on the disk is named, and what was there stays', async () => {
  await using work = await workplace()
  const from = [work.place('debian-tracker', '/debian')]
  work.files.set('/debian', { bytes: tracker })
  await work.build(from)
  const denied = Object.assign(new Error('permission denied'), { code: 'EACCES' })
  assert.equal((await work.build(from, failing(denied))).places[0]!.state, 'old')
  assert.equal((await work.build(from, failing(denied))).places[0]!.state, 'old')
})

test('builds that use the same cache take turns', async () => {
  await using work = await workplace()
  work.files.set('/debian', { bytes: tracker })
  const lock = await acquireLock(join(work.cache, 'lock'))
  const building = work.build([work.place('debian-tracker', '/debian')])
  await sleep(200)
  assert.equal(work.server.seen.length, 0)
  await lock[Symbol.asyncDispose]()
  assert.equal((await building).places[0]!.state, 'new')
})

test('when nothing can be read the former bundle stays', async () => {
  await using work = await workplace()
  work.files.set('/debian', { bytes: tracker })
  await work.build([work.place('debian-tracker', '/debian')])
  await assert.rejects(work.build([work.place('osv', '/missing')]), {
    code: 'DOWNLOAD_FAILED',
    message: /no source .* 404/,
  })
  using bundle = openBundle(work.path)
  assert.equal(bundle.find('Debian:12', 'curl').length, 1)
  assert.deepEqual(readdirSync(work.directory).sort(), ['advisories.sqlite', 'cache'])
})

test('files and folders of this machine are places, as old as their files', async () => {
  await using work = await workplace()
  const path = join(work.directory, 'a.json')
  writeFileSync(path, osvRecord('GHSA-1', [['npm', 'left']]))
  utimesSync(path, 1_700_000_000, 1_700_000_000)
  const { info, places } = await work.build([
    { kind: 'osv', address: path },
    { kind: 'osv', address: join(work.directory, 'missing') },
  ])
  assert.deepEqual(
    [places.map(({ state }) => state), info.coverage[0]?.asOf],
    [['unchanged', 'failed'], '2023-11-14T22:13:20.000Z'],
  )
})

for (const [title, text] of [
  ['no JSON', 'damaged'],
  ['nothing', 'null'],
  ['another type', '{"address":1}'],
  ['no time', '{"address":"x","at":"y","size":7}'],
  ['a state that cannot be sent', '{"address":"x","at":"2026-01-01","size":7,"etag":"\\n","lastModified":{}}'],
  ['too much', `{"address":"x","at":"2026-01-01","size":7,"etag":"${'x'.repeat(80_000)}"}`],
] as const) {
  test(`a damaged cache is no reason to fail: ${title}`, async () => {
    await using work = await workplace()
    const from = [work.place('debian-tracker', '/debian')]
    work.files.set('/debian', { bytes: tracker, etag: '"1"' })
    await work.build(from)
    for (const name of readdirSync(work.cache))
      writeFileSync(join(work.cache, name), name.endsWith('.json') ? text : 'damaged')
    assert.deepEqual(
      (await work.build(from)).places.map(({ state }) => state),
      ['new'],
    )
    assert.ok(existsSync(work.path))
  })
}

test('a copy that was damaged on the disk is fetched again, although the server has not changed it', async () => {
  await using work = await workplace()
  const from = [work.place('debian-tracker', '/debian'), work.place('alpine-secdb', '/alpine')]
  work.files.set('/debian', { bytes: tracker, etag: '"1"' })
  work.files.set('/alpine', { bytes: secdb })
  await work.build(from)
  for (const name of readdirSync(work.cache).filter((one) => !one.includes('.')))
    writeFileSync(join(work.cache, name), tracker.replaceAll('{', '['))
  assert.deepEqual(
    (await work.build(from)).places.map(({ state }) => state),
    ['failed', 'new'],
  )
  assert.deepEqual(
    (await work.build(from)).places.map(({ state }) => state),
    ['new', 'new'],
  )
})

test('a source that is named twice is refused', async () => {
  await using work = await workplace()
  const place = work.place('osv', '/a')
  await assert.rejects(work.build([place, place]), { code: 'INVALID_ARGUMENT', message: /named twice/ })
})

test('by default there are public addresses, each once, and none by plain http', () => {
  const addresses = defaultPlaces().map(({ address }) => address)
  assert.equal(new Set(addresses).size, addresses.length)
  for (const address of addresses) assert.equal(new URL(address).protocol, 'https:')
  assert.ok(addresses.includes('https://osv-vulnerabilities.storage.googleapis.com/Rocky%20Linux/all.zip'))
})
