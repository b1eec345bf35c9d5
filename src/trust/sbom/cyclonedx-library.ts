import type { Enums, Models } from '@cyclonedx/cyclonedx-library'
import { type JsonDocument, jsonDocument } from './json-document.ts'
import { LICENCE_EXCEPTIONS } from './licence-exceptions.ts'
import type { LicenceIds } from './licence-expression.ts'

/** What bale uses of the library. */
export interface CycloneDxLibrary {
  readonly Enums: typeof Enums
  readonly Models: typeof Models
  /** The bill as JSON of CycloneDX 1.6. */
  write(bom: Models.Bom): JsonDocument
}

/** The library takes a while to load, and most commands do without. Its parts for XML and validation are not loaded. */
export async function loadCycloneDx(): Promise<CycloneDxLibrary> {
  const [enums, models, { JSON: json }, { Spec1dot6 }] = await Promise.all([
    import('@cyclonedx/cyclonedx-library/Enums'),
    import('@cyclonedx/cyclonedx-library/Models'),
    import('@cyclonedx/cyclonedx-library/Serialize'),
    import('@cyclonedx/cyclonedx-library/Spec'),
  ])
  const normalizer = new json.Normalize.Factory(Spec1dot6).makeForBom()
  // Lists keep their order: the library sorts by the rules of the machine's language. Nor is its serializer used, which puts
  // random names in the place of references that occur twice.
  return { Enums: enums, Models: models, write: (bom) => jsonDocument(normalizer.normalize(bom, {})) }
}

/** Ids on SPDX's list of licences, which comes with the library and has exceptions in it as well. */
export async function loadLicenceIds(): Promise<LicenceIds> {
  const { fixupSpdxId, isSupportedSpdxId } = await import('@cyclonedx/cyclonedx-library/SPDX')
  return (text) => {
    // Also `constructor` is found by the library, in the prototype of its table.
    const id: unknown = fixupSpdxId(text)
    return isSupportedSpdxId(id) && !LICENCE_EXCEPTIONS.has(id.toLowerCase()) ? id : undefined
  }
}
