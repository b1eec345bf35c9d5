import type { Clock } from '#base'
import type { MetaStore, RequestCount } from '../meta/index.ts'
import type { Tallies } from './tallies.ts'
import { partOf } from './tally.ts'

/** How long a process goes by what it knew. */
const EVERY = 1000
/** Names that are settled at once; those of a flood take turns. */
const AT_ONCE = 5000
/** Names that wait for it; in a flood while the database is away, what comes under others counts in this process alone. */
const MOST_WAITING = 50_000

/** Adds what this process counted to what all of them counted. Disposing adds what is left, of so many names. */
interface Settling extends AsyncDisposable {
  /** To be called when something was counted under this name, which holds for so many milliseconds. */
  counted(name: string, within: number): void
}

/**
 * A second after something was counted, it is added to the rows that all processes share, and what the others counted under
 * the same name comes back. While the database does not answer, each process goes by its own counts; `report` is told.
 */
export function createSettling(parts: {
  meta: Pick<MetaStore, 'addRequestCounts'>
  tallies: Tallies
  clock: Clock
  report: (failure: unknown, what: string) => void
}): Settling {
  const { meta, tallies, clock, report } = parts
  const stopping = new AbortController()
  const unsettled = new Map<string, number>()
  let waiting: Promise<void> | undefined

  async function settle(): Promise<void> {
    const names = [...unsettled].slice(0, AT_ONCE)
    for (const [name] of names) unsettled.delete(name)
    const counts = names.flatMap(([name, within]) => unsettledOf(tallies, name, within))
    try {
      if (counts.length > 0) take(tallies, counts, await meta.addRequestCounts(counts))
    } catch (error) {
      for (const [name, within] of names) unsettled.set(name, within)
      report(error, 'counting requests together with other replicas')
    }
  }

  async function settleLater(): Promise<void> {
    // Stopping ends the wait, not the settling.
    await clock.sleep(EVERY, { signal: stopping.signal }).catch(() => undefined)
    await settle()
    waiting = unsettled.size > 0 && !stopping.signal.aborted ? settleLater() : undefined
  }

  return {
    counted(name, within) {
      if (unsettled.size < MOST_WAITING) unsettled.set(name, within)
      waiting ??= settleLater()
    },
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await waiting
      if (unsettled.size > 0) await settle()
    },
  }
}

/** Nothing for a name that a flood pushed out. */
function unsettledOf(tallies: Tallies, name: string, within: number): RequestCount[] {
  const parts = tallies.get(name)?.parts ?? []
  return parts
    .filter(({ unsettled }) => unsettled > 0)
    .map(({ number, unsettled }) => ({ name, part: number, count: unsettled, within }))
}

/** Takes over what all processes counted; what was counted here meanwhile stays on top of it. */
function take(tallies: Tallies, sent: readonly RequestCount[], known: readonly Omit<RequestCount, 'within'>[]): void {
  for (const { name, part, count } of sent) {
    const tally = tallies.get(name)
    if (tally) partOf(tally, part).unsettled -= count
  }
  for (const { name, part: number, count } of known) {
    const tally = tallies.get(name)
    if (!tally) continue
    const part = partOf(tally, number)
    part.total = count + part.unsettled
  }
}
