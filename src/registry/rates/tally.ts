/** Parts of a period. A place is free again at most one part later than a period after it was taken. */
const PARTS = 20

/** What was counted in one part of the time. */
interface Part {
  /** Number of the part since 1970. */
  number: number
  /** Of all processes, as far as it is known here. */
  total: number
  /** What of it only this process knows. */
  unsettled: number
}

/** Counts of one caller under one limit. Parts are those of the database's time, and so the same in all processes. */
export interface Tally {
  parts: Part[]
}

/** How a count stands. */
export interface Standing {
  remaining: number
  /** Milliseconds until there is a place again; undefined while there is one. */
  wait: number | undefined
}

/** Never more than `most` in any period: a part counts until its end is a whole period ago. */
export function standingOf(
  tally: Tally | undefined,
  { most, within, now }: { most: number; within: number; now: number },
) {
  const length = within / PARTS
  const parts = (tally?.parts ?? []).filter(({ number }) => number >= partAt(now, within) - PARTS)
  const remaining = most - parts.reduce((sum, { total }) => sum + total, 0)
  if (remaining > 0) return { remaining, wait: undefined } satisfies Standing
  let free = remaining
  for (const { number, total } of parts.toSorted((one, other) => one.number - other.number)) {
    free += total
    if (free > 0) return { remaining: 0, wait: (number + PARTS + 1) * length - now } satisfies Standing
  }
  return { remaining: 0, wait: within } satisfies Standing
}

/** Counts one more, and forgets what is over. */
export function addTo(tally: Tally, { within, now }: { within: number; now: number }): void {
  const current = partAt(now, within)
  const part = partOf(tally, current)
  part.total++
  part.unsettled++
  const isOver = (one: Part) => one.number < current - PARTS
  if (tally.parts.some(isOver)) tally.parts = tally.parts.filter((one) => !isOver(one))
}

/** The part of that number, made if needed. */
export function partOf(tally: Tally, number: number): Part {
  const known = tally.parts.find((one) => one.number === number)
  if (known) return known
  const part = { number, total: 0, unsettled: 0 }
  // Not a push: that makes room for sixteen more, and most callers have one part alone.
  tally.parts = [...tally.parts, part]
  return part
}

function partAt(now: number, within: number): number {
  return Math.floor((now * PARTS) / within)
}
