import type { Clock } from '#base'
import type { MetaStore } from '../meta/index.ts'
import { type Caller, countedAs, isAbout, type Limited, type RequestLimit } from './request-limit.ts'
import { createSettling } from './settle.ts'
import { createTallies } from './tallies.ts'
import { addTo, type Standing, standingOf } from './tally.ts'

/** How a caller stands under the limit that leaves it least. */
interface LimitStanding extends Standing {
  limit: RequestLimit
}

/** Counts requests, and says who has had enough. */
export interface RequestLimits extends AsyncDisposable {
  /** Counts one under each limit that is about the caller, or under none when one of them is reached: then there is a `wait`. */
  count(what: Limited, caller: Caller): LimitStanding | undefined
  /** How the caller stands, which counts nothing. */
  look(what: Limited, caller: Caller): LimitStanding | undefined
}

/**
 * Counts are kept in this process; with `meta`, those of all processes are added up every second. N processes let through
 * what each of them gets within a second above a limit, and no more.
 */
export function createRequestLimits(parts: {
  limits: readonly RequestLimit[]
  clock: Clock
  /** Where processes that serve the same share their counts. */
  meta: MetaStore | undefined
  report: (failure: unknown, what: string) => void
}): RequestLimits {
  const { limits, clock, meta, report } = parts
  const tallies = createTallies()
  const settling = meta && createSettling({ meta, tallies, clock, report })

  const standings = (what: Limited, caller: Caller, now: number) =>
    limits
      .filter((limit) => limit.what === what && isAbout(limit, caller))
      .map((limit) => {
        const name = countedAs(limit, caller)
        return { limit, name, ...standingOf(tallies.get(name), { ...limit, now }) }
      })

  return {
    look: (what, caller) => tightest(standings(what, caller, clock.now())),
    count(what, caller) {
      const now = clock.now()
      const found = standings(what, caller, now)
      const least = tightest(found)
      if (!least || least.wait !== undefined) return least
      for (const { name, limit } of found) {
        addTo(tallies.use(name), { ...limit, now })
        settling?.counted(name, limit.within)
      }
      return { ...least, remaining: least.remaining - 1 }
    },
    async [Symbol.asyncDispose]() {
      await settling?.[Symbol.asyncDispose]()
    },
  }
}

/** The one to wait longest for, or that leaves least. */
function tightest(standings: readonly LimitStanding[]): LimitStanding | undefined {
  const [first, ...others] = standings
  return others.reduce((least, one) => (isTighter(one, least!) ? one : least), first)
}

function isTighter(one: LimitStanding, other: LimitStanding): boolean {
  return (one.wait ?? 0) - (other.wait ?? 0) > 0 || (one.wait === other.wait && one.remaining < other.remaining)
}
