import type { Models } from '@cyclonedx/cyclonedx-library'
import { printable } from '#base'
import type { Inventory, InventoryPackage } from '#trust/inventory'
import { type CycloneDxLibrary, loadCycloneDx, loadLicenceIds } from './cyclonedx-library.ts'
import { documentId } from './document-id.ts'
import type { JsonDocument } from './json-document.ts'
import { type LicenceIds, licenceExpression } from './licence-expression.ts'
import { imagePurl, isOfDistribution, purlOf } from './purl.ts'
import { type SbomOptions, timestampOf } from './sbom-options.ts'

/** A bill of materials in the making: others may add to it before it is written. */
export interface Bill {
  readonly library: CycloneDxLibrary
  readonly bom: Models.Bom
  /** What the packages are called in the bill, in the order of the inventory. */
  readonly refs: readonly Models.BomRef[]
}

/**
 * An inventory as CycloneDX 1.6 in JSON: the image is the root component and depends on all others, which are its operating
 * system and one for each package. Packages of the distribution are also what the system depends on: Trivy knows them by that.
 * Facts that the format has no place for are properties named `bale:…`.
 */
export async function cycloneDx(inventory: Inventory, options: SbomOptions): Promise<JsonDocument> {
  const { library, bom } = await billOf(inventory, options)
  return library.write(bom)
}

/** The same as objects of the library. `facts` tell apart documents that say more of the same image. */
export async function billOf(inventory: Inventory, options: SbomOptions, facts: readonly string[] = []): Promise<Bill> {
  const [library, idOf] = await Promise.all([loadCycloneDx(), loadLicenceIds()])
  const refs = referencesOf(inventory)
  const packages = inventory.packages.map((one, at) => packageComponent(one, refs[at]!, { library, inventory, idOf }))
  const system = systemComponent(inventory, library)
  const components = [...(system ? [system] : []), ...packages]
  const root = imageComponent(inventory, options, library)
  for (const { bomRef } of components) root.dependencies.add(bomRef)
  for (const [at, { bomRef }] of packages.entries())
    if (isOfDistribution(inventory.packages[at]!)) system?.dependencies.add(bomRef)
  const { Bom, ComponentRepository } = library.Models
  const bom = new Bom({
    serialNumber: documentId('cyclonedx', inventory.manifest, inventory.analyser, options.name, ...facts),
    metadata: metadataOf(inventory, options, root, library),
    components: new ComponentRepository(components),
  })
  return { library, bom, refs: packages.map(({ bomRef }) => bomRef) }
}

/** The package URL; where several packages have the same one, or none, a number makes the difference. It cannot be part of a URL. */
function referencesOf({ packages, system }: Inventory): string[] {
  const seen = new Map<string, number>()
  return packages.map((one) => {
    const plain = [one.type, one.name, one.version].map((text) => encodeURIComponent(text.toWellFormed())).join('/')
    const name = purlOf(one, system) ?? plain
    const count = (seen.get(name) ?? 0) + 1
    seen.set(name, count)
    return count === 1 ? name : `${name}#${count}`
  })
}

function metadataOf(inventory: Inventory, options: SbomOptions, root: Models.Component, library: CycloneDxLibrary) {
  const { Enums, Models } = library
  const bale = new Models.Component(Enums.ComponentType.Application, 'bale', { version: options.version })
  const timestamp = timestampOf(options.created)
  return new Models.Metadata({
    timestamp: timestamp === undefined ? undefined : new Date(timestamp),
    lifecycles: new Models.LifecycleRepository([Enums.LifecyclePhase.PostBuild]),
    tools: new Models.Tools({ components: new Models.ComponentRepository([bale]) }),
    component: root,
    properties: propertiesOf(library, [
      ['bale:analyser', String(inventory.analyser)],
      ['bale:inventory', inventory.gaps.length === 0 ? 'complete' : 'partial'],
      ...inventory.gaps.map(({ where, reason }) => ['bale:gap', `${where}: ${reason}`] as const),
    ]),
  })
}

function imageComponent({ manifest, layers }: Inventory, { name, reference }: SbomOptions, library: CycloneDxLibrary) {
  const { Enums, Models } = library
  return new Models.Component(Enums.ComponentType.Container, name, {
    bomRef: 'image',
    version: manifest,
    purl: imagePurl(reference, manifest),
    properties: propertiesOf(
      library,
      layers.map(({ digest }) => ['bale:layer:digest', digest]),
    ),
  })
}

function systemComponent({ system }: Inventory, { Enums, Models }: CycloneDxLibrary): Models.Component | undefined {
  if (!system) return undefined
  const { id, version, codename, name } = system
  return new Models.Component(Enums.ComponentType.OperatingSystem, id, {
    bomRef: 'operating-system',
    version: cut(version ?? codename),
    description: name,
  })
}

interface Surroundings {
  library: CycloneDxLibrary
  inventory: Inventory
  idOf: LicenceIds
}

function packageComponent(one: InventoryPackage, bomRef: string, { library, inventory, idOf }: Surroundings) {
  const { Enums, Models } = library
  const { group, name } = groupOf(one)
  const layer = inventory.layers[one.layer]
  return new Models.Component(Enums.ComponentType.Library, name, {
    bomRef,
    group,
    version: cut(one.version),
    purl: purlOf(one, inventory.system),
    licenses: licencesOf(one.licences ?? [], library, idOf),
    supplier: one.vendor === undefined ? undefined : new Models.OrganizationalEntity({ name: one.vendor }),
    properties: propertiesOf(library, [
      ['bale:type', one.type],
      ['bale:path', one.path],
      ['bale:layer:digest', layer?.digest],
      ['bale:layer:diff-id', layer?.diffId],
      ['bale:layer:created-by', layer?.createdBy],
      ['bale:architecture', one.architecture],
      ['bale:source:name', one.source?.name],
      ['bale:source:version', one.source?.version],
      ['bale:modularity', one.modularity],
    ]),
  })
}

/** The longest version that the schema of CycloneDX takes. */
const LONGEST_VERSION = 1024

const cut = (version: string | undefined) => version?.slice(0, LONGEST_VERSION)

/** Ecosystems whose names have two parts have them apart. */
function groupOf({ type, name }: InventoryPackage): { group?: string; name: string } {
  const sign = type === 'maven' ? ':' : '/'
  const at =
    type === 'maven' || type === 'composer' || (type === 'npm' && name.startsWith('@')) ? name.indexOf(sign) : -1
  return at < 0 ? { name } : { group: name.slice(0, at), name: name.slice(at + 1) }
}

/** One expression stands alone; of several, those that are no plain id are names, since a list may have no expressions. */
function licencesOf(texts: readonly string[], { Models, Enums }: CycloneDxLibrary, idOf: LicenceIds) {
  const acknowledgement = Enums.LicenseAcknowledgement.Declared
  const unique = [...new Set(texts.map((text) => licenceExpression(text, idOf) ?? printable(text.trim())))]
  const licences = unique
    .filter((text) => text !== '')
    .map((text) => {
      if (idOf(text) !== undefined) return new Models.SpdxLicense(text, { acknowledgement })
      if (unique.length > 1 || licenceExpression(text, idOf) === undefined)
        return new Models.NamedLicense(text, { acknowledgement })
      return Object.assign(new Models.LicenseExpression(text), { acknowledgement })
    })
  return new Models.LicenseRepository(licences)
}

function propertiesOf({ Models }: CycloneDxLibrary, given: readonly (readonly [string, string | undefined])[]) {
  const properties = given.flatMap(([name, value]) => (value === undefined ? [] : [new Models.Property(name, value)]))
  return new Models.PropertyRepository(properties)
}
