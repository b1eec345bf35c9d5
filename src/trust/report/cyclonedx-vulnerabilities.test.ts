import assert from 'node:assert/strict'
import { test } from 'node:test'
import { faultsOfCycloneDx } from '../../../test/kit/document-schemas.ts'
import { LODASH, OPENSSL, smallInventory, smallScan, someFinding } from '../../../test/kit/small-scan.ts'
import { cycloneDxWithVulnerabilities } from './cyclonedx-vulnerabilities.ts'

interface Written {
  serialNumber: string
  metadata: { properties: { name: string; value: string }[] }
  components: { 'bom-ref': string }[]
  vulnerabilities: Record<string, unknown>[]
}

async function written(scan = smallScan()) {
  return (await cycloneDxWithVulnerabilities(scan, { name: 'web:1.0' })) as unknown as Written
}

test('a bill with vulnerabilities is valid by its schema', async () => {
  assert.deepEqual(faultsOfCycloneDx(await written()), [])
})

test('a vulnerability has its ratings, its other names, what it affects and what to do', async () => {
  const { vulnerabilities, components } = await written()
  assert.deepEqual(vulnerabilities[0], {
    id: 'CVE-2024-1',
    source: { name: 'osv', url: 'https://advisories.example/CVE-2024-1' },
    references: [{ id: 'GHSA-aaaa', source: { name: 'GitHub' } }],
    ratings: [
      {
        source: { name: 'nvd' },
        score: 9.8,
        severity: 'critical',
        method: 'CVSSv31',
        vector: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H',
      },
    ],
    description: 'Memory is read after it was freed',
    recommendation: 'update libssl3 to 3.0.14',
    advisories: [{ url: 'https://advisories.example/CVE-2024-1' }],
    published: '2024-01-02T03:04:05.000Z',
    affects: [{ ref: components[1]?.['bom-ref'], versions: [{ version: '3.0.11-1~deb12u2', status: 'affected' }] }],
    properties: [
      { name: 'bale:exploited', value: 'true' },
      { name: 'bale:exploit-probability', value: '0.5' },
    ],
  })
})

test('what is suppressed has an analysis: of VEX what it says, of an ignore file only that nothing is done', async () => {
  const by = (id: string, who: string, reason: string) => someFinding(id, 'low', { suppressed: { by: who, reason } })
  const findings = [
    by('CVE-1', 'ignore file', 'not reachable'),
    by('CVE-2', 'VEX', 'not affected: component_not_present'),
    by('CVE-3', 'VEX', 'fixed'),
    someFinding('CVE-4', 'low'),
  ]
  const { vulnerabilities } = await written(smallScan({ findings }))
  assert.deepEqual(
    vulnerabilities.map(({ analysis }) => analysis),
    [
      { response: ['will_not_fix'], detail: 'not reachable' },
      { state: 'not_affected', detail: 'not affected: component_not_present' },
      { state: 'resolved', detail: 'fixed' },
      undefined,
    ],
  )
})

test('a vulnerability that several packages have is listed once, or twice if it is suppressed in some', async () => {
  const other = { ...OPENSSL, name: 'openssl' }
  const suppressed = { by: 'VEX', reason: 'fixed' }
  const findings = [
    someFinding('CVE-1', 'low'),
    someFinding('CVE-1', 'high', { package: other }),
    someFinding('CVE-1', 'low', { package: LODASH, suppressed }),
  ]
  const { vulnerabilities } = await written(
    smallScan({ findings, inventory: smallInventory({ packages: [OPENSSL, other, LODASH] }) }),
  )
  assert.deepEqual(
    vulnerabilities.map(({ affects, ratings }) => [
      (affects as unknown[]).length,
      (ratings as { severity: string }[]).map(({ severity }) => severity),
    ]),
    [
      [2, ['high', 'low']],
      [1, ['low']],
    ],
  )
})

test('the status of the scan is told', async () => {
  const { metadata } = await written()
  assert.deepEqual(
    metadata.properties.filter(({ name }) => name.startsWith('bale:scan')),
    [
      { name: 'bale:scan:status', value: 'partial' },
      { name: 'bale:scan:coverage', value: '66' },
      { name: 'bale:scan:reason', value: '1 of 3 packages is not covered' },
      { name: 'bale:scan:advisories', value: 'bundle-7' },
    ],
  )
})

test('the same scan gives the same bytes; other advisories or suppressions another serial number', async () => {
  assert.equal(JSON.stringify(await written()), JSON.stringify(await written()))
  const { serialNumber } = await written()
  assert.notEqual((await written(smallScan({ advisories: 'bundle-8' }))).serialNumber, serialNumber)
  const findings = smallScan().findings.map(({ suppressed: _one, ...finding }) => finding)
  assert.notEqual((await written(smallScan({ findings }))).serialNumber, serialNumber)
})

test('hostile advisories still make a valid bill', async () => {
  for (const hostile of ['', '<script>', '\ud800', 'javascript:alert(1)', 'https://a b"<>', '9999999-01-01']) {
    const advisory = {
      ...{ summary: hostile, url: hostile, published: hostile, modified: hostile, source: hostile, remark: hostile },
      severity: { level: 'high', by: hostile, score: Number.NaN, vector: hostile } as const,
    }
    const found = { ...LODASH, version: 'a'.repeat(2000) }
    const finding = someFinding(hostile, 'high', {
      aliases: [hostile],
      package: found,
      fixedVersion: hostile,
      advisory,
    })
    const document = await written(smallScan({ findings: [finding], inventory: smallInventory({ packages: [found] }) }))
    assert.deepEqual(faultsOfCycloneDx(document), [], hostile)
  }
})
