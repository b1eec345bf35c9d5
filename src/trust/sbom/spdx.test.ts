import assert from 'node:assert/strict'
import { test } from 'node:test'
import { faultsBy } from '../../../test/kit/document-schemas.ts'
import { OPENSSL, smallInventory, someDigest, somePackage } from '../../../test/kit/small-scan.ts'
import { spdx } from './spdx.ts'

const OPTIONS = { name: 'debian:12', created: new Date('2026-01-02T03:04:05.678Z'), version: '0.1.0' }

const text = { type: 'string' }
const oneOf = (...values: unknown[]) => ({ enum: values })
const list = (items: object) => ({ type: 'array', items })
/** An object with these members and no others. */
const object = (properties: Record<string, object>, optional: string[] = []) => ({
  type: 'object',
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  additionalProperties: false,
})
const NO_CLAIM = oneOf('NOASSERTION')
const ID = { type: 'string', pattern: '^SPDXRef-[A-Za-z0-9.-]+$' }
const EXPRESSION = { type: 'string', pattern: '^[A-Za-z0-9.+() -]+$' }

/** What SPDX 2.3 asks of the members that bale writes. No package carries the schema of the format. */
const faultsOfSpdx = faultsBy(
  object({
    spdxVersion: oneOf('SPDX-2.3'),
    dataLicense: oneOf('CC0-1.0'),
    SPDXID: oneOf('SPDXRef-DOCUMENT'),
    name: text,
    documentNamespace: { type: 'string', format: 'uri', pattern: '^[^#]+$' },
    creationInfo: object({
      created: { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$' },
      creators: { ...list({ type: 'string', pattern: '^(Tool|Organization|Person): .+$' }), minItems: 1 },
    }),
    comment: text,
    packages: list(
      object(
        {
          name: text,
          SPDXID: ID,
          versionInfo: text,
          supplier: { type: 'string', pattern: '^(NOASSERTION|(Organization|Person): [^\\n]+)$' },
          downloadLocation: NO_CLAIM,
          filesAnalyzed: oneOf(false),
          licenseConcluded: EXPRESSION,
          licenseDeclared: EXPRESSION,
          licenseComments: text,
          copyrightText: NO_CLAIM,
          description: text,
          checksums: list(
            object({ algorithm: oneOf('SHA256', 'SHA512'), checksumValue: { type: 'string', pattern: '^[0-9a-f]+$' } }),
          ),
          sourceInfo: text,
          externalRefs: list(
            object({
              referenceCategory: oneOf('PACKAGE-MANAGER'),
              referenceType: oneOf('purl'),
              referenceLocator: { type: 'string', pattern: '^pkg:\\S+$' },
            }),
          ),
          primaryPackagePurpose: oneOf('CONTAINER', 'OPERATING_SYSTEM', 'LIBRARY'),
        },
        ['versionInfo', 'supplier', 'licenseComments', 'description', 'checksums', 'sourceInfo', 'externalRefs'],
      ),
    ),
    relationships: list(
      object({ spdxElementId: ID, relationshipType: oneOf('DESCRIBES', 'CONTAINS'), relatedSpdxElement: ID }),
    ),
  }),
)

interface Written {
  documentNamespace: string
  creationInfo: { created: string }
  comment: string
  packages: Record<string, unknown>[]
  relationships: { spdxElementId: string; relationshipType: string; relatedSpdxElement: string }[]
}

async function written(inventory = smallInventory(), options: Parameters<typeof spdx>[1] = OPTIONS) {
  return (await spdx(inventory, options)) as unknown as Written
}

test('an SPDX document has what the format asks for', async () => {
  assert.deepEqual(faultsOfSpdx(await written()), [])
})

test('the document describes the image, which contains its parts, as the system does those of the distribution', async () => {
  const { packages, relationships } = await written()
  assert.deepEqual(
    relationships.map((one) => Object.values(one).join(' ')),
    [
      'SPDXRef-DOCUMENT DESCRIBES SPDXRef-Image',
      'SPDXRef-Image CONTAINS SPDXRef-OperatingSystem',
      'SPDXRef-Image CONTAINS SPDXRef-Package-1',
      'SPDXRef-Image CONTAINS SPDXRef-Package-2',
      'SPDXRef-Image CONTAINS SPDXRef-Package-3',
      'SPDXRef-OperatingSystem CONTAINS SPDXRef-Package-1',
    ],
  )
  assert.deepEqual(new Set(packages.map(({ SPDXID }) => SPDXID)).size, 5)
})

test('a package tells its source, its layer, who supplies it, and licences that are no expressions', async () => {
  const { packages } = await written()
  assert.deepEqual(packages[2], {
    name: 'libssl3',
    SPDXID: 'SPDXRef-Package-1',
    versionInfo: '3.0.11-1~deb12u2',
    supplier: 'Organization: Debian OpenSSL Team (openssl@debian.example)',
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: false,
    licenseConcluded: 'NOASSERTION',
    copyrightText: 'NOASSERTION',
    licenseDeclared: 'NOASSERTION',
    licenseComments: 'the package says: Apache-2.0, Artistic or GPL',
    sourceInfo: `found in var/lib/dpkg/status; brought by the layer ${someDigest('1')}; built from the source package openssl 3.0.11-1~deb12u2`,
    externalRefs: [
      {
        referenceCategory: 'PACKAGE-MANAGER',
        referenceType: 'purl',
        referenceLocator: 'pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64&distro=debian-12&upstream=openssl',
      },
    ],
    primaryPackagePurpose: 'LIBRARY',
  })
  assert.equal(packages[4]?.['licenseDeclared'], '(MIT OR Apache-2.0)')
})

test('the same inventory gives the same bytes, and its time is the one that was given', async () => {
  assert.equal(JSON.stringify(await written()), JSON.stringify(await written()))
  assert.equal((await written()).creationInfo.created, '2026-01-02T03:04:05Z')
  assert.equal((await written(smallInventory(), { name: 'x' })).creationInfo.created, '1970-01-01T00:00:00Z')
  const other = await written(smallInventory({ manifest: someDigest('b') }))
  assert.notEqual(other.documentNamespace, (await written()).documentNamespace)
})

test('the document says when some of the image could not be looked at', async () => {
  const gaps = [{ where: 'a.jar', reason: 'it is nested too deeply' }]
  assert.match((await written(smallInventory({ gaps }))).comment, /partial.*\na\.jar: it is nested too deeply$/s)
  assert.match((await written()).comment, /is complete$/)
})

test('hostile packages still give a document with what the format asks for', async () => {
  const strange = ['', ' ', '__proto__', '<script>', 'a'.repeat(5000), 'half \ud800 pair', 'x\ny', '<', '<<>>']
  const packages = strange.map((name) =>
    somePackage({ type: 'gem', name, version: name, licences: [name], vendor: name, path: name, layer: 99 }),
  )
  assert.deepEqual(faultsOfSpdx(await written(smallInventory({ packages: [...packages, OPENSSL] }), { name: '#' })), [])
})
