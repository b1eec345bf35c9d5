import { createHash } from 'node:crypto'
import type { Advisories } from './advisory.ts'

/**
 * Several collections as one. All answer; a package is foreign when one that knows the whole distribution says so and none
 * has an advisory about it. The order does not matter.
 */
export function combineAdvisories(parts: readonly Advisories[]): Advisories {
  const find: Advisories['find'] = (ecosystem, name) => parts.flatMap((part) => part.find(ecosystem, name))
  return {
    coverage: (ecosystem) => parts.flatMap((part) => part.coverage(ecosystem)),
    find,
    support(ecosystem) {
      for (const part of parts) {
        const found = part.support(ecosystem)
        if (found) return found
      }
      return undefined
    },
    isForeign: (ecosystem, name) =>
      parts.some((part) => part.isForeign?.(ecosystem, name)) && find(ecosystem, name).length === 0,
    version: versionOf(parts),
  }
}

function versionOf(parts: readonly Advisories[]): string {
  if (parts.length === 1) return parts[0]!.version
  const versions = parts.map(({ version }) => version).sort()
  return createHash('sha256').update(versions.join('\n')).digest('hex')
}
