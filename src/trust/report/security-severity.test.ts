import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Severity } from '#trust/advisories'
import { someFinding } from '../../../test/kit/small-scan.ts'
import { securitySeverity } from './security-severity.ts'

const CASES: [severity: Severity, score: number | undefined, shown: string | undefined][] = [
  ['critical', 9.8, '9.8'],
  ['critical', undefined, '9.5'],
  ['low', 9.8, '2.0'],
  ['medium', 4, '4.0'],
  ['medium', 3.9, '5.5'],
  ['high', Number.NaN, '8.0'],
  ['critical', 11, '9.5'],
  ['negligible', 9, '0.1'],
  ['unknown', 9, undefined],
]

for (const [severity, score, shown] of CASES) {
  test(`severity ${severity} with the score ${score} is shown as ${shown}`, () => {
    const finding = someFinding('CVE-1', severity, { advisory: { severity: { level: severity, by: 'nvd', score } } })
    assert.equal(securitySeverity(finding), shown)
  })
}
