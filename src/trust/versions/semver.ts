import { bytewise } from '#base'
import { compareLists, compareNumeralLists, compareNumerals } from './parts.ts'
import { versionScheme } from './version-scheme.ts'

export interface SemanticVersion {
  numbers: string[]
  /** Identifiers after the hyphen; empty for a release. */
  prerelease: string[]
}

const IDENTIFIERS = '[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*'
/** What follows the numbers: `[-prerelease][+build]` and the end; captures the prerelease. */
export const PRERELEASE_AND_BUILD = `(?:-(${IDENTIFIERS}))?(?:\\+${IDENTIFIERS})?$`
const VERSION = new RegExp(`^(\\d+)\\.(\\d+)\\.(\\d+)${PRERELEASE_AND_BUILD}`)
const DIGITS = /^\d+$/
const LEADING_ZERO = /^0\d+$/

/** Versions as npm reads them: Semantic Versioning 2.0.0, and a leading `v` is allowed. */
export const semver = versionScheme((text) => parseSemver(text.startsWith('v') ? text.slice(1) : text), compareSemver)

/** Source: Semantic Versioning 2.0.0. Unlike in npm, numbers may be above 2^53. */
export function parseSemver(text: string): SemanticVersion | undefined {
  const match = VERSION.exec(text)
  if (!match) return undefined
  const numbers = match.slice(1, 4)
  const prerelease = parsePrerelease(match[4])
  return prerelease === undefined || numbers.some(hasLeadingZero) ? undefined : { numbers, prerelease }
}

/** `alpha.1` → alpha, 1. Undefined when a number has a leading zero. */
export function parsePrerelease(text: string | undefined): string[] | undefined {
  const identifiers = text?.split('.') ?? []
  return identifiers.some(hasLeadingZero) ? undefined : identifiers
}

/** Precedence by section 11. Missing numbers are zeros. */
export function compareSemver(left: SemanticVersion, right: SemanticVersion): number {
  return compareNumeralLists(left.numbers, right.numbers) || comparePrereleases(left.prerelease, right.prerelease)
}

function comparePrereleases(left: readonly string[], right: readonly string[]): number {
  if (left.length === 0 || right.length === 0) return right.length - left.length
  return compareLists(left, right, compareIdentifier)
}

function compareIdentifier(left: string | undefined, right: string | undefined): number {
  if (left === undefined || right === undefined) return left === undefined ? -1 : 1
  const isLeftNumber = DIGITS.test(left)
  const isRightNumber = DIGITS.test(right)
  if (isLeftNumber !== isRightNumber) return isLeftNumber ? -1 : 1
  return isLeftNumber ? compareNumerals(left, right) : bytewise(left, right)
}

function hasLeadingZero(identifier: string): boolean {
  return LEADING_ZERO.test(identifier)
}
