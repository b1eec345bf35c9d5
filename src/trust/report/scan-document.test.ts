import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LODASH, OPENSSL, smallScan, someDigest, someFinding } from '../../../test/kit/small-scan.ts'
import { scanDocument } from './scan-document.ts'
import { summary } from './summary/index.ts'

const documentOf = (scan = smallScan()) => scanDocument(scan, { name: 'web:1.0', summary: summary(scan) })

test("bale's JSON of a scan has these members, in this order", () => {
  const { findings, packages, ...rest } = documentOf()
  assert.equal(
    JSON.stringify(rest),
    JSON.stringify({
      schemaVersion: 1,
      image: {
        name: 'web:1.0',
        manifest: someDigest('a'),
        system: { id: 'debian', version: '12', codename: 'bookworm', name: 'Debian GNU/Linux 12 (bookworm)' },
        layers: smallScan().inventory.layers,
      },
      status: 'partial',
      reasons: ['1 of 3 packages is not covered'],
      coverage: 66,
      summary: summary(smallScan()),
      support: { endOfLife: '2026-06-10', ended: true, extendedUntil: '2028-06-30' },
      advisories: { version: 'bundle-7', sources: smallScan().sources },
      gaps: [],
    }),
  )
  assert.deepEqual([findings.length, packages.length], [3, 3])
})

test('a finding of the document names its package, its layer, its rating and why it does not count', () => {
  const { findings } = documentOf()
  assert.equal(
    JSON.stringify(findings[0]),
    JSON.stringify({
      id: 'CVE-2024-1',
      aliases: ['GHSA-aaaa'],
      severity: 'critical',
      rating: { level: 'critical', by: 'nvd', score: 9.8, vector: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' },
      package: {
        index: 0,
        purl: 'pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64&distro=debian-12&upstream=openssl',
        type: 'deb',
        name: 'libssl3',
        version: '3.0.11-1~deb12u2',
        path: 'var/lib/dpkg/status',
      },
      layer: 0,
      state: 'fixed',
      fixedVersion: '3.0.14',
      exploited: true,
      exploitProbability: 0.5,
      summary: 'Memory is read after it was freed',
      url: 'https://advisories.example/CVE-2024-1',
      published: '2024-01-02T03:04:05Z',
      source: 'osv',
      ecosystem: 'Debian:12',
    }),
  )
  assert.deepEqual(findings[2]?.suppressed, {
    by: 'ignore file',
    reason: 'not reachable',
    expires: '2027-01-01',
    author: 'ann',
  })
})

test('a package of the document has its status', () => {
  const { packages } = documentOf()
  assert.equal(
    JSON.stringify(packages[1]),
    JSON.stringify({
      purl: 'pkg:golang/example.org/owner/module@v1.2.3',
      status: 'not covered',
      type: 'golang',
      name: 'example.org/owner/module',
      version: 'v1.2.3',
      path: 'app/server',
      layer: 1,
    }),
  )
})

test('the order of members does not depend on who made the result', () => {
  const reversed = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(reversed)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value)
        .toReversed()
        .map(([name, member]) => [name, reversed(member)]),
    )
  }
  const other = reversed(smallScan()) as ReturnType<typeof smallScan>
  assert.equal(JSON.stringify(documentOf(other)), JSON.stringify(documentOf()))
})

test('a copy of a package is found again, and one that is not in the inventory has no index', () => {
  const findings = [
    someFinding('CVE-1', 'low', { package: { ...LODASH } }),
    someFinding('CVE-2', 'low', { package: { ...OPENSSL, path: 'x' } }),
  ]
  assert.deepEqual(
    documentOf(smallScan({ findings })).findings.map((one) => one.package.index),
    [2, undefined],
  )
})
