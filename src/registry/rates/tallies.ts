import type { Tally } from './tally.ts'

/** Some 30 MB at most. */
const MOST = 50_000

/** Counts by their names, of those who came last: a flood from ever new addresses takes no more memory. */
export interface Tallies {
  get(name: string): Tally | undefined
  /** Makes it if needed. It is among the last to be forgotten. */
  use(name: string): Tally
}

/**
 * Two maps, of which the older is dropped as a whole when the newer is full: to take the oldest out of one map, again and
 * again, costs a walk over the places of all that were taken out before.
 */
export function createTallies(most = MOST): Tallies {
  let newer = new Map<string, Tally>()
  let older = new Map<string, Tally>()
  const get = (name: string) => newer.get(name) ?? older.get(name)
  return {
    get,
    use(name) {
      const known = newer.get(name)
      if (known) return known
      const tally = older.get(name) ?? { parts: [] }
      if (newer.size >= most / 2) [newer, older] = [new Map(), newer]
      newer.set(name, tally)
      return tally
    },
  }
}
