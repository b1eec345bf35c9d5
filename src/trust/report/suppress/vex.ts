import { BaleError } from '#base'
import { parseStrictJson } from '#spec'
import type { VexStatement } from './statement.ts'

/** Documents of whole distributions have some tens of megabytes. */
const LIMIT = 64 << 20

/**
 * Reads what a VEX document says: OpenVEX, CycloneDX, or CSAF 2. `path` is what messages call it. Products that have no package URL
 * are not found in any image. INVALID_ARGUMENT for another format, or for mistakes in one of these; LIMIT_EXCEEDED above 64 MiB.
 */
export async function parseVex(bytes: Uint8Array, path: string): Promise<VexStatement[]> {
  const document = parseStrictJson(bytes, { limit: LIMIT, what: path, code: 'INVALID_ARGUMENT' })
  // With the schemas, they take longer to load than the rest of a scan's report.
  if (isOpenVex(document)) return (await import('./open-vex.ts')).openVexStatements(document, path)
  if (member(document, 'bomFormat') === 'CycloneDX')
    return (await import('./cyclonedx-vex.ts')).cycloneDxStatements(document, path)
  if (member(member(document, 'document'), 'csaf_version') !== undefined)
    return (await import('./csaf.ts')).csafStatements(document, path)
  throw new BaleError('INVALID_ARGUMENT', `${path} is no VEX document`, {
    hint: 'expects OpenVEX, CycloneDX or CSAF, in JSON',
  })
}

/** Its context was a list for a while. */
function isOpenVex(document: unknown): boolean {
  return [member(document, '@context')]
    .flat()
    .some((one) => typeof one === 'string' && one.startsWith('https://openvex.dev/'))
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
}
