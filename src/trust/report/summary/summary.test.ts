import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  LODASH,
  MODULE,
  OPENSSL,
  smallInventory,
  smallScan,
  someFinding,
  somePackage,
} from '../../../../test/kit/small-scan.ts'
import { summary, worstFindings } from './summary.ts'

const NONE = { critical: 0, high: 0, medium: 0, low: 0, negligible: 0, unknown: 0 }

test('the figures of a scan count suppressed findings apart', () => {
  assert.deepEqual(summary(smallScan()), {
    packages: 3,
    vulnerable: 2,
    vulnerabilities: 2,
    findings: { ...NONE, critical: 1, medium: 1 },
    suppressed: { ...NONE, low: 1 },
    fixable: 2,
    exploited: 1,
    notCovered: [{ type: 'golang', packages: 1 }],
    layers: [
      { layer: 0, step: 'ADD file:f0 in /', packages: 1, findings: { ...NONE, critical: 1 } },
      { layer: 1, step: 'RUN npm ci', packages: 2, findings: { ...NONE, medium: 1 } },
    ],
  })
})

test('a vulnerability of two packages is two findings, and a package with two is one', () => {
  const other = { ...OPENSSL, name: 'openssl' }
  const findings = [
    someFinding('CVE-1', 'high'),
    someFinding('CVE-1', 'high', { package: other, fixedVersion: undefined }),
    someFinding('CVE-2', 'low'),
  ]
  const {
    vulnerabilities,
    vulnerable,
    findings: counts,
    fixable,
  } = summary(smallScan({ findings, inventory: smallInventory({ packages: [OPENSSL, other] }) }))
  assert.deepEqual([vulnerabilities, vulnerable, counts.high, counts.low, fixable], [2, 2, 2, 1, 2])
})

test('figures of a result that was kept as JSON are the same', () => {
  const scan = smallScan({ findings: [someFinding('CVE-1', 'high'), someFinding('CVE-2', 'low')] })
  assert.deepEqual(summary(JSON.parse(JSON.stringify(scan))), summary(scan))
})

test('what is not covered is told by type, most packages first', () => {
  const packages = [MODULE, LODASH, { ...LODASH, name: 'b' }, somePackage({ type: 'cargo', name: 'a' })]
  const scan = smallScan({
    inventory: smallInventory({ packages }),
    packages: packages.map(() => 'not covered'),
    findings: [],
  })
  assert.deepEqual(summary(scan).notCovered, [
    { type: 'npm', packages: 2 },
    { type: 'cargo', packages: 1 },
    { type: 'golang', packages: 1 },
  ])
})

test('the worst are told by severity, then exploited ones, then likely ones, without the suppressed', () => {
  const findings = [
    someFinding('CVE-5', 'critical', { suppressed: { by: 'VEX', reason: 'not affected' } }),
    someFinding('CVE-3', 'high'),
    someFinding('CVE-4', 'high', { advisory: { exploitProbability: 0.3 } }),
    someFinding('CVE-2', 'low', { advisory: { exploited: true } }),
    someFinding('CVE-1', 'high', { advisory: { exploited: true } }),
    someFinding('CVE-1', 'high', { package: LODASH }),
  ]
  const worst = worstFindings(smallScan({ findings }), 3)
  assert.deepEqual(
    worst.map(({ finding, packages }) => [finding.id, packages]),
    [
      ['CVE-1', ['libssl3', '@scope/lodash']],
      ['CVE-4', ['libssl3']],
      ['CVE-3', ['libssl3']],
    ],
  )
})
