import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LODASH, OPENSSL, smallInventory, someFinding } from '../../../../test/kit/small-scan.ts'
import type { IgnoreEntry } from './ignore-entry.ts'
import { suppress } from './index.ts'

const entry = (members: Partial<IgnoreEntry>): IgnoreEntry => ({ id: 'CVE-1', reason: 'x', place: 'f:1', ...members })

function marked(entries: IgnoreEntry[], findings = [someFinding('CVE-1', 'high')], today = '2026-11-30') {
  return suppress(findings, { inventory: smallInventory(), ignoreFile: entries, today })
}

const isSuppressed = (...args: Parameters<typeof marked>) => marked(...args).findings[0]?.suppressed !== undefined

test('a finding of the ignore file stays, and says why it does not count', () => {
  const { findings, expired, unused } = marked([
    entry({ reason: 'not reachable', expires: '2026-12-01', author: 'ann' }),
  ])
  assert.deepEqual(findings[0]?.suppressed, {
    by: 'ignore file',
    reason: 'not reachable',
    expires: '2026-12-01',
    author: 'ann',
  })
  assert.deepEqual([expired, unused], [[], []])
})

test('an entry ends on the day that it names, and that is told', () => {
  const ended = entry({ expires: '2026-11-30' })
  assert.equal(isSuppressed([ended]), false)
  assert.deepEqual(marked([ended]).expired, [ended])
  assert.equal(isSuppressed([ended], undefined, '2026-11-29'), true)
  assert.equal(isSuppressed([ended, entry({})]), true)
})

test('an entry that matches nothing is told', () => {
  const other = entry({ id: 'CVE-2' })
  assert.deepEqual(marked([entry({}), other]).unused, [other])
})

test('vulnerabilities are known by any of their names, in any letters', () => {
  assert.equal(isSuppressed([entry({ id: 'cve-1' })]), true)
  assert.equal(isSuppressed([entry({ id: 'GHSA-x' })], [someFinding('CVE-1', 'high', { aliases: ['GHSA-X'] })]), true)
  assert.equal(isSuppressed([entry({ id: 'CVE-11' })]), false)
})

const PATTERNS: [pattern: string, matches: boolean][] = [
  ['libssl3', true],
  ['libssl*', true],
  ['openssl', true],
  ['ssl', false],
  ['pkg:deb/debian/libssl3', true],
  ['pkg:deb/debian/libssl3@3.0.11-1~deb12u2', true],
  ['pkg:deb/debian/libssl3@3.0.11-*', true],
  ['pkg:deb/debian/libssl3@3.0.12', false],
  ['pkg:deb/debian/libssl3*arch=amd64*', true],
  ['pkg:deb/*', true],
  ['pkg:npm/*', false],
]

for (const [pattern, matches] of PATTERNS) {
  test(`the package pattern ${pattern} ${matches ? 'matches' : 'does not match'} libssl3 of Debian`, () => {
    assert.equal(isSuppressed([entry({ package: pattern })]), matches)
  })
}

test('scopes of npm may be written as they are', () => {
  const finding = someFinding('CVE-1', 'high', { package: LODASH })
  assert.equal(isSuppressed([entry({ package: 'pkg:npm/@scope/lodash' })], [finding]), true)
  assert.equal(isSuppressed([entry({ package: 'pkg:npm/%40scope/lodash@4.17.20' })], [finding]), true)
  assert.equal(isSuppressed([entry({ package: '@scope/*' })], [finding]), true)
})

test('a finding that is suppressed already keeps its reason, and the order of findings stays', () => {
  const kept = { by: 'exception', reason: 'by the owner' }
  const findings = [
    someFinding('CVE-1', 'low', { suppressed: kept }),
    someFinding('CVE-0', 'high', { package: OPENSSL }),
  ]
  const { findings: after, unused } = marked([entry({})], findings)
  assert.deepEqual(after, findings)
  assert.deepEqual(unused, [])
})
