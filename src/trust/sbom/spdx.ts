import { printable } from '#base'
import { algorithmOf, hexOf } from '#spec'
import type { Inventory, InventoryPackage } from '#trust/inventory'
import { loadLicenceIds } from './cyclonedx-library.ts'
import { documentId } from './document-id.ts'
import { type JsonDocument, jsonDocument } from './json-document.ts'
import { joinedExpression, type LicenceIds } from './licence-expression.ts'
import { imagePurl, isOfDistribution, purlOf } from './purl.ts'
import { type SbomOptions, timestampOf } from './sbom-options.ts'

const DOCUMENT = 'SPDXRef-DOCUMENT'
const IMAGE = 'SPDXRef-Image'
const SYSTEM = 'SPDXRef-OperatingSystem'

/**
 * An inventory as SPDX 2.3 in JSON: the document describes the image, which contains its operating system and the packages.
 * Source: spdx.github.io/spdx-spec/v2.3.
 */
export async function spdx(inventory: Inventory, options: SbomOptions): Promise<JsonDocument> {
  const idOf = await loadLicenceIds()
  const packages = inventory.packages.map((one, at) => packageOf(one, packageId(at), inventory, idOf))
  const parts = [...systemPackages(inventory), ...packages]
  return jsonDocument({
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: DOCUMENT,
    name: options.name,
    documentNamespace: documentId('spdx', inventory.manifest, inventory.analyser, options.name),
    creationInfo: {
      created: timestampOf(options.created) ?? '1970-01-01T00:00:00Z',
      creators: [options.version === undefined ? 'Tool: bale' : `Tool: bale-${options.version}`],
    },
    comment: commentOn(inventory),
    packages: [imagePackage(inventory, options), ...parts],
    relationships: [
      relationship(DOCUMENT, 'DESCRIBES', IMAGE),
      ...parts.map(({ SPDXID }) => relationship(IMAGE, 'CONTAINS', SPDXID)),
      ...ofSystem(inventory),
    ],
  })
}

const packageId = (at: number) => `SPDXRef-Package-${at + 1}`

/** Trivy knows packages of the distribution by this. */
function ofSystem({ system, packages }: Inventory) {
  if (!system) return []
  return packages.flatMap((one, at) => (isOfDistribution(one) ? [relationship(SYSTEM, 'CONTAINS', packageId(at))] : []))
}

function commentOn({ gaps, analyser }: Inventory): string {
  const missing = gaps.map(({ where, reason }) => `\n${printable(where)}: ${printable(reason)}`).join('')
  const state = gaps.length === 0 ? 'complete' : `partial, since some of the image could not be looked at:${missing}`
  return `The inventory (analysis ${analyser}) is ${state}`
}

function relationship(spdxElementId: string, relationshipType: string, relatedSpdxElement: string) {
  return { spdxElementId, relationshipType, relatedSpdxElement }
}

/** Members that say that bale did not look: it compares no files, and trusts no licence text. */
const NOT_LOOKED_AT = {
  downloadLocation: 'NOASSERTION',
  filesAnalyzed: false,
  licenseConcluded: 'NOASSERTION',
  copyrightText: 'NOASSERTION',
} as const

function imagePackage({ manifest, layers }: Inventory, { name, reference }: SbomOptions) {
  return {
    name,
    SPDXID: IMAGE,
    versionInfo: manifest,
    ...NOT_LOOKED_AT,
    licenseDeclared: 'NOASSERTION',
    checksums: [{ algorithm: algorithmOf(manifest).toUpperCase(), checksumValue: hexOf(manifest) }],
    sourceInfo: layers.length === 0 ? undefined : `layers: ${layers.map(({ digest }) => digest).join(' ')}`,
    externalRefs: purlReference(imagePurl(reference, manifest)),
    primaryPackagePurpose: 'CONTAINER',
  }
}

function systemPackages({ system }: Inventory) {
  if (!system) return []
  return [
    {
      name: system.id,
      SPDXID: SYSTEM,
      versionInfo: system.version ?? system.codename,
      ...NOT_LOOKED_AT,
      licenseDeclared: 'NOASSERTION',
      description: system.name,
      primaryPackagePurpose: 'OPERATING_SYSTEM',
    },
  ]
}

function packageOf(one: InventoryPackage, id: string, inventory: Inventory, idOf: LicenceIds) {
  const licences = one.licences ?? []
  const expression = joinedExpression(licences, idOf)
  return {
    name: one.name,
    SPDXID: id,
    versionInfo: one.version,
    supplier: supplierOf(one.vendor),
    ...NOT_LOOKED_AT,
    licenseDeclared: expression ?? 'NOASSERTION',
    licenseComments:
      expression === undefined && licences.length > 0
        ? `the package says: ${licences.map((text) => printable(text)).join(', ')}`
        : undefined,
    sourceInfo: sourceInfoOf(one, inventory),
    externalRefs: purlReference(purlOf(one, inventory.system)),
    primaryPackagePurpose: 'LIBRARY',
  }
}

/** `Debian Go Team <team@debian.example>` has its address in parentheses here. Source: SPDX 2.3 §7.5. */
function supplierOf(vendor: string | undefined): string {
  const name = printable((vendor ?? '').trim(), 200)
  if (name === '') return 'NOASSERTION'
  const [, plain, address] = /^([^<>]*)<([^<>]*)>$/.exec(name) ?? []
  return plain === undefined ? `Organization: ${name}` : `Organization: ${plain.trimEnd()} (${address})`
}

/** Where the package was found and what it was built from; both have no member of their own. Source: SPDX 2.3 §7.12. */
function sourceInfoOf({ path, layer, source }: InventoryPackage, { layers }: Inventory): string {
  const built = source ? [`built from the source package ${printable(source.name)} ${printable(source.version)}`] : []
  const brought = layers[layer] ? [`brought by the layer ${layers[layer].digest}`] : []
  return [`found in ${printable(path)}`, ...brought, ...built].join('; ')
}

function purlReference(purl: string | undefined) {
  if (purl === undefined) return undefined
  return [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purl }]
}
