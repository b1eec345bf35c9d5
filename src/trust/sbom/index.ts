/**
 * trust/sbom: an inventory as a bill of materials, and packages as package URLs. Promises: pure; the same inventory and options
 * give the same document, whatever the machine, its language and the time; what the inventory could not look at is told in the
 * document. Does not: read bills of materials, sign or attach them.
 */
export { type Bill, billOf, cycloneDx } from './cyclonedx.ts'
export { type JsonDocument, jsonDocument } from './json-document.ts'
export { imagePurl, packageUrlOf, purlOf } from './purl.ts'
export type { SbomOptions } from './sbom-options.ts'
export { spdx } from './spdx.ts'
