import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Advisory } from '../../advisory.ts'
import { createTally } from '../tally.ts'
import { osvKnows } from './osv-ecosystems.ts'
import { readOsv } from './read-osv.ts'

type Json = Record<string, unknown>

async function read(...records: unknown[]) {
  const tally = createTally()
  const files = records.map((record, index) => ({
    name: `${index}.json`,
    bytes: record instanceof Uint8Array ? record : Buffer.from(JSON.stringify(record)),
  }))
  return { advisories: await Array.fromAsync(readOsv(files, { tally })), tally }
}

async function readOne(record: Json): Promise<Advisory> {
  const { advisories, tally } = await read(record)
  assert.deepEqual([tally.skipped, advisories.length], [0, 1], tally.reasons.join())
  return advisories[0]!
}

const affecting = (ecosystem: string, name: string, more: Json = {}) => ({
  package: { ecosystem, name },
  ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '2.0' }] }],
  ...more,
})

const V31 = 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H'
const V4 = 'CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N'

test('a record of GitHub becomes one advisory for each package, with all its ranges and versions', async () => {
  const { advisories, tally } = await read({
    schema_version: '1.7.0',
    id: 'GHSA-aaaa-bbbb-cccc',
    modified: '2024-02-03T04:05:06.789Z',
    published: '2024-01-01T00:00:00+01:00',
    aliases: ['CVE-2024-1234'],
    summary: 'Reads beyond its buffer',
    details: 'Long text',
    severity: [{ type: 'CVSS_V3', score: V31 }],
    affected: [
      {
        package: { ecosystem: 'npm', name: '@a/b' },
        ranges: [{ type: 'SEMVER', events: [{ introduced: '1.0.0' }, { fixed: '1.2.3' }] }],
      },
      {
        package: { ecosystem: 'npm', name: '@a/b' },
        ranges: [{ type: 'SEMVER', events: [{ introduced: '2.0.0' }, { last_affected: '2.1.0' }, { limit: '3.0.0' }] }],
        versions: ['0.9.0-rc1'],
      },
      { package: { ecosystem: 'PyPI', name: 'b' }, versions: ['1.0'] },
    ],
    database_specific: { severity: 'MODERATE', cwe_ids: ['CWE-125'] },
  })
  assert.equal(tally.records, 1)
  assert.deepEqual(advisories[0], {
    id: 'GHSA-aaaa-bbbb-cccc',
    aliases: ['CVE-2024-1234'],
    ecosystem: 'npm',
    name: '@a/b',
    ranges: [
      { events: [{ introduced: '1.0.0' }, { fixed: '1.2.3' }] },
      { events: [{ introduced: '2.0.0' }, { lastAffected: '2.1.0' }, { limit: '3.0.0' }] },
    ],
    versions: ['0.9.0-rc1'],
    state: 'fixed',
    severity: { level: 'medium', by: 'github', score: 9.8, vector: V31 },
    summary: 'Reads beyond its buffer',
    url: 'https://osv.dev/vulnerability/GHSA-aaaa-bbbb-cccc',
    published: '2023-12-31T23:00:00Z',
    modified: '2024-02-03T04:05:06Z',
    source: 'osv',
  })
  const python = advisories[1]!
  assert.deepEqual([python.ecosystem, python.ranges, python.versions, python.state], ['PyPI', [], ['1.0'], 'not fixed'])
})

for (const [title, id, record, affected, severity] of [
  [
    'what GitHub says counts before a score',
    'GHSA-1',
    {
      database_specific: { severity: 'CRITICAL' },
      severity: [{ type: 'CVSS_V3', score: V31.replace('C:H/I:H/A:H', 'C:N/I:N/A:L') }],
    },
    {},
    { level: 'critical', by: 'github', score: 5.3 },
  ],
  [
    'the newest CVSS counts',
    'PYSEC-1',
    {
      severity: [
        { type: 'CVSS_V2', score: 'AV:N/AC:L/Au:N/C:P/I:P/A:P' },
        { type: 'CVSS_V3', score: 'CVSS:3.0/AV:N/AC:H/PR:L/UI:R/S:U/C:L/I:N/A:N' },
        { type: 'CVSS_V4', score: V4 },
      ],
    },
    {},
    { level: 'critical', by: 'pypa', score: 9.3 },
  ],
  [
    'CVSS 2 has no critical',
    'RUSTSEC-1',
    { severity: [{ type: 'CVSS_V2', score: 'AV:N/AC:L/Au:N/C:C/I:C/A:C' }] },
    {},
    { level: 'high', by: 'rustsec', score: 10 },
  ],
  [
    "a package's own vector counts before the record's",
    'GO-1',
    { severity: [{ type: 'CVSS_V3', score: V31 }] },
    { severity: [{ type: 'CVSS_V3', score: V31.replace('C:H/I:H/A:H', 'C:L/I:N/A:N') }] },
    { level: 'medium', by: 'go', score: 5.3 },
  ],
  [
    "Ubuntu's priority",
    'UBUNTU-CVE-2024-1',
    {
      severity: [
        { type: 'CVSS_V3', score: V31 },
        { type: 'Ubuntu', score: 'negligible' },
      ],
    },
    {},
    { level: 'negligible', by: 'ubuntu', score: 9.8 },
  ],
  [
    "Debian's urgency",
    'DEBIAN-CVE-2024-1',
    {},
    { ecosystem_specific: { urgency: 'unimportant' } },
    { level: 'negligible', by: 'debian' },
  ],
  [
    'a word that is no rating, and half a vector',
    'DEBIAN-CVE-2024-1',
    { severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L' }] },
    { ecosystem_specific: { urgency: 'not yet assigned' } },
    undefined,
  ],
  [
    'a harmless score',
    'X-1',
    { severity: [{ type: 'CVSS_V3', score: V31.replace('C:H/I:H/A:H', 'C:N/I:N/A:N') }] },
    {},
    { level: 'negligible', by: 'osv', score: 0 },
  ],
  ['malware', 'MAL-2024-1', {}, {}, { level: 'critical', by: 'openssf' }],
] as const) {
  test(`severity: ${title}`, async () => {
    const { severity: found } = await readOne({
      id,
      modified: '2024-01-01T00:00:00Z',
      affected: [affecting('npm', 'a', affected)],
      ...record,
    })
    const { vector: _, ...rest } = found ?? { vector: undefined }
    assert.deepEqual(found && rest, severity)
  })
}

test('a record in YAML is read as one in JSON', async () => {
  const tally = createTally()
  const text = `id: PYSEC-1
modified: "2024-01-01T00:00:00Z"
published: 0001-01-01T00:00:00Z
affected:
- package: {ecosystem: PyPI, name: a}
  ranges: [{type: ECOSYSTEM, events: [{introduced: "0"}, {fixed: "1.10"}]}]
  versions: ["1.0"]
`
  const files = [
    { name: 'vulns/a/PYSEC-1.yaml', bytes: Buffer.from(text) },
    { name: 'x.yml', bytes: Buffer.from('a: [') },
  ]
  const [found] = await Array.fromAsync(readOsv(files, { tally }))
  assert.deepEqual(
    [found?.ranges, found?.versions, found?.published],
    [[{ events: [{ introduced: '0' }, { fixed: '1.10' }] }], ['1.0'], undefined],
  )
  assert.deepEqual([tally.records, tally.skipped], [1, 1])
})

test('Go modules and the standard library keep their names', async () => {
  const { advisories } = await read({
    id: 'GO-2024-1',
    modified: '2024-01-01T00:00:00Z',
    affected: [affecting('Go', 'stdlib'), affecting('Go', 'toolchain'), affecting('Go', 'example.com/m/v2')],
  })
  assert.deepEqual(
    advisories.map(({ ecosystem, name }) => `${ecosystem} ${name}`),
    ['Go stdlib', 'Go toolchain', 'Go example.com/m/v2'],
  )
})

test('withdrawn records, ranges of commits and packages that are not named give nothing, and are not malformed', async () => {
  const commits = [{ type: 'GIT', repo: 'https://example.com/x', events: [{ introduced: '0' }] }]
  const { advisories, tally } = await read(
    {
      id: 'A-1',
      modified: '2024-01-01T00:00:00Z',
      withdrawn: '2024-01-02T00:00:00Z',
      affected: [affecting('npm', 'a')],
    },
    {
      id: 'A-2',
      modified: '2024-01-01T00:00:00Z',
      affected: [{ package: { ecosystem: 'Go', name: 'a' }, ranges: commits }, { ranges: commits }],
    },
    { id: 'A-3', modified: '2024-01-01T00:00:00Z', affected: null },
  )
  assert.deepEqual([advisories, tally.records, tally.skipped], [[], 3, 0])
})

test('a notice of several vulnerabilities is split, so that they are no aliases of one another', async () => {
  const notice = { modified: '2024-01-01T00:00:00Z', affected: [affecting('Debian:12', 'curl')] }
  const { advisories } = await read(
    { ...notice, id: 'DSA-1-1', upstream: ['CVE-2024-1', 'CVE-2024-2'] },
    { ...notice, id: 'ALSA-2024:1', related: ['CVE-2024-3', 'CVE-2024-4', 'ALSA-2024:0'] },
    { ...notice, id: 'DEBIAN-CVE-2024-5', upstream: ['CVE-2024-5'] },
    { ...notice, id: 'GHSA-6', aliases: ['CVE-2024-6'], related: ['CVE-2024-7', 'CVE-2024-8'] },
  )
  assert.deepEqual(
    advisories.map(({ id, aliases, remark }) => [id, aliases, remark]),
    [
      ['CVE-2024-1', [], 'reported in DSA-1-1'],
      ['CVE-2024-2', [], 'reported in DSA-1-1'],
      ['CVE-2024-3', [], 'reported in ALSA-2024:1'],
      ['CVE-2024-4', [], 'reported in ALSA-2024:1'],
      ['DEBIAN-CVE-2024-5', ['CVE-2024-5'], undefined],
      ['GHSA-6', ['CVE-2024-6'], undefined],
    ],
  )
})

test('ecosystems are named as OSV does; all repositories of a release of Red Hat are one, other products none', async () => {
  const names = [
    'Ubuntu:22.04:LTS',
    'Alpine:v3.19',
    'Red Hat:enterprise_linux:9::appstream',
    'Red Hat:enterprise_linux:10.0',
    'Red Hat:rhel_aus:8.4::appstream',
  ]
  const { advisories } = await read({
    id: 'A-1',
    modified: '2024-01-01T00:00:00Z',
    affected: names.map((name) => affecting(name, 'a')),
  })
  assert.deepEqual(
    advisories.map(({ ecosystem }) => ecosystem),
    ['Ubuntu:22.04:LTS', 'Alpine:v3.19', 'Red Hat:enterprise_linux:9', 'Red Hat:enterprise_linux:10'],
  )
  assert.deepEqual(['Alpine:v3.19', 'Rocky Linux:9', 'Ubuntu:22.04:LTS', 'npm'].map(osvKnows), [
    'fixed',
    'fixed',
    'all',
    'all',
  ])
})

test('versions that a distribution lists besides a range are left out; those of a registry stay', async () => {
  const versions = { versions: ['1.0', '1.1'] }
  const { advisories } = await read({
    id: 'A-1',
    modified: '2024-01-01T00:00:00Z',
    affected: [affecting('Debian:12', 'a', versions), affecting('PyPI', 'a', versions)],
  })
  assert.deepEqual(
    advisories.map((one) => one.versions),
    [undefined, ['1.0', '1.1']],
  )
})

test('a malformed record is skipped and counted with a reason, and the others are read', async () => {
  const good = { id: 'A-1', modified: '2024-01-01T00:00:00Z', affected: [affecting('npm', 'a')] }
  const bad: unknown[] = [
    Buffer.from('{"id": "A-2"'),
    Buffer.from([0xff, 0xfe]),
    Buffer.from('['.repeat(100_000)),
    Buffer.from('{"id":"A-1","id":"A-2","affected":[]}'),
    [],
    'text',
    null,
    {},
    { id: 7, affected: [] },
    { id: 'a\nb', affected: [] },
    { id: 'x'.repeat(600), affected: [] },
    { ...good, affected: {} },
    { ...good, affected: [null] },
    { ...good, affected: [{ package: { ecosystem: 'npm' } }] },
    { ...good, affected: [{ package: { ecosystem: 'npm', name: 'a' }, ranges: [{ events: [] }] }] },
    { ...good, affected: [{ package: { ecosystem: 'npm', name: 'a' }, ranges: [{ events: [{ fixed: 1 }] }] }] },
    { ...good, affected: [{ package: { ecosystem: 'npm', name: 'a' }, ranges: [{ events: [{}] }] }] },
    { ...good, affected: Array.from({ length: 50_001 }, () => affecting('npm', 'a')) },
    { ...good, aliases: 'CVE-2024-1' },
    {
      ...good,
      affected: Array.from({ length: 3000 }, (_, index) => affecting('npm', `p${index}`)),
      upstream: Array.from({ length: 1500 }, (_, index) => `CVE-2024-${index}`),
    },
  ]
  const { advisories, tally } = await read(good, ...bad, good)
  assert.equal(advisories.length, 2)
  assert.deepEqual([tally.records, tally.skipped, tally.reasons.length], [2, bad.length, 10])
  assert.ok(
    tally.reasons.every((reason) => reason.length <= 301 && /^\d+\.json: /.test(reason)),
    tally.reasons.join('\n'),
  )
})

test('V03 whatever a record holds is skipped or read, never thrown, and keys such as __proto__ change nothing', async () => {
  const value = fc.jsonValue({ maxDepth: 4 })
  const record = fc.record(
    {
      id: fc.oneof(fc.constant('A-1'), value),
      affected: fc.oneof(
        value,
        fc.array(
          fc.record({
            package: fc.oneof(value, fc.constant({ ecosystem: 'npm', name: '__proto__' })),
            ranges: value,
            versions: value,
          }),
        ),
      ),
      severity: value,
      aliases: value,
      upstream: value,
      withdrawn: value,
      modified: value,
      summary: value,
      ['__proto__']: value,
    },
    { requiredKeys: [] },
  )
  await fc.assert(
    fc.asyncProperty(record, async (one) => {
      const { advisories, tally } = await read(one)
      assert.equal(tally.records + tally.skipped, 1)
      for (const advisory of advisories) assert.equal(typeof advisory.name, 'string')
    }),
    { numRuns: 150 },
  )
  assert.equal(({} as Json)['polluted'], undefined)
})
