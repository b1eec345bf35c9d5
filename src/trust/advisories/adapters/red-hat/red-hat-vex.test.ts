import assert from 'node:assert/strict'
import { test } from 'node:test'
import { modularName } from '../../modular-name.ts'
import { createTally } from '../tally.ts'
import { readRedHatVex } from './read-red-hat-vex.ts'
import { redHatEcosystem } from './red-hat-ecosystem.ts'

/** Releases by the id that relationships use. */
const RELEASES = {
  BaseOS: 'cpe:/o:redhat:enterprise_linux:9::baseos',
  AppStream: 'cpe:/a:redhat:enterprise_linux:9::appstream',
  rhel8: 'cpe:/o:redhat:enterprise_linux:8',
  rhel7: 'cpe:/o:redhat:enterprise_linux:7',
  eus: 'cpe:/o:redhat:rhel_eus:9.0::baseos',
  satellite: 'cpe:/a:redhat:satellite:6.14::el8',
}
const COMPONENTS = {
  'openssl-3.el9_2.src': 'pkg:rpm/redhat/openssl@3.0.7-6.el9_2?arch=src&epoch=1',
  'openssl-3.el9_3.src': 'pkg:rpm/redhat/openssl@3.0.7-16.el9_3?arch=src&epoch=1',
  'openssl-libs.x86_64': 'pkg:rpm/redhat/openssl-libs@3.0.7-16.el9_3?arch=x86_64&epoch=1',
  'openssl.src': 'pkg:rpm/redhat/openssl?arch=src',
  openssl: 'pkg:rpm/redhat/openssl',
  'nodejs-18.src': 'pkg:rpm/redhat/nodejs@18.19.0-1.module%2Bel9?arch=src&rpmmod=nodejs:18:9040020:rhel9',
  'nodejs:20/nodejs': 'pkg:rpm/redhat/nodejs?arch=src&rpmmod=nodejs:20',
  'flatpak.src': 'pkg:rpm/redhat/firefox-flatpak@1?arch=src&rpmmod=rhel10',
  'postgresql.src': 'pkg:rpm/redhat/postgresql@13.1-1?arch=src',
  'postgresql:13:1:2': 'pkg:rpmmod/redhat/postgresql@13:1:2',
  'ubi9/image': 'pkg:oci/image@sha256:00?repository_url=registry.example/ubi9',
  bad: 'not a package URL',
}

type Status = Partial<Record<'fixed' | 'known_affected' | 'known_not_affected' | 'under_investigation', string[]>>

/** Products are `RELEASE:COMPONENT`. */
function vex(status: Status, more: Record<string, unknown> = {}) {
  const product = (product_id: string, helper: object) => ({
    category: 'product_version',
    name: product_id,
    product: { name: product_id, product_id, product_identification_helper: helper },
  })
  const relation = (release: string, component: string) => ({
    category: 'default_component_of',
    full_product_name: { name: 'x', product_id: `${release}:${component}` },
    product_reference: component,
    relates_to_product_reference: release,
  })
  const { product_tree: tree = {}, ...vulnerability } = more
  return {
    document: {
      category: 'csaf_vex',
      aggregate_severity: { text: 'Moderate' },
      tracking: { current_release_date: '2024-05-01T00:00:00+00:00' },
    },
    product_tree: {
      branches: [
        {
          category: 'vendor',
          name: 'Red Hat',
          branches: Object.entries(RELEASES).map(([id, cpe]) => product(id, { cpe })),
        },
        ...Object.entries(COMPONENTS).map(([id, purl]) => product(id, { purl })),
      ],
      relationships: [
        ...Object.keys(RELEASES).flatMap((release) =>
          Object.keys(COMPONENTS).map((component) => relation(release, component)),
        ),
        relation('AppStream:postgresql:13:1:2', 'postgresql.src'),
      ],
      ...(tree as object),
    },
    vulnerabilities: [
      {
        cve: 'CVE-2024-1',
        title: 'openssl: a flaw',
        release_date: '2024-03-05T00:00:00+00:00',
        product_status: status,
        ...vulnerability,
      },
    ],
  }
}

async function read(...documents: unknown[]) {
  const tally = createTally()
  const files = documents.map((document, index) => ({
    name: `${index}.json`,
    bytes: Buffer.from(JSON.stringify(document)),
  }))
  return { advisories: await Array.fromAsync(readRedHatVex(files, { tally })), tally }
}

const short = ({ advisories }: Awaited<ReturnType<typeof read>>) =>
  advisories.map(
    ({ ecosystem, name, state, ranges }) =>
      `${ecosystem} ${name} ${state} ${ranges.flatMap(({ events }) => events.map((event) => ('fixed' in event ? event.fixed : '0'))).join(' ')}`,
  )

test('a fix is an advisory of the source package with all its versions, for the release as a whole', async () => {
  const { advisories, tally } = await read(
    vex(
      {
        fixed: [
          'BaseOS:openssl-3.el9_3.src',
          'BaseOS:openssl-libs.x86_64',
          'AppStream:openssl-3.el9_2.src',
          'AppStream:openssl-3.el9_3.src',
        ],
      },
      {
        threats: [
          { category: 'impact', details: 'Important', product_ids: ['BaseOS:openssl-3.el9_3.src'] },
          { category: 'exploit_status', details: 'Critical', product_ids: ['BaseOS:openssl-3.el9_3.src'] },
        ],
        scores: [
          { cvss_v3: { baseScore: 7.5, vectorString: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H' }, products: [] },
        ],
      },
    ),
  )
  assert.equal(tally.records, 1)
  assert.deepEqual(advisories, [
    {
      id: 'CVE-2024-1',
      aliases: [],
      ecosystem: 'Red Hat:enterprise_linux:9',
      name: 'openssl',
      ranges: ['1:3.0.7-16.el9_3', '1:3.0.7-6.el9_2'].map((fixed) => ({ events: [{ introduced: '0' }, { fixed }] })),
      state: 'fixed',
      severity: { level: 'high', by: 'redhat', score: 7.5, vector: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H' },
      summary: 'openssl: a flaw',
      url: 'https://access.redhat.com/security/cve/CVE-2024-1',
      published: '2024-03-05T00:00:00Z',
      modified: '2024-05-01T00:00:00Z',
      source: 'redhat-vex',
      remark: 'fixed for each minor release by itself; the last of these versions counts',
    },
  ])
})

test('what is not fixed is told with what Red Hat means to do; what is not affected is not told', async () => {
  const found = await read(
    vex(
      {
        known_affected: ['rhel8:openssl.src', 'rhel7:openssl.src', 'BaseOS:openssl.src'],
        under_investigation: ['AppStream:nodejs:20/nodejs'],
        known_not_affected: ['rhel8:nodejs:20/nodejs'],
      },
      {
        remediations: [
          { category: 'no_fix_planned', details: 'Out of support scope', product_ids: ['rhel7:openssl.src'] },
          { category: 'none_available', details: 'Fix deferred', product_ids: ['rhel8:openssl.src'] },
          { category: 'none_available', details: 'Affected', product_ids: ['BaseOS:openssl.src'] },
        ],
      },
    ),
  )
  assert.deepEqual(short(found), [
    'Red Hat:enterprise_linux:8 openssl deferred 0',
    'Red Hat:enterprise_linux:7 openssl will not fix 0',
    'Red Hat:enterprise_linux:9 openssl not fixed 0',
    'Red Hat:enterprise_linux:9 nodejs:20/nodejs under investigation 0',
  ])
  assert.deepEqual(found.advisories[0]?.severity, { level: 'medium', by: 'redhat' }, 'the rating of the whole document')
})

test('packages of modules have the name of their stream, by qualifier or by a product between', async () => {
  const found = await read(
    vex({ fixed: ['AppStream:nodejs-18.src', 'AppStream:postgresql:13:1:2:postgresql.src', 'AppStream:flatpak.src'] }),
  )
  assert.deepEqual(short(found), [
    'Red Hat:enterprise_linux:9 nodejs:18/nodejs fixed 0 18.19.0-1.module+el9',
    'Red Hat:enterprise_linux:9 postgresql:13/postgresql fixed 0 13.1-1',
  ])
  assert.equal(modularName('nodejs', 'nodejs:18:9040020:rhel9'), 'nodejs:18/nodejs')
  assert.equal(modularName('nodejs', 'nodejs'), undefined)
})

test('other products, containers and what cannot be read are left out; without sources the binaries count', async () => {
  const found = await read(
    vex({
      fixed: [
        'eus:openssl-3.el9_3.src',
        'satellite:openssl-3.el9_3.src',
        'BaseOS:ubi9/image',
        'BaseOS:bad',
        'unknown',
        'rhel8:openssl.src',
      ],
      known_affected: ['rhel7:openssl'],
    }),
  )
  assert.deepEqual(short(found), ['Red Hat:enterprise_linux:7 openssl not fixed 0'])
})

test('CPEs of Enterprise Linux are one ecosystem for each major release', () => {
  const cpes = [
    'cpe:/o:redhat:enterprise_linux:9::baseos',
    'cpe:2.3:o:redhat:enterprise_linux:8:*:*',
    'cpe:/o:redhat:enterprise_linux:10.1',
    'enterprise_linux:7',
    'cpe:/o:redhat:rhel_eus:9.0',
    'cpe:/a:redhat:openshift:4',
    'cpe:/o:redhat:enterprise_linux:9x',
  ]
  assert.deepEqual(
    cpes.map(redHatEcosystem),
    [9, 8, 10, 7]
      .map((major): string | undefined => `Red Hat:enterprise_linux:${major}`)
      .concat([undefined, undefined, undefined]),
  )
})

test('a malformed document is skipped and counted, also one whose products lead in a circle or are nested too deep', async () => {
  const circle = [
    ['a', 'b'],
    ['b', 'a'],
  ].map(([id, other]) => ({
    full_product_name: { product_id: id },
    product_reference: other,
    relates_to_product_reference: other,
  }))
  let branches: unknown[] = []
  for (let depth = 0; depth < 40; depth++) branches = [{ branches }]
  const { advisories, tally } = await read(
    {},
    [],
    { document: { category: 'csaf_security_advisory' } },
    vex({}, { cve: undefined }),
    vex({ fixed: {} as string[] }),
    vex({}, { product_tree: { branches } }),
    vex({ fixed: ['a'] }, { product_tree: { relationships: circle } }),
    vex({ known_affected: ['rhel8:openssl.src'] }),
  )
  assert.deepEqual([advisories.length, tally.skipped, tally.records], [1, 6, 2])
})
