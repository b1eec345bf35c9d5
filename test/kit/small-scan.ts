/** A small image and a scan of it, made by hand: for tests of documents about them. */
import { parseDigest } from '#spec'
import type { Advisory, Severity } from '#trust/advisories'
import type { Inventory, InventoryPackage } from '#trust/inventory'
import type { Finding, PackageStatus, ScanResult } from '#trust/match'

/** `sha256:` and a digit sixty-four times. */
export const someDigest = (digit: string) => parseDigest(`sha256:${digit.repeat(64)}`)

/** A package of the small image, which its second layer brought unless something else is said. */
export function somePackage(members: Partial<InventoryPackage> & Pick<InventoryPackage, 'type' | 'name'>) {
  return { version: '1.0', path: 'usr/lib/somewhere', layer: 1, ...members } satisfies InventoryPackage
}

export const OPENSSL = somePackage({
  type: 'deb',
  name: 'libssl3',
  version: '3.0.11-1~deb12u2',
  architecture: 'amd64',
  source: { name: 'openssl', version: '3.0.11-1~deb12u2' },
  licences: ['Apache-2.0', 'Artistic or GPL'],
  vendor: 'Debian OpenSSL Team <openssl@debian.example>',
  path: 'var/lib/dpkg/status',
  layer: 0,
})

export const LODASH = somePackage({
  type: 'npm',
  name: '@scope/lodash',
  version: '4.17.20',
  licences: ['(MIT OR Apache-2.0)'],
  path: 'app/node_modules/@scope/lodash/package.json',
})

export const MODULE = somePackage({
  type: 'golang',
  name: 'example.org/owner/module',
  version: 'v1.2.3',
  path: 'app/server',
})

/** Two layers, an operating system, and a package of each of three kinds. */
export function smallInventory(members: Partial<Inventory> = {}): Inventory {
  return {
    analyser: 1,
    manifest: someDigest('a'),
    system: { id: 'debian', version: '12', codename: 'bookworm', name: 'Debian GNU/Linux 12 (bookworm)' },
    layers: [
      { digest: someDigest('1'), diffId: someDigest('2'), createdBy: '/bin/sh -c #(nop) ADD file:f0 in / ' },
      { digest: someDigest('3'), diffId: someDigest('4'), createdBy: 'RUN /bin/sh -c npm ci # buildkit' },
    ],
    packages: [OPENSSL, MODULE, LODASH],
    gaps: [],
    ...members,
  }
}

interface FindingMembers extends Partial<Omit<Finding, 'advisory'>> {
  readonly advisory?: Partial<Advisory>
}

/** A finding of the severity that is given, with a fix unless something else is said. */
export function someFinding(id: string, severity: Severity, members: FindingMembers = {}): Finding {
  const found = members.package ?? OPENSSL
  const advisory: Advisory = {
    id,
    aliases: [],
    ecosystem: 'Debian:12',
    name: found.source?.name ?? found.name,
    ranges: [{ events: [{ introduced: '0' }, { fixed: '3.0.14' }] }],
    state: 'fixed',
    severity: { level: severity, by: 'debian-tracker' },
    url: `https://advisories.example/${id}`,
    source: 'osv',
    ...members.advisory,
  }
  return { id, aliases: [], package: found, severity, fixedVersion: '3.0.14', ...members, advisory }
}

/** What a scan of the small image says: the module of Go is not covered. */
export function smallScan(members: Partial<ScanResult> = {}): ScanResult {
  const inventory = members.inventory ?? smallInventory()
  const findings = members.findings ?? [
    someFinding('CVE-2024-1', 'critical', {
      aliases: ['GHSA-aaaa'],
      advisory: {
        severity: { level: 'critical', by: 'nvd', score: 9.8, vector: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' },
        summary: 'Memory is read after it was freed',
        published: '2024-01-02T03:04:05Z',
        exploited: true,
        exploitProbability: 0.5,
      },
    }),
    someFinding('CVE-2024-2', 'medium', { package: LODASH, fixedVersion: '4.17.21', advisory: { ecosystem: 'npm' } }),
    someFinding('CVE-2024-3', 'low', {
      fixedVersion: undefined,
      advisory: { state: 'will not fix' },
      suppressed: { by: 'ignore file', reason: 'not reachable', expires: '2027-01-01', author: 'ann' },
    }),
  ]
  return {
    inventory,
    status: 'partial',
    reasons: ['1 of 3 packages is not covered'],
    coverage: 66,
    packages: inventory.packages.map(({ type }): PackageStatus => (type === 'golang' ? 'not covered' : 'vulnerable')),
    findings,
    sources: [
      { ecosystem: 'Debian:12', source: 'osv', knows: 'all', asOf: '2026-11-01T00:00:00Z', advisories: 40000 },
      { ecosystem: 'npm', source: 'osv', knows: 'all', asOf: '2026-11-01T00:00:00Z', advisories: 9000 },
    ],
    support: { endOfLife: '2026-06-10', ended: true, extendedUntil: '2028-06-30' },
    advisories: 'bundle-7',
    ...members,
  }
}
