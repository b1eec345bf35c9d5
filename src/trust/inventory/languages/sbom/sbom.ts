import { BaleError, isBaleError } from '#base'
import type { Analyser, Interest, ReadableFile } from '../../analyser.ts'
import type { FoundInFile } from '../../model.ts'
import { isNamed } from '../file-names.ts'
import { type JsonObject, parseDocument } from '../json.ts'
import { collectComponents } from './component-collector.ts'
import { cycloneDxComponents, isCycloneDx } from './cyclonedx.ts'
import { isSpdx, spdxComponents, spdxOfJson } from './spdx.ts'
import { isSpdxTagValue, spdxOfTagValue } from './spdx-tag-value.ts'

/** A distribution's has some ten megabytes. */
const SBOM_LIMIT = 64 << 20

/** Endings that nothing else has. */
const CERTAIN = ['.spdx', '.spdx.json', '.cdx.json']

/**
 * Packages that bills of materials in the image list: CycloneDX in JSON, SPDX 2 in JSON and as tags, found by the usual
 * names (`.spdx-nginx.spdx` of Bitnami's images among them). What is listed counts as it is said, since nothing can
 * prove it; components that no advisory could be found for are a gap.
 */
export const sbom: Analyser = {
  name: 'sbom',
  language: true,
  wants: ({ path }): Interest | undefined =>
    isCertain(path) || path.endsWith('.bom.json') || path.endsWith('.cdx') || isNamed(path, 'bom.json')
      ? { limit: SBOM_LIMIT }
      : undefined,
  analyse: async (file) => {
    const bytes = await file.read()
    if (isJson(bytes)) return readJson(file, bytes)
    const text = bytes.toString()
    if (isSpdxTagValue(text)) return collectComponents(file.path, spdxComponents(spdxOfTagValue(text)))
    return foreign(file)
  },
}

function isCertain(path: string): boolean {
  return CERTAIN.some((ending) => path.endsWith(ending))
}

/** Whether the first character is that of an object, after white space and a byte-order mark. */
function isJson(bytes: Buffer): boolean {
  return bytes.toString('utf8', 0, 1024).trimStart().startsWith('{')
}

function readJson(file: ReadableFile, bytes: Buffer): Promise<FoundInFile> | FoundInFile {
  const document = documentOf(file, bytes)
  if (!document) return {}
  if (isCycloneDx(document)) return collectComponents(file.path, cycloneDxComponents(document))
  if (isSpdx(document)) return collectComponents(file.path, spdxComponents(spdxOfJson(document)))
  return foreign(file)
}

/** Undefined for a damaged file that need not be a bill of materials. */
function documentOf(file: ReadableFile, bytes: Buffer): JsonObject | undefined {
  try {
    return parseDocument(bytes, 'the bill of materials')
  } catch (error) {
    if (isBaleError(error) && !isCertain(file.path)) return undefined
    throw error
  }
}

/** The looser names are those of other files too. */
function foreign(file: ReadableFile): FoundInFile {
  if (!isCertain(file.path)) return {}
  throw new BaleError('INVALID_ARGUMENT', 'it is neither CycloneDX nor SPDX 2')
}
