import { type JsonObject, listOf, objectOf, textOf } from '../json.ts'
import type { Component } from './component-collector.ts'

/** A package of an SPDX document in either form. */
export interface SpdxPackage {
  readonly id: string
  readonly version: string
  readonly purpose: string
  /** Package URL; empty for none. */
  readonly url: string
  /** What the author found, and what the package says; both can be NOASSERTION. */
  readonly concluded: string
  readonly declared: string
}

export interface SpdxDocument {
  readonly packages: readonly SpdxPackage[]
  /** Identifiers of the packages that the document is about. */
  readonly described: ReadonlySet<string>
}

/** Whether a document says that it is SPDX 2 in JSON. */
export function isSpdx(document: JsonObject): boolean {
  return textOf(document['spdxVersion']).startsWith('SPDX-2.')
}

/** Source: SPDX 2.3, clause 7 and annex on JSON. */
export function spdxOfJson(document: JsonObject): SpdxDocument {
  const described = listOf(document['documentDescribes']).map(textOf)
  for (const value of listOf(document['relationships'])) {
    const { relationshipType, relatedSpdxElement } = objectOf(value)
    if (textOf(relationshipType) === 'DESCRIBES') described.push(textOf(relatedSpdxElement))
  }
  return { packages: listOf(document['packages']).map(packageOf), described: new Set(described) }
}

function packageOf(value: unknown): SpdxPackage {
  const one = objectOf(value)
  const references = listOf(one['externalRefs']).map(objectOf)
  return {
    id: textOf(one['SPDXID']),
    version: textOf(one['versionInfo']),
    purpose: textOf(one['primaryPackagePurpose']),
    url: textOf(references.find((ref) => isPackageUrl(textOf(ref['referenceType'])))?.['referenceLocator']),
    concluded: textOf(one['licenseConcluded']),
    declared: textOf(one['licenseDeclared']),
  }
}

/** Whether a reference is of this type; some writers give the type by its address, which ends in its name. */
export function isPackageUrl(referenceType: string): boolean {
  return referenceType.endsWith('purl')
}

const SOFTWARE = new Set(['', 'LIBRARY', 'FRAMEWORK', 'APPLICATION', 'INSTALL', 'OTHER'])
const NOT_SAID = new Set(['', 'NOASSERTION', 'NONE'])

export function spdxComponents({ packages, described }: SpdxDocument): Component[] {
  return packages.map(({ id, version, purpose, url, concluded, declared }) => ({
    url,
    licences: [concluded, declared].filter((one) => !NOT_SAID.has(one)).slice(0, 1),
    isSoftware: SOFTWARE.has(purpose) && version !== '' && !described.has(id),
  }))
}
