/**
 * The analyser of bills of materials in an image: CycloneDX and SPDX 2. Promises: what is listed and cannot be matched with
 * advisories is counted in a gap. Does not: check whether what is listed is there, or read SPDX 3 or XML.
 */
export { sbom } from './sbom.ts'
