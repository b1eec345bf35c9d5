import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isBaleError } from '#base'
import { parseReference } from '#spec'
import { LODASH, smallInventory, someDigest, someFinding, somePackage } from '../../../../test/kit/small-scan.ts'
import { parseVex, suppress } from './index.ts'

const bytes = (document: unknown) => new TextEncoder().encode(JSON.stringify(document))

/** Why a finding is suppressed by these documents; undefined when it counts. */
async function verdict(
  documents: unknown[],
  finding = someFinding('CVE-1', 'high'),
  name = 'registry.example/web:1.0',
  system = smallInventory().system,
) {
  const vex = (await Promise.all(documents.map((one, at) => parseVex(bytes(one), `${at}.json`)))).flat()
  const about = { inventory: smallInventory({ system }), reference: parseReference(name), today: '2026-11-30' }
  return suppress([finding], { ...about, vex }).findings[0]?.suppressed
}

const SSL = 'pkg:deb/debian/libssl3@3.0.11-1~deb12u2'

function openVex(statement: object, document: object = {}) {
  return {
    '@context': 'https://openvex.dev/ns/v0.2.0',
    author: 'Ann',
    timestamp: '2026-01-01T00:00:00Z',
    ...document,
    statements: [
      { vulnerability: { name: 'CVE-1' }, products: [{ '@id': SSL }], status: 'not_affected', ...statement },
    ],
  }
}

test('OpenVEX: what is not affected does not count, with the reason and the author', async () => {
  const statement = { justification: 'vulnerable_code_not_present', impact_statement: 'It is left out of the build' }
  assert.deepEqual(await verdict([openVex(statement)]), {
    by: 'VEX',
    reason: 'not affected: vulnerable_code_not_present. It is left out of the build',
    author: 'Ann',
  })
  assert.equal((await verdict([openVex({ status: 'fixed' })]))?.reason, 'fixed')
})

test('OpenVEX: affected, or under investigation, counts', async () => {
  assert.equal(await verdict([openVex({ status: 'affected' })]), undefined)
  assert.equal(await verdict([openVex({ status: 'under_investigation' })]), undefined)
})

test('OpenVEX: a vulnerability is known by any of its names', async () => {
  const aliases = openVex({ vulnerability: { name: 'GHSA-x', aliases: ['cve-1'] } })
  assert.ok(await verdict([aliases]))
  assert.ok(await verdict([openVex({ vulnerability: 'CVE-1' })]))
  assert.equal(await verdict([openVex({ vulnerability: { name: 'CVE-2' } })]), undefined)
  assert.ok(await verdict([openVex({})], someFinding('GHSA-y', 'high', { aliases: ['CVE-1'] })))
})

interface Match {
  purl: string
  matches: boolean
  why: string
}

const MATCHES: Match[] = [
  { purl: SSL, matches: true, why: 'version as installed' },
  { purl: 'pkg:deb/debian/libssl3', matches: true, why: 'no version' },
  { purl: 'pkg:deb/debian/libssl3@3.0.11-1%7Edeb12u2', matches: true, why: 'escaped' },
  { purl: 'pkg:deb/debian/libssl3@3.0.12', matches: false, why: 'another version' },
  { purl: 'pkg:deb/ubuntu/libssl3', matches: false, why: 'another vendor' },
  { purl: 'pkg:deb/debian/libssl3?arch=amd64', matches: true, why: 'the architecture' },
  { purl: 'pkg:deb/debian/libssl3?arch=arm64', matches: false, why: 'another architecture' },
  { purl: 'pkg:deb/debian/libssl3?distro=bookworm', matches: true, why: 'the release by its codename' },
  { purl: 'pkg:deb/debian/libssl3?distro=debian-12', matches: true, why: 'the release' },
  { purl: 'pkg:deb/debian/libssl3?distro=bullseye', matches: false, why: 'another release' },
  { purl: 'pkg:deb/debian/libssl3?epoch=1', matches: false, why: 'a qualifier that the package lacks' },
  { purl: 'pkg:deb/debian/openssl', matches: false, why: 'another package of the same source' },
  { purl: 'pkg:deb/debian/openssl?arch=source', matches: true, why: 'its source' },
  { purl: 'pkg:deb/debian/openssl@3.0.11-1~deb12u2?arch=src', matches: true, why: 'its source, as Red Hat writes it' },
  { purl: 'pkg:deb/debian/openssl@3.0.10?arch=source', matches: false, why: 'another version of its source' },
  { purl: `pkg:oci/web@${someDigest('a')}`, matches: true, why: 'the image by its digest' },
  {
    purl: `pkg:oci/web@${someDigest('a')}?repository_url=elsewhere.example`,
    matches: true,
    why: 'the digest, wherever it is',
  },
  { purl: `pkg:oci/web@${someDigest('b')}`, matches: false, why: 'another image' },
  { purl: 'pkg:oci/web?repository_url=registry.example/web', matches: true, why: 'the image by its repository' },
  { purl: 'pkg:oci/web?repository_url=registry.example/other/web', matches: false, why: 'another repository' },
  { purl: 'pkg:oci/web?tag=2.0', matches: false, why: 'another tag' },
  { purl: 'libssl3', matches: false, why: 'no package URL' },
]

for (const { purl, matches, why } of MATCHES) {
  test(`a statement on ${purl} ${matches ? 'is' : 'is not'} about the package: ${why}`, async () => {
    const found = await verdict([openVex({ products: [{ '@id': purl }] })])
    assert.equal(found !== undefined, matches)
    const identified = openVex({ products: [{ '@id': 'https://x.example', identifiers: { purl } }] })
    assert.equal((await verdict([identified])) !== undefined, matches)
  })
}

test('a statement on a part of the image is about that package alone, and on a part of a package about none', async () => {
  const part = (product: string) =>
    openVex({ products: [{ '@id': product, subcomponents: [{ '@id': 'pkg:deb/debian/libssl3' }] }] })
  assert.ok(await verdict([part('pkg:oci/web')]))
  assert.equal(await verdict([part('pkg:oci/web')], someFinding('CVE-1', 'high', { package: LODASH })), undefined)
  assert.equal(await verdict([part('pkg:oci/other')]), undefined)
  assert.equal(await verdict([part(SSL)]), undefined)
})

test('fixed without a version says nothing of the installed one', async () => {
  assert.equal(await verdict([openVex({ status: 'fixed', products: ['pkg:deb/debian/libssl3'] })]), undefined)
  assert.equal(await verdict([openVex({ status: 'fixed', products: ['pkg:oci/web'] })]), undefined)
  assert.ok(await verdict([openVex({ status: 'fixed', products: [`pkg:oci/web@${someDigest('a')}`] })]))
})

test('names that an ecosystem writes in several ways are one', async () => {
  const finding = someFinding('CVE-1', 'high', { package: somePackage({ type: 'pypi', name: 'zope.interface' }) })
  assert.ok(await verdict([openVex({ products: ['pkg:pypi/Zope_Interface@1.0'] })], finding))
  const scoped = someFinding('CVE-1', 'high', { package: LODASH })
  assert.ok(await verdict([openVex({ products: ['pkg:npm/%40scope/lodash'] })], scoped))
})

test('a later statement replaces an earlier one, whatever the order of the documents', async () => {
  const early = openVex({})
  const late = openVex({ status: 'affected' }, { timestamp: '2026-02-01T00:00:00Z' })
  assert.equal(await verdict([early, late]), undefined)
  assert.equal(await verdict([late, early]), undefined)
  assert.ok(await verdict([late, openVex({ timestamp: '2026-03-01T00:00:00Z' })]))
  assert.equal(await verdict([early, openVex({ status: 'affected' })]), undefined)
  assert.ok(await verdict([openVex({ status: 'affected' }), early]))
})

function cycloneDx(vulnerability: object, document: object = {}) {
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    metadata: { timestamp: '2026-01-01T00:00:00Z', supplier: { name: 'Ann' } },
    components: [{ name: 'outer', components: [{ 'bom-ref': 'ssl', name: 'libssl3', purl: SSL }] }],
    ...document,
    vulnerabilities: [
      {
        id: 'CVE-1',
        analysis: { state: 'not_affected', justification: 'code_not_reachable' },
        affects: [{ ref: 'ssl' }],
        ...vulnerability,
      },
    ],
  }
}

test('CycloneDX: an analysis is about what it affects, by reference, package URL or a link into another document', async () => {
  assert.deepEqual(await verdict([cycloneDx({})]), {
    by: 'VEX',
    reason: 'not affected: code_not_reachable',
    author: 'Ann',
  })
  assert.ok(await verdict([cycloneDx({ affects: [{ ref: SSL }] })]))
  const link = `urn:cdx:f08a6ccd-4dce-4759-bd84-c626675d60a7/1#${encodeURIComponent(SSL)}`
  assert.ok(await verdict([cycloneDx({ affects: [{ ref: link }] })]))
  assert.equal(await verdict([cycloneDx({ affects: [{ ref: 'other' }] })]), undefined)
})

for (const [state, reason] of [
  ['false_positive', 'not affected'],
  ['resolved', 'fixed'],
  ['exploitable', undefined],
  ['in_triage', undefined],
]) {
  test(`CycloneDX: ${state} means ${reason ?? 'that it counts'}`, async () => {
    assert.equal((await verdict([cycloneDx({ analysis: { state } })]))?.reason, reason)
  })
}

test('CycloneDX: versions that are said to be affected, and ranges, are not taken', async () => {
  const affects = (version: object) => cycloneDx({ affects: [{ ref: 'pkg:deb/debian/libssl3', versions: [version] }] })
  assert.ok(await verdict([affects({ version: '3.0.11-1~deb12u2', status: 'unaffected' })]))
  assert.equal(await verdict([affects({ version: '3.0.11-1~deb12u2', status: 'affected' })]), undefined)
  assert.equal(await verdict([affects({ version: '1', status: 'unaffected' })]), undefined)
  assert.equal(await verdict([affects({ range: 'vers:deb/<4', status: 'unaffected' })]), undefined)
})

test('CycloneDX: a later statement that leaves it open counts, whichever versions it names', async () => {
  const open = (versions: object[]) =>
    cycloneDx(
      { analysis: { state: 'exploitable' }, affects: [{ ref: 'pkg:deb/debian/libssl3', versions }] },
      { metadata: { timestamp: '2026-02-01T00:00:00Z' } },
    )
  const early = cycloneDx({})
  assert.ok(await verdict([early]))
  for (const versions of [
    [{ range: 'vers:deb/<4' }],
    [{ version: '3.0.11-1~deb12u2' }],
    [{ version: '1' }, { range: 'x' }],
  ])
    assert.equal(await verdict([early, open(versions)]), undefined, JSON.stringify(versions))
  assert.ok(await verdict([early, open([{ version: '1' }])]), 'another version')
  assert.ok(await verdict([early, open([{ version: '3.0.11-1~deb12u2', status: 'unaffected' }])]))
})

test('CycloneDX: a vulnerability without an analysis says nothing', async () => {
  assert.equal(await verdict([cycloneDx({ analysis: undefined })]), undefined)
})

function csaf(status: object, more: object = {}) {
  return {
    document: {
      category: 'csaf_vex',
      csaf_version: '2.0',
      publisher: { name: 'Ann' },
      tracking: { current_release_date: '2026-01-01T00:00:00Z' },
    },
    product_tree: {
      branches: [
        {
          category: 'vendor',
          branches: [
            { product: { product_id: 'system' } },
            { product: { product_id: 'ssl', product_identification_helper: { purl: SSL } } },
          ],
        },
      ],
      relationships: [
        {
          category: 'default_component_of',
          product_reference: 'ssl',
          relates_to_product_reference: 'system',
          full_product_name: { product_id: 'system:ssl', name: 'x' },
        },
      ],
      product_groups: [{ group_id: 'all', product_ids: ['ssl', 'system:ssl'] }],
    },
    vulnerabilities: [{ cve: 'CVE-1', product_status: status, ...more }],
  }
}

test('CSAF: products are found in branches and as parts of other products, with flags and impacts as reasons', async () => {
  const flags = [{ label: 'component_not_present', group_ids: ['all'] }]
  const threats = [
    { category: 'impact', details: 'Not built in', product_ids: ['system:ssl'] },
    { category: 'exploit_status', details: 'x' },
  ]
  assert.deepEqual(await verdict([csaf({ known_not_affected: ['system:ssl'] }, { flags, threats })]), {
    by: 'VEX',
    reason: 'not affected: component_not_present. Not built in',
    author: 'Ann',
  })
  assert.equal(
    (await verdict([csaf({ known_not_affected: ['ssl'] }, { flags, threats })]))?.reason,
    'not affected: component_not_present',
  )
  assert.equal((await verdict([csaf({ fixed: ['ssl'] })]))?.reason, 'fixed')
})

test('CSAF: affected, or under investigation, counts, also where the same document says something else as well', async () => {
  assert.equal(await verdict([csaf({ under_investigation: ['ssl'] })]), undefined)
  assert.equal(await verdict([csaf({ known_affected: ['ssl'], known_not_affected: ['ssl'] })]), undefined)
  assert.equal(await verdict([csaf({ known_not_affected: ['system'] })]), undefined)
})

test('CSAF: a vulnerability is known by other ids, and products by those of version 2.1', async () => {
  const document = csaf({ known_not_affected: ['new'] }, { cve: null, ids: [{ system_name: 'x', text: 'CVE-1' }] })
  Object.assign(document.product_tree, {
    full_product_names: [{ product_id: 'new', product_identification_helper: { purls: [SSL] } }],
  })
  assert.ok(await verdict([document]))
})

const RELEASES: [system: string, version: string, cpe: string, isMeant: boolean][] = [
  ['rhel', '9.4', 'cpe:/o:redhat:enterprise_linux:9::baseos', true],
  ['rhel', '9.4', 'cpe:2.3:a:redhat:enterprise_linux:9.2:*:*', true],
  ['rhel', '9.4', 'cpe:/o:redhat:enterprise_linux:8', false],
  ['rhel', '9.4', 'cpe:/o:redhat:enterprise_linux:90', false],
  ['rhel', '9.4', 'cpe:/o:redhat:rhel_eus:9.4', false],
  ['centos', '9', 'cpe:/o:redhat:enterprise_linux:9', true],
  ['centos', '7', 'cpe:/o:redhat:enterprise_linux:9', false],
  ['fedora', '9', 'cpe:/o:redhat:enterprise_linux:9', false],
  ['sles', '15.5', 'cpe:/o:suse:sles:15:sp5', true],
  ['sles', '15.5', 'cpe:2.3:o:suse:sles:15:sp5:*:*', true],
  ['sles', '15.5', 'cpe:/o:suse:sle-module-basesystem:15:sp5', true],
  ['sles', '15.5', 'cpe:2.3:o:suse:sle\\-module\\-server\\-applications:15:sp5:*', true],
  ['sles', '15.5', 'cpe:/o:suse:sles:15:sp4', false],
  ['sles', '15.5', 'cpe:/o:suse:sles:15', false],
  ['sles', '15', 'cpe:/o:suse:sles:15', true],
  ['sles', '15.5', 'cpe:/o:suse:sles-ltss:15:sp5', false],
  ['opensuse-leap', '15.6', 'cpe:/o:opensuse:leap:15.6', true],
  ['opensuse-leap', '15.6', 'cpe:/o:opensuse:leap:15.5', false],
  ['opensuse-leap', '15.6', 'cpe:/o:opensuse:tumbleweed', false],
  ['opensuse-tumbleweed', '20260101', 'cpe:/o:opensuse:tumbleweed', true],
]

const NAMESPACES: Record<string, string> = {
  sles: 'suse',
  'opensuse-leap': 'opensuse',
  'opensuse-tumbleweed': 'opensuse',
}

for (const [id, version, cpe, isMeant] of RELEASES) {
  test(`CSAF: ${cpe} ${isMeant ? 'is' : 'is not'} the release of ${id} ${version}`, async () => {
    const document = csaf({ known_not_affected: ['system:ssl'] })
    const branches = document.product_tree.branches[0]!.branches
    Object.assign(branches[0]!.product, { product_identification_helper: { cpe } })
    const purl = `pkg:rpm/${NAMESPACES[id] ?? (id === 'fedora' ? id : 'redhat')}/openssl`
    Object.assign(branches[1]!.product, { product_identification_helper: { purl } })
    const finding = someFinding('CVE-1', 'high', { package: somePackage({ type: 'rpm', name: 'openssl' }) })
    assert.equal((await verdict([document], finding, undefined, { id, version })) !== undefined, isMeant)
  })
}

const REFUSED: [name: string, document: unknown, says: RegExp][] = [
  ['an unknown status', openVex({ status: 'maybe' }), /^vex\.json: statements\[0\]\.status: /],
  ['no list of statements', { '@context': 'https://openvex.dev/ns', statements: {} }, /^vex\.json: statements: /],
  ['an unknown state', cycloneDx({ analysis: { state: 'x' } }), /vulnerabilities\[0\]\.analysis\.state: /],
  [
    'a product without an id',
    { ...csaf({}), product_tree: { branches: [{ product: {} }] } },
    /branches\[0\]\.product\.product_id/,
  ],
  ['no VEX document', { hello: 1 }, /^vex\.json is no VEX document$/],
  ['a list', [], /no VEX document/],
]

for (const [name, document, says] of REFUSED) {
  test(`a document with ${name} is refused with the place`, async () => {
    await assert.rejects(parseVex(bytes(document), 'vex.json'), (error) => {
      assert.ok(isBaleError(error, 'INVALID_ARGUMENT'), String(error))
      assert.match(error.message, says)
      return true
    })
  })
}

test('a document that is no JSON, or nested too deeply, is refused', async () => {
  const refused = (error: unknown) => isBaleError(error, 'INVALID_ARGUMENT')
  await assert.rejects(parseVex(new TextEncoder().encode('{'), 'vex.json'), refused)
  await assert.rejects(parseVex(new TextEncoder().encode('['.repeat(1000)), 'vex.json'), refused)
})
