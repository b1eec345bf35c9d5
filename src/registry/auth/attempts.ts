import type { Clock } from '#base'

/** Counts failures by key within a moving minute; old and excess keys are forgotten, so memory is bounded. */
export interface Attempts {
  /** Seconds to wait before another try, 0 when a try is free. */
  waitFor(key: string): number
  fail(key: string): void
}

const WINDOW = 60_000
const MOST_KEYS = 10_000

export function createAttempts({ limit, clock }: { limit: number; clock: Clock }): Attempts {
  const failures = new Map<string, number[]>()
  const recent = (key: string) => (failures.get(key) ?? []).filter((at) => at > clock.now() - WINDOW)
  return {
    waitFor(key) {
      const times = recent(key)
      if (times.length < limit) return 0
      return Math.max(1, Math.ceil((times[0]! + WINDOW - clock.now()) / 1000))
    },
    fail(key) {
      const times = [...recent(key), clock.now()].slice(-limit)
      failures.delete(key)
      failures.set(key, times)
      const oldest = failures.keys().next()
      if (failures.size > MOST_KEYS && !oldest.done) failures.delete(oldest.value)
    },
  }
}
