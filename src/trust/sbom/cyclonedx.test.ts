import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseReference } from '#spec'
import { faultsOfCycloneDx } from '../../../test/kit/document-schemas.ts'
import { LODASH, OPENSSL, smallInventory, someDigest, somePackage } from '../../../test/kit/small-scan.ts'
import { cycloneDx } from './cyclonedx.ts'

const OPTIONS = {
  name: 'registry.example/team/web:1.0',
  reference: parseReference('registry.example/team/web:1.0'),
  created: new Date('2026-01-02T03:04:05.678Z'),
  version: '0.1.0',
}

interface Written {
  serialNumber: string
  metadata: { timestamp?: string; component: Record<string, unknown>; properties: Property[] }
  components: {
    'bom-ref': string
    type: string
    name: string
    group?: string
    purl?: string
    licenses?: unknown
    properties?: Property[]
  }[]
  dependencies: { ref: string; dependsOn?: string[] }[]
}

interface Property {
  name: string
  value: string
}

async function written(inventory = smallInventory(), options: Parameters<typeof cycloneDx>[1] = OPTIONS) {
  return (await cycloneDx(inventory, options)) as unknown as Written
}

const valuesOf = (properties: Property[] | undefined) =>
  Object.fromEntries((properties ?? []).map(({ name, value }) => [name, value]))

test('a CycloneDX document is valid by its schema', async () => {
  assert.deepEqual(faultsOfCycloneDx(await written()), [])
})

test('the schema finds faults, so that the tests by it mean something', async () => {
  const document = await written()
  const wrong = { ...document, components: [{ name: 'no type' }] }
  assert.notDeepEqual(faultsOfCycloneDx(wrong), [])
})

test('the image is the root component and depends on its parts, as the system does on those of the distribution', async () => {
  const { metadata, components, dependencies } = await written()
  const { type, name, version, purl } = metadata.component
  assert.deepEqual(
    { type, name, version, purl },
    {
      type: 'container',
      name: OPTIONS.name,
      version: someDigest('a'),
      purl: `pkg:oci/web@${someDigest('a')}?repository_url=registry.example%2Fteam%2Fweb&tag=1.0`,
    },
  )
  const refs = components.map((one) => one['bom-ref'])
  assert.deepEqual(dependencies[0], { ref: metadata.component['bom-ref'], dependsOn: refs })
  assert.deepEqual(dependencies[1], { ref: refs[0], dependsOn: [refs[1]] })
  assert.equal(dependencies.length, refs.length + 1)
})

test('a package has its package URL, its licences, and where it was found', async () => {
  const { components } = await written()
  const [system, openssl, , lodash] = components
  assert.deepEqual([system?.type, system?.name], ['operating-system', 'debian'])
  assert.equal(openssl?.purl, 'pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64&distro=debian-12&upstream=openssl')
  assert.deepEqual(openssl?.licenses, [
    { license: { id: 'Apache-2.0', acknowledgement: 'declared' } },
    { license: { name: 'Artistic or GPL', acknowledgement: 'declared' } },
  ])
  assert.deepEqual(valuesOf(openssl?.properties), {
    'bale:type': 'deb',
    'bale:path': 'var/lib/dpkg/status',
    'bale:layer:digest': someDigest('1'),
    'bale:layer:diff-id': someDigest('2'),
    'bale:layer:created-by': '/bin/sh -c #(nop) ADD file:f0 in / ',
    'bale:architecture': 'amd64',
    'bale:source:name': 'openssl',
    'bale:source:version': '3.0.11-1~deb12u2',
  })
  assert.deepEqual([lodash?.group, lodash?.name], ['@scope', 'lodash'])
  assert.deepEqual(lodash?.licenses, [{ expression: '(MIT OR Apache-2.0)', acknowledgement: 'declared' }])
})

test('the same inventory gives the same bytes', async () => {
  assert.equal(JSON.stringify(await written()), JSON.stringify(await written()))
})

test('the time of a document is the one that was given, and none without', async () => {
  assert.equal((await written()).metadata.timestamp, '2026-01-02T03:04:05.000Z')
  assert.equal((await written(smallInventory(), { name: 'web' })).metadata.timestamp, undefined)
  const far = { name: 'web', created: new Date(8.64e15) }
  assert.equal((await written(smallInventory(), far)).metadata.timestamp, undefined)
  assert.deepEqual(faultsOfCycloneDx(await written(smallInventory(), far)), [])
})

test('another manifest or analysis gives another serial number', async () => {
  const serials = await Promise.all([
    written(),
    written(smallInventory({ manifest: someDigest('b') })),
    written(smallInventory({ analyser: 2 })),
  ])
  assert.equal(new Set(serials.map(({ serialNumber }) => serialNumber)).size, 3)
  for (const { serialNumber } of serials)
    assert.match(serialNumber, /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab]/)
})

test('packages with one package URL, or without any, are told apart', async () => {
  const jar = somePackage({ type: 'maven', name: 'core' })
  const packages = [OPENSSL, { ...OPENSSL, path: 'var/lib/dpkg/status.d/x' }, jar, { ...jar, path: 'other' }]
  const { components, dependencies } = await written(smallInventory({ packages }))
  assert.equal(new Set(components.map((one) => one['bom-ref'])).size, 5)
  assert.equal(dependencies.length, 6)
  assert.equal(components[3]?.['bom-ref'], 'maven/core/1.0')
})

test('what could not be looked at is told', async () => {
  const gaps = [{ where: 'usr/lib/sysimage/rpm/rpmdb.sqlite', reason: 'the database ends early' }]
  const { metadata } = await written(smallInventory({ gaps }))
  assert.deepEqual(valuesOf(metadata.properties), {
    'bale:analyser': '1',
    'bale:inventory': 'partial',
    'bale:gap': 'usr/lib/sysimage/rpm/rpmdb.sqlite: the database ends early',
  })
  assert.equal(valuesOf((await written()).metadata.properties)['bale:inventory'], 'complete')
})

test('hostile packages and images still give a valid document', async () => {
  const strange = [
    '',
    ' ',
    '__proto__',
    '<script>',
    'a'.repeat(5000),
    'half \ud800 pair',
    '@',
    '@/',
    'urn:cdx:1',
    '\u0000\n',
  ]
  const packages = strange.flatMap((name) => [
    somePackage({ type: 'npm', name, version: name, licences: [name, 'MIT'], vendor: name, path: name, layer: 99 }),
    somePackage({ type: 'golang', name, version: 'vnext', architecture: name }),
  ])
  const system = { id: strange[4]!, version: strange[4], name: strange[3] }
  const document = await written(smallInventory({ packages, system }), { name: '"><img onerror=' })
  assert.deepEqual(faultsOfCycloneDx(document), [])
  assert.equal(JSON.stringify(document).includes('\\ud800'), false)
})

test('an image without packages or a system has a valid document', async () => {
  const document = await written(smallInventory({ packages: [], system: undefined, layers: [] }))
  assert.deepEqual(faultsOfCycloneDx(document), [])
  assert.deepEqual(document.components, [])
})

test('lists keep the order of the inventory, whatever the language of the machine', async () => {
  const packages = ['b', 'A', 'a', 'ä', 'Z'].map((name) => ({ ...LODASH, name }))
  const { components } = await written(smallInventory({ packages, system: undefined }))
  assert.deepEqual(
    components.map(({ name }) => name),
    ['b', 'A', 'a', 'ä', 'Z'],
  )
})
