import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryFile } from '../../../../../test/kit/memory-file.ts'
import { sbom } from './index.ts'

const analyse = async (content: unknown, path = 'x.cdx.json') =>
  sbom.analyse(
    memoryFile(path, Buffer.from(typeof content === 'string' ? content : JSON.stringify(content))),
    () => undefined,
  )

const cycloneDx = (...components: unknown[]) => ({ bomFormat: 'CycloneDX', specVersion: '1.6', version: 1, components })
const library = (purl: string) => ({ type: 'library', name: 'x', version: '1', purl })

test('bills of materials are looked at by the usual names', () => {
  const wants = (path: string) => sbom.wants({ path, size: 1, mode: 0o644 }) !== undefined
  for (const path of [
    'opt/bitnami/nginx/.spdx-nginx.spdx',
    'a.spdx.json',
    'a.cdx.json',
    'a.bom.json',
    'bom.json',
    'a.cdx',
  ])
    assert.ok(wants(path) && wants(`var/lib/${path}`), path)
  for (const path of ['abom.json', 'bom.xml', 'spdx.json', 'a.spdx.rdf']) assert.ok(!wants(path), path)
})

const urls: [url: string, expected: object][] = [
  ['pkg:npm/%40scope/name@1.2.3', { type: 'npm', name: '@scope/name', version: '1.2.3' }],
  ['pkg:npm/@scope/name@1.2.3?vcs_url=git%2Bssh://x#lib', { type: 'npm', name: '@scope/name', version: '1.2.3' }],
  ['pkg:npm/JSONStream@1.0.0', { type: 'npm', name: 'JSONStream', version: '1.0.0' }],
  ['pkg:pypi/zope_interface@1.0', { type: 'pypi', name: 'zope_interface', version: '1.0' }],
  [
    'pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1?type=jar',
    {
      type: 'maven',
      name: 'org.apache.logging.log4j:log4j-core',
      version: '2.14.1',
    },
  ],
  [
    'pkg:golang/github.com/Masterminds/semver/v3@v3.2.0',
    {
      type: 'golang',
      name: 'github.com/Masterminds/semver/v3',
      version: 'v3.2.0',
    },
  ],
  ['pkg:golang/example.org/a@vendored', { type: 'golang', name: 'example.org/a', version: 'vendored' }],
  ['pkg:composer/symfony/yaml@v5.4.0', { type: 'composer', name: 'symfony/yaml', version: 'v5.4.0' }],
  ['pkg:gem/rake@13.0.6?platform=ruby', { type: 'gem', name: 'rake', version: '13.0.6' }],
  ['pkg:cargo/serde@1.0.0', { type: 'cargo', name: 'serde', version: '1.0.0' }],
  ['PKG:NuGet/Newtonsoft.Json@13.0.1', { type: 'nuget', name: 'Newtonsoft.Json', version: '13.0.1' }],
  [
    'pkg:deb/debian/libc6@2.36-9%2Bdeb12u4?arch=amd64&upstream=glibc&distro=debian-12',
    {
      type: 'deb',
      name: 'libc6',
      version: '2.36-9+deb12u4',
      architecture: 'amd64',
      source: { name: 'glibc', version: '2.36-9+deb12u4' },
    },
  ],
  [
    'pkg:deb/debian/a@1.0-1?epoch=2&upstream=b%402:1.0',
    {
      type: 'deb',
      name: 'a',
      version: '2:1.0-1',
      source: { name: 'b', version: '2:1.0' },
    },
  ],
  ['pkg:deb/debian/c@2:1.0-1?epoch=2', { type: 'deb', name: 'c', version: '2:1.0-1' }],
  [
    'pkg:rpm/redhat/openssl-libs@3.0.7-2.el9?arch=x86_64&epoch=1&upstream=openssl-3.0.7-2.el9.src.rpm',
    {
      type: 'rpm',
      name: 'openssl-libs',
      version: '1:3.0.7-2.el9',
      architecture: 'x86_64',
      source: { name: 'openssl', version: '3.0.7-2.el9' },
    },
  ],
  [
    'pkg:rpm/redhat/a@1-1?epoch=0&rpmmod=nodejs:18',
    { type: 'rpm', name: 'a', version: '1-1', modularity: 'nodejs:18' },
  ],
  [
    'pkg:apk/alpine/busybox@1.36.1-r2?arch=x86_64',
    {
      type: 'apk',
      name: 'busybox',
      version: '1.36.1-r2',
      architecture: 'x86_64',
    },
  ],
]

for (const [url, expected] of urls) {
  test(`the package URL ${url}`, async () => {
    const { packages, gaps } = await analyse(cycloneDx(library(url)))
    assert.deepEqual([packages, gaps], [[expected], undefined])
  })
}

const LICENCES = [{ license: { id: 'MIT' } }, { license: { name: 'Custom' } }, { expression: 'A OR B' }, 5, {}]

test('CycloneDX: components inside others count, the described one does not; licences in all their forms', async () => {
  const document = {
    ...cycloneDx({ ...library('pkg:npm/a@1'), licenses: LICENCES, components: [library('pkg:npm/b@1')] }),
    metadata: { component: library('pkg:npm/described@1') },
  }
  const { packages, gaps } = await analyse(document)
  assert.deepEqual(packages, [
    { type: 'npm', name: 'a', version: '1', licences: ['MIT', 'Custom', 'A OR B'] },
    { type: 'npm', name: 'b', version: '1' },
  ])
  assert.equal(gaps, undefined)
})

test('CycloneDX: what no advisory can be found for is counted; files, systems and images are not meant to be', async () => {
  const { packages, gaps } = await analyse(
    cycloneDx(
      ...[library('pkg:generic/a@1'), library('pkg:bitnami/nginx@1'), library('pkg:generic/b@1')],
      ...[library('no url'), library('pkg:npm'), library(`pkg:npm/${'a'.repeat(5000)}@1`), library('pkg:npm/%zz@1')],
      ...[library(''), { type: 'application', name: 'x', version: '1' }, { type: 'application', name: 'yarn.lock' }],
      ...[
        { type: 'file', name: '/x', version: '1' },
        { type: 'operating-system', name: 'debian', version: '12' },
      ],
      ...[library('pkg:oci/image@sha256:00'), library('pkg:npm/noversion'), 5, null, []],
      library('pkg:npm/good@1'),
    ),
  )
  assert.deepEqual(packages, [{ type: 'npm', name: 'good', version: '1' }])
  assert.deepEqual(
    gaps?.map(({ reason }) => reason),
    [
      'a component has a package URL that cannot be read (4 times)',
      'a package has no usable name or version',
      '2 components without a package URL',
      '3 components of kinds that are not covered (bitnami, generic)',
    ],
  )
})

const reference = (url: string) => [
  { referenceCategory: 'SECURITY', referenceType: 'cpe23Type', referenceLocator: 'cpe:2.3:a:x' },
  { referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: url },
]
const SPDX = {
  spdxVersion: 'SPDX-2.3',
  SPDXID: 'SPDXRef-DOCUMENT',
  documentDescribes: ['SPDXRef-root'],
  relationships: [
    { spdxElementId: 'SPDXRef-DOCUMENT', relationshipType: 'DESCRIBES', relatedSpdxElement: 'SPDXRef-too' },
  ],
  packages: [
    { SPDXID: 'SPDXRef-root', name: 'image', versionInfo: '1' },
    { SPDXID: 'SPDXRef-too', name: 'image', versionInfo: '1' },
    { SPDXID: 'SPDXRef-os', name: 'debian', versionInfo: '12', primaryPackagePurpose: 'OPERATING-SYSTEM' },
    { SPDXID: 'SPDXRef-n', name: 'nginx', versionInfo: '1.25', externalRefs: reference('pkg:bitnami/nginx@1.25') },
    { SPDXID: 'SPDXRef-u', name: 'unknown', versionInfo: '1' },
    {
      ...{ SPDXID: 'SPDXRef-a', name: 'a', versionInfo: '1', externalRefs: reference('pkg:npm/a@1') },
      ...{ licenseConcluded: 'NOASSERTION', licenseDeclared: 'MIT' },
    },
    { SPDXID: 'SPDXRef-b', externalRefs: reference('pkg:npm/b@2'), licenseConcluded: 'BSD', licenseDeclared: 'MIT' },
    ...[5, null, { externalRefs: 5 }],
  ],
}

const TAGS = `# made by hand
SPDXVersion: SPDX-2.3
SPDXID: SPDXRef-DOCUMENT
Relationship: SPDXRef-DOCUMENT DESCRIBES SPDXRef-root
DocumentComment: <text>
PackageName: not-a-package
ExternalRef: PACKAGE-MANAGER purl pkg:npm/not-a-package@1
</text>

PackageName: image
SPDXID: SPDXRef-root
PackageVersion: 1

PackageName: debian
PackageVersion: 12
PrimaryPackagePurpose: OPERATING-SYSTEM

PackageName: nginx
PackageVersion: 1.25
ExternalRef: PACKAGE-MANAGER purl pkg:bitnami/nginx@1.25

PackageName: unknown
PackageVersion: 1

PackageName: a
PackageLicenseConcluded: NOASSERTION
PackageLicenseDeclared: MIT
PackageLicenseDeclared: <text>of several
lines</text>
PackageComment: <text>one line</text>
ExternalRef: SECURITY cpe23Type cpe:2.3:a:x
ExternalRef: PACKAGE-MANAGER purl pkg:npm/a@1\r
ExternalRef: PACKAGE-MANAGER purl pkg:npm/second@1
FileName: ./x
ExternalRef: PACKAGE-MANAGER purl pkg:npm/of-a-file@1

PackageName: b
PackageLicenseConcluded: BSD
PackageLicenseDeclared: MIT
ExternalRef: PACKAGE_MANAGER http://spdx.org/rdf/references/purl pkg:npm/b@2
PackageDescription: <text> never closed
PackageName: c
ExternalRef: PACKAGE-MANAGER purl pkg:npm/c@1
`

for (const [form, content] of [
  ['JSON', SPDX],
  ['tags', TAGS],
] as const) {
  test(`SPDX in ${form}: packages by their URLs, without the described one and the system`, async () => {
    const { packages, gaps } = await analyse(content, 'opt/bitnami/nginx/.spdx-nginx.spdx')
    assert.deepEqual(packages, [
      { type: 'npm', name: 'a', version: '1', licences: ['MIT'] },
      { type: 'npm', name: 'b', version: '2', licences: ['BSD'] },
    ])
    assert.deepEqual(
      gaps?.map(({ reason }) => reason),
      ['1 component without a package URL', '1 component of kinds that are not covered (bitnami)'],
    )
  })
}

const refused: [name: string, path: string, text: string, message: RegExp][] = [
  [
    'cut',
    'x.cdx.json',
    '{"bomFormat":"CycloneDX","components":[',
    /^the bill of materials is not valid: it is not JSON/,
  ],
  [
    'SPDX 3',
    'x.spdx.json',
    '{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld"}',
    /neither CycloneDX nor SPDX 2/,
  ],
  ['another text', 'LICENSE.spdx', 'MIT\n', /^it is neither CycloneDX nor SPDX 2$/],
  ['a list', 'x.spdx', '[]', /^it is neither CycloneDX nor SPDX 2$/],
  ['nested deeply', 'x.cdx.json', '{"components":[{'.repeat(1000), /nested deeper than 256 levels/],
]

for (const [name, path, text, message] of refused) {
  test(`a bill of materials is refused: ${name}`, async () => {
    await assert.rejects(analyse(text, path), { name: 'BaleError', code: 'INVALID_ARGUMENT', message })
  })
}

test('other files with a name like bom.json are passed over', async () => {
  for (const [path, text] of [
    ['bom.json', '{"materials":[]}'],
    ['x.bom.json', '{"cut'],
    ['drawing.cdx', 'VjCD0100'],
    ['bom.json', ''],
  ] as const)
    assert.deepEqual(await analyse(text, path), {}, path)
})
