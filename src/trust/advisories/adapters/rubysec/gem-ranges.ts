import { compareVersions, isVersion } from '#trust/versions'
import type { VersionRange } from '../../advisory.ts'
import { malformed } from '../values.ts'

/** Versions from `from` on (undefined: from the first) up to `to`, which is outside (undefined: all above). */
interface Interval {
  readonly from?: string
  /** `from` itself is outside. */
  readonly isOpen?: boolean
  readonly to?: string
}

/**
 * The ranges of vulnerable versions of a gem: all versions but those that one of the requirements allows, each as RubyGems
 * writes it (`~> 2.3.18`, `>= 1.2, < 1.9`). Throws INVALID_ARCHIVE for what is no such requirement.
 */
export function rangesOutside(requirements: readonly string[]): VersionRange[] {
  const safe = requirements.map(intervalOf).toSorted(compareStarts)
  const ranges: VersionRange[] = []
  /** All versions below it are judged; undefined when all are. */
  let next: string | undefined = FIRST
  for (const { from, isOpen, to } of safe) {
    if (next === undefined) break
    if (from !== undefined && (next === FIRST || isAbove(from, next, isOpen)))
      ranges.push({ events: [{ introduced: next }, isOpen ? { lastAffected: from } : { fixed: from }] })
    if (to === undefined) next = undefined
    else if (next === FIRST || compare(to, next) > 0) next = to
  }
  if (next !== undefined) ranges.push({ events: [{ introduced: next }] })
  return ranges
}

function isAbove(version: string, other: string, orEqual = false): boolean {
  const order = compare(version, other)
  return order > 0 || (orEqual && order === 0)
}

/** Before all versions. Source: OSV schema, "introduced". */
const FIRST = '0'

function intervalOf(requirement: string): Interval {
  return requirement.split(',').map(partOf).reduce(intersection)
}

/** Source: RubyGems guides, "Patterns", and Gem::Requirement. */
function partOf(text: string): Interval {
  const [, operator = '=', version = ''] = /^\s*(=|>|>=|<|<=|~>)?\s*([0-9A-Za-z.-]{1,100})\s*$/.exec(text) ?? []
  if (!isVersion('gem', version)) throw malformed(`"${text.slice(0, 100)}"`, 'is no requirement of a version')
  switch (operator) {
    case '>=':
      return { from: version }
    case '>':
      return { from: version, isOpen: true }
    case '<':
      return { to: version }
    case '<=':
      return { to: after(version) }
    case '~>':
      return { from: version, to: pessimisticEnd(version) }
    default:
      return { from: version, to: after(version) }
  }
}

/** A version above this one and below all that follow it in practice: ranges of OSV cannot begin after a version. */
function after(version: string): string {
  return `${version}.0.1`
}

/** `~> 2.3.18` ends before the first prerelease of 2.4, `~> 2` before that of 3. */
function pessimisticEnd(version: string): string {
  const segments = version.split(/[.-]/)
  const firstWord = segments.findIndex((segment) => !/^\d+$/.test(segment))
  const numbers = firstWord < 0 ? segments : segments.slice(0, firstWord)
  const kept = numbers.length > 1 ? numbers.slice(0, -1) : numbers
  return [...kept.slice(0, -1), `${BigInt(kept.at(-1)!) + 1n}`, 'a'].join('.')
}

function intersection(a: Interval, b: Interval): Interval {
  const first = compareStarts(a, b) >= 0 ? a : b
  const last = b.to === undefined || (a.to !== undefined && compare(a.to, b.to) <= 0) ? a : b
  return { from: first.from, isOpen: first.isOpen, to: last.to }
}

function compareStarts(a: Interval, b: Interval): number {
  if (a.from === undefined || b.from === undefined) return Number(a.from !== undefined) - Number(b.from !== undefined)
  return compare(a.from, b.from) || Number(a.isOpen ?? false) - Number(b.isOpen ?? false)
}

function compare(a: string, b: string): number {
  return compareVersions('gem', a, b) ?? 0
}
