import type { Compare } from './version-scheme.ts'

/** One of `affected[].ranges[].events[]` of an OSV record, where `lastAffected` is `last_affected`. */
export interface RangeEvent {
  /** Affected from this version on; `0` is before all versions. */
  readonly introduced?: string
  /** Not affected from this version on. */
  readonly fixed?: string
  /** Not affected after this version. */
  readonly lastAffected?: string
  /** The range says nothing about this version and later ones, unless another limit is higher; `*` is after all versions. */
  readonly limit?: string
}

type RangeVerdict = 'affected' | 'not affected' | 'unknown'

/** A place between versions, at which what is said of them changes. */
interface Border {
  version: string
  /** Right after the version, not right before it. */
  isAfter: boolean
  isIntroduction: boolean
}

/** Before every version, in events that begin or end a range. */
const FIRST = '0'

/**
 * Whether a version lies in a range of type SEMVER or ECOSYSTEM. Events may come in any order. Of borders at the same place,
 * introductions and fixes cancel each other out. "unknown" when the answer needs a comparison that `compare` cannot make, or
 * when no event introduces anything, which the schema forbids. Source: OSV schema, "Evaluation".
 */
export function inRange(compare: Compare, version: string, events: readonly RangeEvent[]): RangeVerdict {
  const isBefore = isBeforeLimits(compare, version, events)
  if (isBefore !== true) return isBefore === false ? 'not affected' : 'unknown'
  const borders = events.flatMap(bordersOf)
  const behind: Border[] = []
  for (const border of borders) {
    const isBehind = isBeyond(compare, version, border)
    if (isBehind === undefined) return 'unknown'
    if (isBehind) behind.push(border)
  }
  if (!borders.some((border) => border.isIntroduction)) return 'unknown'
  return endsAffected(compare, behind) ? 'affected' : 'not affected'
}

function bordersOf({ introduced, fixed, lastAffected }: RangeEvent): Border[] {
  return [
    ...(introduced === undefined ? [] : [{ version: introduced, isAfter: false, isIntroduction: true }]),
    ...(fixed === undefined ? [] : [{ version: fixed, isAfter: false, isIntroduction: false }]),
    ...(lastAffected === undefined ? [] : [{ version: lastAffected, isAfter: true, isIntroduction: false }]),
  ]
}

/** Whether a version comes after a border. */
function isBeyond(compare: Compare, version: string, border: Border): boolean | undefined {
  if (isFirst(border)) return true
  const order = compare(version, border.version)
  return order === undefined ? undefined : border.isAfter ? order > 0 : order >= 0
}

/** True when there are no limits, or when a version is before one of them. */
function isBeforeLimits(compare: Compare, version: string, events: readonly RangeEvent[]): boolean | undefined {
  const limits = events.flatMap(({ limit }) => (limit === undefined ? [] : [limit]))
  if (limits.length === 0 || limits.includes('*')) return true
  const orders = limits.map((limit) => compare(version, limit))
  if (orders.some((order) => order !== undefined && order < 0)) return true
  return orders.includes(undefined) ? undefined : false
}

/** Whether the last place whose borders do not cancel each other out is an introduction. */
function endsAffected(compare: Compare, borders: readonly Border[]): boolean {
  const sorted = borders.toSorted((left, right) => compareBorders(compare, left, right))
  for (let end = sorted.length; end > 0; ) {
    let start = end - 1
    while (start > 0 && compareBorders(compare, sorted[start - 1]!, sorted[end - 1]!) === 0) start--
    const place = sorted.slice(start, end)
    if (place.every((border) => border.isIntroduction)) return true
    if (!place.some((border) => border.isIntroduction)) return false
    end = start
  }
  return false
}

/** Both borders were compared with the same version before, so they can be compared. */
function compareBorders(compare: Compare, left: Border, right: Border): number {
  if (isFirst(left) || isFirst(right)) return Number(isFirst(right)) - Number(isFirst(left))
  return (compare(left.version, right.version) ?? 0) || Number(left.isAfter) - Number(right.isAfter)
}

function isFirst(border: Border): boolean {
  return border.version === FIRST && !border.isAfter
}
