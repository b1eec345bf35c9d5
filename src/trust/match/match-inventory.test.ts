import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Advisories, Advisory } from '#trust/advisories'
import type { Inventory, InventoryPackage } from '#trust/inventory'
import { createMatcher, matchInventory } from './index.ts'

const TODAY = { today: '2026-11-30' }

function deb(name: string, version: string, more: Partial<InventoryPackage> = {}): InventoryPackage {
  return { type: 'deb', name, version, path: 'var/lib/dpkg/status', layer: 0, ...more }
}

function inventoryOf(packages: InventoryPackage[], more: Partial<Inventory> = {}): Inventory {
  const layer = {
    digest: `sha256:${'a'.repeat(64)}`,
    diffId: `sha256:${'b'.repeat(64)}`,
  } as Inventory['layers'][number]
  return {
    analyser: 1,
    manifest: `sha256:${'c'.repeat(64)}` as Inventory['manifest'],
    system: { id: 'debian', version: '12' },
    layers: [layer],
    packages,
    gaps: [],
    ...more,
  }
}

function advisory(id: string, name: string, more: Partial<Advisory> = {}): Advisory {
  return {
    id,
    aliases: [],
    ecosystem: 'Debian:12',
    name,
    ranges: [{ events: [{ introduced: '0' }, { fixed: '2.0-1' }] }],
    state: 'fixed',
    source: 'test',
    ...more,
  }
}

function knowing(list: readonly Advisory[], more: Partial<Advisories> = {}): Advisories {
  return {
    coverage: (ecosystem) =>
      ecosystem === 'Debian:12' || list.some((one) => one.ecosystem === ecosystem)
        ? [{ ecosystem, source: 'test', knows: 'all', asOf: '2026-11-29', advisories: list.length }]
        : [],
    find: (ecosystem, name) => list.filter((one) => one.ecosystem === ecosystem && one.name === name),
    support: () => undefined,
    version: 'v1',
    ...more,
  }
}

const short = (result: ReturnType<typeof matchInventory>) =>
  result.findings.map((one) => `${one.id} ${one.package.name} ${one.fixedVersion ?? 'no fix'} ${one.severity}`)

test('a package of a module is looked up by its stream as well', () => {
  const known = knowing([
    advisory('CVE-1', 'nodejs:18/nodejs', { ecosystem: 'Red Hat:enterprise_linux:9' }),
    advisory('CVE-2', 'nodejs:20/nodejs', { ecosystem: 'Red Hat:enterprise_linux:9' }),
    advisory('CVE-3', 'nodejs', { ecosystem: 'Red Hat:enterprise_linux:9' }),
  ])
  const node = deb('nodejs', '1.0-1', { type: 'rpm', modularity: 'nodejs:18:9040020:rhel9' })
  const { findings } = matchInventory(inventoryOf([node], { system: { id: 'rhel', version: '9.4' } }), known, TODAY)
  assert.deepEqual(
    findings.map(({ id }) => id),
    ['CVE-1', 'CVE-3'],
  )
})

test('a package of a distribution is looked up by its source package and version', () => {
  const curl = deb('libcurl4', '2.5-1', { source: { name: 'curl', version: '1.9-1' } })
  const result = matchInventory(inventoryOf([curl, deb('curl', '2.0-1')]), knowing([advisory('CVE-1', 'curl')]), TODAY)
  assert.deepEqual(short(result), ['CVE-1 libcurl4 2.0-1 unknown'])
  assert.deepEqual(result.packages, ['vulnerable', 'none known'])
  assert.equal(result.status, 'complete')
  assert.equal(result.coverage, 100)
})

test('nothing is said of packages that no data covers, and the image is partial', () => {
  const npm = deb('left-pad', '1.0.0', { type: 'npm' })
  const result = matchInventory(inventoryOf([deb('a', '1-1'), deb('b', '1-1'), npm]), knowing([]), TODAY)
  assert.deepEqual(result.packages, ['none known', 'none known', 'not covered'])
  assert.equal(result.status, 'partial')
  assert.equal(result.coverage, 66)
  assert.deepEqual(result.reasons, ['1 package has no advisory data'])
  const { reasons } = matchInventory(inventoryOf([npm, npm]), knowing([]), TODAY)
  assert.deepEqual(reasons, ['2 packages have no advisory data'])
})

test('an unknown distribution is not covered, never clean', () => {
  for (const system of [undefined, { id: 'homemade', version: '1' }, { id: 'debian' }]) {
    const result = matchInventory(inventoryOf([deb('a', '1-1')], { system }), knowing([advisory('CVE-1', 'a')]), TODAY)
    assert.deepEqual(result.packages, ['not covered'])
    assert.equal(result.coverage, 0)
    assert.deepEqual(result.findings, [])
  }
})

test('a package of another kind than the distribution has is not covered', () => {
  const known = knowing([advisory('CVE-1', 'a')])
  for (const type of ['rpm', 'apk'] as const)
    assert.deepEqual(matchInventory(inventoryOf([deb('a', '1-1', { type })]), known, TODAY).packages, ['not covered'])
  const onAlpine = inventoryOf([deb('a', '1-1')], { system: { id: 'alpine', version: '3.20.1' } })
  const alpine = knowing([advisory('CVE-1', 'a', { ecosystem: 'Alpine:v3.20' })])
  assert.deepEqual(matchInventory(onAlpine, alpine, TODAY).packages, ['not covered'])
})

test('a package that the distribution does not have is not covered', () => {
  const known = knowing([], { isForeign: (_, name) => name === 'docker-ce' })
  const result = matchInventory(inventoryOf([deb('docker-ce', '5:27'), deb('a', '1-1')]), known, TODAY)
  assert.deepEqual(result.packages, ['not covered', 'none known'])
})

test('several advisories of one vulnerability are one finding, under its CVE id', () => {
  const known = knowing([
    advisory('DSA-1', 'a', { aliases: ['CVE-2024-1'] }),
    advisory('CVE-2024-1', 'a', { aliases: ['GHSA-x'], severity: { level: 'high', by: 'debian' } }),
    advisory('GHSA-y', 'a', { aliases: ['CVE-2024-2'] }),
  ])
  const { findings } = matchInventory(inventoryOf([deb('a', '1-1')]), known, TODAY)
  assert.deepEqual(
    findings.map(({ id, aliases, severity }) => ({ id, aliases, severity })),
    [
      { id: 'CVE-2024-1', aliases: ['GHSA-x'], severity: 'high' },
      { id: 'CVE-2024-2', aliases: ['GHSA-y'], severity: 'unknown' },
    ],
  )
})

test('the fix is the lowest above the installed version; without one it is said', () => {
  const known = knowing([
    advisory('CVE-1', 'a', {
      ranges: [
        { events: [{ introduced: '0' }, { fixed: '0.9-1' }] },
        { events: [{ introduced: '1-0' }, { fixed: '1.5-1' }, { introduced: '1.8-1' }, { fixed: '1.9-1' }] },
      ],
    }),
    advisory('CVE-2', 'a', { ranges: [{ events: [{ introduced: '0' }] }], state: 'will not fix' }),
    advisory('CVE-3', 'a', { ranges: [], versions: ['1.2-1'] }),
  ])
  const result = matchInventory(inventoryOf([deb('a', '1.2-1')]), known, TODAY)
  assert.deepEqual(short(result), ['CVE-1 a 1.5-1 unknown', 'CVE-2 a no fix unknown', 'CVE-3 a no fix unknown'])
})

test('the worst come first, those that are exploited before others of their severity', () => {
  const rated = (id: string, level: 'high' | 'low' | 'critical', exploited = false) =>
    advisory(id, 'a', { severity: { level, by: 'test' }, exploited })
  const known = knowing([
    rated('CVE-1', 'low'),
    rated('CVE-2', 'high'),
    rated('CVE-3', 'high', true),
    rated('CVE-4', 'critical'),
  ])
  const { findings } = matchInventory(inventoryOf([deb('a', '1-1')]), known, TODAY)
  assert.deepEqual(
    findings.map(({ id }) => id),
    ['CVE-4', 'CVE-3', 'CVE-2', 'CVE-1'],
  )
})

test('a version that cannot be compared is said, not guessed', () => {
  const npm = deb('x', 'not a version', { type: 'npm' })
  const known = knowing([
    advisory('GHSA-1', 'x', { ecosystem: 'npm', ranges: [{ events: [{ introduced: '1.0.0' }] }] }),
  ])
  const result = matchInventory(inventoryOf([npm]), known, TODAY)
  assert.equal(result.status, 'partial')
  assert.deepEqual(result.reasons, ['1 package has a version that cannot be compared with its advisories'])
  assert.deepEqual([result.packages, result.coverage], [['not covered'], 0])
})

test('a program that does not say its version is not covered, whatever is known of its name', () => {
  const go = deb('example.com/tool', '', { type: 'golang' })
  const known = knowing([
    advisory('GO-1', 'example.com/tool', { ecosystem: 'Go', ranges: [{ events: [{ introduced: '0' }] }] }),
  ])
  const result = matchInventory(inventoryOf([go]), known, TODAY)
  assert.deepEqual([result.packages, result.findings], [['not covered'], []])
})

test('gaps make a result partial; an image of which no layer was read has failed', () => {
  const inventory = inventoryOf([deb('a', '1-1')])
  const withGaps = (...places: string[]) => {
    const gaps = places.map((where, index) => ({ where, reason: `reason ${index}` }))
    return matchInventory({ ...inventory, gaps }, knowing([]), TODAY)
  }
  const [{ digest }] = inventory.layers as [Inventory['layers'][number]]
  assert.deepEqual(withGaps('usr/lib/x.jar', 'usr/lib/x.jar').reasons, ['1 file could not be read in full'])
  assert.deepEqual(withGaps('a', 'b').reasons, ['2 files could not be read in full'])
  assert.equal(withGaps('usr/lib/x.jar').status, 'partial')
  const failed = withGaps(digest, digest)
  assert.deepEqual([failed.status, failed.reasons], ['failed', ['1 layer could not be read']])
})

test('a distribution whose time is over is said, with the extended support', () => {
  const support = () => ({ ecosystem: 'Debian:12', endOfLife: '2026-06-10', extendedUntil: '2028-06-30' })
  const { support: found } = matchInventory(inventoryOf([]), knowing([], { support }), TODAY)
  assert.deepEqual(found, { endOfLife: '2026-06-10', extendedUntil: '2028-06-30', ended: true })
  assert.equal(matchInventory(inventoryOf([]), knowing([], { support }), { today: '2026-01-01' }).support?.ended, false)
})

test('many inventories are matched as one by one, and a package that several have is looked up once', () => {
  const asked: string[] = []
  const known = knowing([advisory('CVE-1', 'openssl'), advisory('CVE-2', 'bash')])
  const counting = knowing([], {
    ...known,
    find(ecosystem, name) {
      asked.push(name)
      return known.find(ecosystem, name)
    },
  })
  const inventories = ['1.0-1', '1.1-1', '2.1-1'].map((version) =>
    inventoryOf([deb('openssl', version), deb('bash', '1.0-1')]),
  )
  const match = createMatcher(counting, TODAY)
  assert.deepEqual(
    inventories.map((one) => match(one)),
    inventories.map((one) => matchInventory(one, known, TODAY)),
  )
  assert.deepEqual(asked.sort(), ['bash', 'openssl'])
})

test('what is remembered of packages has an end', () => {
  const asked: string[] = []
  const one = advisory('CVE-1', 'kernel')
  const many = Array.from({ length: 60_000 }, () => one)
  const match = createMatcher(
    knowing([one], {
      find(_, name) {
        asked.push(name)
        return many
      },
    }),
    TODAY,
  )
  for (const [at, name] of ['a', 'b', 'c', 'a'].entries()) match(inventoryOf([deb(name, `3.${at}-1`)]))
  assert.deepEqual(asked, ['a', 'b', 'c', 'a'])
})
