import type { Clock } from '#base'

/** Counts tries by key within a moving minute; old and excess keys are forgotten, so memory is bounded. */
interface Attempts {
  /** Seconds to wait before another try, 0 when a try is free. */
  waitFor(key: string): number
  /**
   * Counts a try before its slow work, so that those which come together count as well. What is returned gives it back:
   * for a try that was right, or was not made.
   */
  count(key: string): () => void
}

const WINDOW = 60_000
const MOST_KEYS = 10_000

export function createAttempts({ limit, clock }: { limit: number; clock: Clock }): Attempts {
  const tries = new Map<string, { at: number }[]>()
  const recent = (key: string) => (tries.get(key) ?? []).filter(({ at }) => at > clock.now() - WINDOW)
  return {
    waitFor(key) {
      const times = recent(key)
      if (times.length < limit) return 0
      return Math.max(1, Math.ceil((times[0]!.at + WINDOW - clock.now()) / 1000))
    },
    count(key) {
      const one = { at: clock.now() }
      const times = [...recent(key), one].slice(-limit)
      tries.delete(key)
      tries.set(key, times)
      const oldest = tries.keys().next()
      if (tries.size > MOST_KEYS && !oldest.done) tries.delete(oldest.value)
      return () => {
        const left = (tries.get(key) ?? []).filter((other) => other !== one)
        if (left.length > 0) tries.set(key, left)
        else tries.delete(key)
      }
    },
  }
}
