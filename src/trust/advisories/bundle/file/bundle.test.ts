import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import fc from 'fast-check'
import { readBytesSync } from '#host/file'
import { createBundle } from '../../../../../test/kit/advisory-bundle.ts'
import { temporaryDirectory } from '../../../../../test/kit/temporary.ts'
import type { Advisory } from '../../advisory.ts'
import { readingBundle } from './bundle-error.ts'
import type { BundleSource } from './bundle-source.ts'
import { openBundle } from './open-bundle.ts'
import { APPLICATION_ID, TABLES } from './schema.ts'
import { startBundle } from './start-bundle.ts'

const CREATED = '2026-01-02T03:04:05.000Z'

const advisory = (more: Partial<Advisory> = {}): Advisory => ({
  id: 'GHSA-1',
  aliases: ['CVE-2024-1000'],
  ecosystem: 'npm',
  name: 'a',
  ranges: [
    { events: [{ introduced: '0' }, { fixed: '1.0' }] },
    { events: [{ introduced: '2' }, { lastAffected: '3' }, { limit: '9' }] },
  ],
  state: 'fixed',
  source: 'osv',
  ...more,
})

const source = (advisories: BundleSource['advisories'], more: Partial<BundleSource> = {}): BundleSource => ({
  kind: 'osv',
  address: 'https://example.org/npm/all.zip',
  licence: 'CC-BY-4.0',
  asOf: '2026-01-01T00:00:00.000Z',
  knows: () => 'all',
  tally: { records: 5, skipped: 2, skip: () => undefined },
  advisories,
  ...more,
})

async function place() {
  const directory = await temporaryDirectory('bale-bundle')
  return {
    path: join(directory.path, 'bundle.sqlite'),
    directory: directory.path,
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  }
}

const digest = (path: string) => createHash('sha256').update(readBytesSync(path)).digest('hex')

test('what goes into a bundle comes out of it', async () => {
  await using at = await place()
  const full = advisory({
    versions: ['0.1-rc1'],
    severity: { level: 'high', by: 'github', score: 7.5, vector: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H' },
    summary: 'Reads ünder "quotes"',
    url: 'https://osv.dev/vulnerability/GHSA-1',
    published: '2024-01-01T00:00:00Z',
    modified: '2024-02-01T00:00:00Z',
    remark: 'a remark',
  })
  const other = advisory({
    id: 'CVE-2024-2000',
    aliases: [],
    ecosystem: 'Debian:12',
    name: 'curl',
    state: 'deferred',
    ranges: [],
    source: 'debian-tracker',
  })
  const info = await createBundle(at.path, {
    created: CREATED,
    sources: [
      source([full]),
      source([other], {
        kind: 'debian-tracker',
        address: 'y',
        licence: undefined,
        tally: undefined,
        remark: 'an old copy',
      }),
    ],
  })
  using bundle = openBundle(at.path)
  assert.deepEqual(bundle.find('npm', 'a'), [full])
  assert.deepEqual(bundle.find('Debian:12', 'curl'), [other])
  assert.deepEqual(
    [bundle.find('Debian:12', 'a'), bundle.find('npm', '__proto__'), bundle.coverage('PyPI'), bundle.support('npm')],
    [[], [], [], undefined],
  )
  assert.deepEqual(bundle.coverage('npm'), [
    { ecosystem: 'npm', source: 'osv', knows: 'all', asOf: '2026-01-01T00:00:00.000Z', advisories: 1 },
  ])
  assert.equal(bundle.coverage('Debian:12')[0]?.remark, 'an old copy')
  assert.deepEqual(bundle.info, info)
  assert.deepEqual([info.schema, info.created, info.advisories, info.version], [1, CREATED, 2, bundle.version])
  assert.deepEqual(info.sources, [
    {
      kind: 'debian-tracker',
      address: 'y',
      asOf: '2026-01-01T00:00:00.000Z',
      records: 0,
      skipped: 0,
      remark: 'an old copy',
    },
    {
      kind: 'osv',
      address: 'https://example.org/npm/all.zip',
      licence: 'CC-BY-4.0',
      asOf: '2026-01-01T00:00:00.000Z',
      records: 5,
      skipped: 2,
    },
  ])
  bundle.check()
})

test('names are compared as their ecosystem does, and keep how they are written', async () => {
  await using at = await place()
  const names = [
    ['PyPI', 'Foo_.Bar', 'foo-bar', 'FOO.bar'],
    ['NuGet', 'Newtonsoft.Json', 'newtonsoft.json'],
    ['npm', 'JSONStream', 'JSONStream'],
  ] as const
  await createBundle(at.path, {
    created: CREATED,
    sources: [source(names.map(([ecosystem, name]) => advisory({ ecosystem, name })))],
  })
  using bundle = openBundle(at.path)
  for (const [ecosystem, name, ...asked] of names)
    for (const one of asked)
      assert.deepEqual(
        bundle.find(ecosystem, one).map((found) => found.name),
        [name],
        one,
      )
  assert.deepEqual(bundle.find('npm', 'jsonstream'), [])
})

test('a notice of many vulnerabilities says the same of each in little room', async () => {
  await using at = await place()
  const ids = Array.from({ length: 1000 }, (_, index) => `CVE-2024-${1000 + index}`)
  const notice = ids.map((id) =>
    advisory({ id, aliases: [], summary: 'x'.repeat(200), remark: 'reported in RHSA-2024:1' }),
  )
  const packages = ['kernel', 'kernel-rt'].flatMap((name) => notice.map((one) => ({ ...one, name })))
  const info = await createBundle(at.path, {
    created: CREATED,
    sources: [source(packages)],
    overlays: { exploited: new Set(['CVE-2024-1500']) },
  })
  using bundle = openBundle(at.path)
  const found = bundle.find('npm', 'kernel')
  assert.deepEqual(
    found.map(({ id }) => id),
    ids,
  )
  assert.deepEqual(
    found.filter(({ exploited }) => exploited).map(({ id }) => id),
    ['CVE-2024-1500'],
  )
  assert.equal(info.advisories, 2000)
  assert.ok(statSync(at.path).size < 200_000)
})

test('what is known of a CVE id goes to all advisories of it, by id or alias', async () => {
  await using at = await place()
  const ids = [
    advisory({ id: 'CVE-2024-1', aliases: [] }),
    advisory({ id: 'GHSA-2', aliases: ['CVE-2024-1', 'CVE-2024-2'] }),
    advisory({ id: 'GHSA-3', aliases: [] }),
  ]
  await createBundle(at.path, {
    created: CREATED,
    sources: [source(ids)],
    overlays: {
      exploited: new Set(['CVE-2024-1']),
      probabilities: new Map([
        ['CVE-2024-1', 0.25],
        ['CVE-2024-2', 0.5],
      ]),
      sources: [{ kind: 'kev', address: 'z', asOf: CREATED, records: 1, skipped: 0 }],
    },
  })
  using bundle = openBundle(at.path)
  assert.deepEqual(
    bundle
      .find('npm', 'a')
      .map(({ id, exploited, exploitProbability }) => [id, exploited, exploitProbability])
      .sort(),
    [
      ['CVE-2024-1', true, 0.25],
      ['GHSA-2', true, 0.5],
      ['GHSA-3', undefined, undefined],
    ],
  )
  assert.deepEqual(bundle.aliases('CVE-2024-1'), ['GHSA-2'])
  assert.deepEqual(bundle.aliases('GHSA-2'), ['CVE-2024-1', 'CVE-2024-2'])
  assert.deepEqual(
    bundle.info.sources.map(({ kind }) => kind),
    ['kev', 'osv'],
  )
})

test('the same content gives the same bytes in any order, and another time of creation the same version', async () => {
  await using at = await place()
  const all = Array.from({ length: 500 }, (_, index) => advisory({ id: `GHSA-${index}`, name: `p${index % 50}` }))
  const make = async (name: string, advisories: readonly Advisory[], created = CREATED) => {
    const path = join(at.directory, name)
    const { version } = await createBundle(path, { created, sources: [source(advisories)] })
    return { bytes: digest(path), version }
  }
  const first = await make('1', all)
  assert.deepEqual(await make('2', [...all.toReversed(), ...all]), first)
  const later = await make('3', all, '2026-02-02T00:00:00.000Z')
  assert.equal(later.version, first.version)
  assert.notEqual(later.bytes, first.bytes)
  assert.notEqual((await make('4', all.slice(1))).version, first.version)
})

test('a source that fails leaves nothing of itself, and the others stay', async () => {
  await using at = await place()
  await using writer = await startBundle(at.path, { created: CREATED })
  await writer.add(source([advisory()]))
  async function* failing() {
    yield advisory({ ecosystem: 'PyPI' })
    yield advisory({ ecosystem: 'PyPI', name: 'b' })
    throw new Error('cut')
  }
  await assert.rejects(writer.add(source(failing(), { address: 'other' })), /cut/)
  const info = await writer.finish()
  assert.deepEqual([info.coverage.map(({ ecosystem }) => ecosystem), info.sources.length], [['npm'], 1])
  using bundle = openBundle(at.path)
  assert.deepEqual(bundle.find('PyPI', 'a'), [])
})

test('an ecosystem in several parts of a source is as old as the oldest, and told in one line', async () => {
  await using at = await place()
  const parts = [
    source([advisory({ name: 'a' })], { address: '1', asOf: '2026-01-03T00:00:00.000Z' }),
    source([advisory({ name: 'b' })], { address: '2', knows: () => 'fixed', remark: 'an old copy' }),
  ]
  const { coverage } = await createBundle(at.path, { created: CREATED, sources: parts })
  assert.deepEqual(coverage, [
    {
      ecosystem: 'npm',
      source: 'osv',
      knows: 'fixed',
      asOf: '2026-01-01T00:00:00.000Z',
      advisories: 2,
      remark: 'an old copy',
    },
  ])
})

test('a bundle that is not finished leaves nothing, and the former one stays', async () => {
  await using at = await place()
  await createBundle(at.path, { created: CREATED, sources: [source([advisory()])] })
  const before = digest(at.path)
  {
    await using writer = await startBundle(at.path, { created: CREATED })
    await writer.add(source([advisory({ name: 'b' })]))
  }
  assert.deepEqual([digest(at.path), readdirSync(at.directory)], [before, ['bundle.sqlite']])
})

test('an advisory that is too large for a reader is left out and told', async () => {
  await using at = await place()
  const told: string[] = []
  const tally = { records: 2, skipped: 0, skip: (what: string, reason: unknown) => told.push(`${what}: ${reason}`) }
  const long = advisory({ id: 'GHSA-2', summary: 'ü'.repeat(2 * 1024 * 1024) })
  await createBundle(at.path, { created: CREATED, sources: [source([long, advisory()], { tally })] })
  using bundle = openBundle(at.path)
  assert.deepEqual(
    bundle.find('npm', 'a').map(({ id }) => id),
    ['GHSA-1'],
  )
  assert.match(told.join(), /^GHSA-2: .*more than 4194304 bytes$/)
})

test('a package with more advisories than a reader takes is named with the source, and the former bundle stays', async () => {
  await using at = await place()
  await createBundle(at.path, { created: CREATED, sources: [source([advisory()])] })
  const before = digest(at.path)
  const ids = Array.from({ length: 1100 }, (_, index) => advisory({ id: `${index}${'x'.repeat(4000)}` }))
  await assert.rejects(createBundle(at.path, { created: CREATED, sources: [source(ids)] }), {
    code: 'LIMIT_EXCEEDED',
    message: /the package a of npm .* osv/,
  })
  assert.deepEqual([digest(at.path), readdirSync(at.directory)], [before, ['bundle.sqlite']])
})

test('a bundle that could not be read never replaces the former one', async () => {
  await using at = await place()
  await createBundle(at.path, { created: CREATED, sources: [source([advisory()])] })
  const before = digest(at.path)
  const long = source([advisory({ name: 'b' })], { address: 'x'.repeat(5000) })
  await assert.rejects(createBundle(at.path, { created: CREATED, sources: [long] }), { code: 'INVALID_ARCHIVE' })
  assert.deepEqual([digest(at.path), readdirSync(at.directory)], [before, ['bundle.sqlite']])
})

test('a bundle is written where a link leads, and nowhere that no file can be', async () => {
  await using at = await place()
  const link = join(at.directory, 'link')
  symlinkSync('bundle.sqlite', link)
  await createBundle(link, { created: CREATED, sources: [source([advisory()])] })
  assert.deepEqual(readdirSync(at.directory).sort(), ['bundle.sqlite', 'link'])
  for (const path of [at.directory, join(at.directory, 'missing', 'b'), '/dev/null'])
    await assert.rejects(startBundle(path, { created: CREATED }), { code: 'INVALID_ARGUMENT' }, path)
})

test('a bundle that was opened is read to its end while another one takes its place', async () => {
  await using at = await place()
  await createBundle(at.path, { created: CREATED, sources: [source([advisory()])] })
  using bundle = openBundle(at.path)
  await createBundle(at.path, { created: CREATED, sources: [source([advisory({ name: 'b' })])] })
  assert.deepEqual([bundle.find('npm', 'a').length, bundle.find('npm', 'b').length], [1, 0])
  using next = openBundle(at.path)
  assert.deepEqual([next.find('npm', 'a').length, next.find('npm', 'b').length], [0, 1])
})

test('what is no bundle is refused in words', async () => {
  await using at = await place()
  assert.throws(() => openBundle(at.path), { code: 'PATH_NOT_FOUND' })
  for (const bytes of [Buffer.alloc(0), Buffer.from('SQLite format 3\0'), Buffer.alloc(8192, 'x')]) {
    writeFileSync(at.path, bytes)
    assert.throws(() => openBundle(at.path), { code: 'INVALID_ARCHIVE', message: /no SQLite file/ })
  }
  mkdirSync(join(at.directory, 'folder'))
  const folder = join(at.directory, 'folder')
  assert.throws(() => openBundle(folder), { code: 'INVALID_ARCHIVE', message: /is a directory/ })
})

const GOOD = '{"aliases":[],"ranges":[],"state":"fixed"}'

/** A SQLite file with these statements after, or in place of, the tables of a bundle. */
function craft(path: string, sql: string, { tables = TABLES, version = 1, application = APPLICATION_ID } = {}) {
  const file = new DatabaseSync(path)
  file.exec(`PRAGMA application_id = ${application}; PRAGMA user_version = ${version}; ${tables}`)
  file.exec(`INSERT INTO meta VALUES ('created', '${CREATED}'), ('version', 'sha256:${'0'.repeat(64)}')`)
  file.exec(sql)
  file.close()
}

/** A statement with a table of the numbers from 1. */
const withNumbers = (count: number, sql: string) =>
  sql.replace(
    'SELECT',
    `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers LIMIT ${count}) SELECT`,
  )

for (const [title, sql, options, expected] of [
  ['another kind of file', '', { application: 7 }, /another kind/],
  ['a later schema', '', { version: 2 }, /has schema 2, but this version of bale reads only schema 1/],
  [
    'a view in place of a table',
    'DROP TABLE advisories; CREATE VIEW advisories AS SELECT 1 AS ecosystem',
    {},
    /tables are not those/,
  ],
  [
    'a trigger',
    'CREATE TRIGGER t AFTER INSERT ON meta BEGIN SELECT randomblob(1000000000); END',
    {},
    /tables are not those/,
  ],
  ['one more table', 'CREATE TABLE more (a)', {}, /tables are not those/],
  ['an index that computes', 'CREATE INDEX i ON meta (hex(zeroblob(100)) )', {}, /tables are not those/],
  [
    'a column that computes',
    '',
    { tables: TABLES.replace('records INTEGER NOT NULL', 'records INTEGER NOT NULL AS (1)') },
    /tables are not those/,
  ],
  ['columns of another type', '', { tables: TABLES.replaceAll(' STRICT,', '') }, /tables are not those/],
  ['no time of creation', "DELETE FROM meta WHERE key = 'created'", {}, /no time of creation/],
  ['a time that is none', "UPDATE meta SET value = 'soon' WHERE key = 'created'", {}, /no time of creation/],
  ['a version that is none', "UPDATE meta SET value = 'x' WHERE key = 'version'", {}, /no version/],
  [
    'coverage in other words',
    `INSERT INTO coverage VALUES ('npm', 'osv', 'everything', '', 1, NULL)`,
    {},
    /what it covers/,
  ],
  ['a number below zero', `INSERT INTO coverage VALUES ('npm', 'osv', 'all', '', -1, NULL)`, {}, /no number/],
  ['a number too large', `INSERT INTO sources VALUES ('a', 'b', NULL, '', 9007199254740993, 0, NULL)`, {}, /./],
  ['a text too long', `INSERT INTO sources VALUES ('a', hex(zeroblob(5000)), NULL, '', 0, 0, NULL)`, {}, /no text/],
] as const) {
  test(`a hostile file is refused when it is opened: ${title}`, async () => {
    await using at = await place()
    craft(at.path, sql, options)
    assert.throws(
      () => openBundle(at.path),
      (error: Error & { code?: string }) => {
        assert.match(error.message, expected)
        assert.match(error.code!, /^(?:INVALID_ARCHIVE|UNSUPPORTED)$/)
        return true
      },
    )
  })
}

for (const [title, body, ids = '[{"id":"x"}]'] of [
  ['no JSON', '{'],
  ['ids that are no list', GOOD, '{}'],
  ['an id that is no text', GOOD, '[{"id":1}]'],
  ['ids that are no JSON', GOOD, '['],
  ['a probability beyond 1', GOOD, '[{"id":"x","probability":2}]'],
  ['exploited in other words', GOOD, '[{"id":"x","exploited":"yes"}]'],
  ['no object', '[]'],
  ['no ranges', '{"aliases":[],"state":"fixed"}'],
  ['an event of two kinds', '{"aliases":[],"ranges":[{"events":[{"fixed":"1","introduced":"0"}]}],"state":"fixed"}'],
  ['an event of no kind', '{"aliases":[],"ranges":[{"events":[{"__proto__":"1"}]}],"state":"fixed"}'],
  ['a state in other words', '{"aliases":[],"ranges":[],"state":"perhaps"}'],
  ['aliases that are no texts', '{"aliases":[1],"ranges":[],"state":"fixed"}'],
  ['versions that are no list', '{"aliases":[],"ranges":[],"state":"fixed","versions":"1"}'],
  ['a severity in other words', '{"aliases":[],"ranges":[],"state":"fixed","severity":{"level":"terrible","by":"x"}}'],
  [
    'a score beyond the scale',
    '{"aliases":[],"ranges":[],"state":"fixed","severity":{"level":"low","by":"x","score":11}}',
  ],
  ['a summary that is no text', '{"aliases":[],"ranges":[],"state":"fixed","summary":{}}'],
  ['more than is read', `{"aliases":[],"ranges":[],"state":"fixed","summary":"${'x'.repeat(4 * 1024 * 1024)}"}`],
] satisfies readonly (readonly [string, string, string?])[]) {
  test(`a row of a hostile file is refused when it is read: ${title}`, async () => {
    await using at = await place()
    craft(at.path, '')
    const file = new DatabaseSync(at.path)
    file.prepare("INSERT INTO advisories VALUES ('npm', 'a', 'osv', ?, ?)").run(body, ids)
    file.close()
    using bundle = openBundle(at.path)
    assert.throws(() => bundle.find('npm', 'a'), {
      code: 'INVALID_ARCHIVE',
      message: /an advisory of a cannot be read/,
    })
    assert.throws(() => bundle.check(), {
      code: 'INVALID_ARCHIVE',
      message: body.length > 4096 ? /a text in its table advisories is too long/ : /not what it says/,
    })
  })
}

test('a hostile file with more rows than are read is refused', async () => {
  await using at = await place()
  craft(at.path, withNumbers(10_001, "INSERT INTO coverage SELECT 'npm', n, 'all', '', 1, NULL FROM numbers"))
  assert.throws(() => openBundle(at.path), { code: 'INVALID_ARCHIVE', message: /more than 10000 rows of allCoverage/ })
})

test('a value that is too large for a text or for the memory is that of a damaged bundle', () => {
  const act = () => {
    throw new RangeError('Invalid string length')
  }
  assert.throws(() => readingBundle('x', act), { code: 'INVALID_ARCHIVE', message: /Invalid string length/ })
})

test('V03 a file that is cut or damaged anywhere gives an error or an answer, never a crash', async () => {
  await using at = await place()
  const all = Array.from({ length: 300 }, (_, index) => advisory({ id: `GHSA-${index}`, name: `p${index}` }))
  await createBundle(at.path, { created: CREATED, sources: [source(all)] })
  const whole = readBytesSync(at.path)
  const ask = (bytes: Uint8Array) => {
    writeFileSync(at.path, bytes)
    using bundle = openBundle(at.path)
    for (let index = 0; index < 300; index += 7) bundle.find('npm', `p${index}`)
    bundle.coverage('npm')
    bundle.aliases('GHSA-1')
    bundle.check()
  }
  for (const length of [101, 5000, 8192, 20_000, whole.length - 8192, whole.length - 1])
    assert.throws(() => ask(whole.subarray(0, length)), { code: 'INVALID_ARCHIVE' }, String(length))
  const flips = fc.array(fc.tuple(fc.integer({ min: 0, max: whole.length - 1 }), fc.integer({ min: 1, max: 255 })), {
    minLength: 1,
    maxLength: 40,
  })
  fc.assert(
    fc.property(flips, (places) => {
      const bytes = Buffer.from(whole)
      for (const [position, mask] of places) bytes[position]! ^= mask
      try {
        ask(bytes)
      } catch (error) {
        assert.match(String((error as { code?: string }).code), /^(?:INVALID_ARCHIVE|UNSUPPORTED)$/, String(error))
      }
    }),
    { numRuns: 60 },
  )
})
