import { setTimeout as sleep } from 'node:timers/promises'

/** Milliseconds: only ends a wait for what never comes; no loaded machine needs so long for what does. */
const PATIENCE = 120_000

/**
 * Asks until the answer is neither undefined nor false, and gives that answer. `what` is the fact that is waited for, for
 * the failure; `every` the pause between two questions in milliseconds.
 */
export async function until<T>(
  what: string,
  probe: () => T | Promise<T>,
  { every = 20 }: { every?: number } = {},
): Promise<Exclude<T, undefined | false>> {
  for (const end = performance.now() + PATIENCE; ; await sleep(every)) {
    const answer = await probe()
    if (answer !== undefined && answer !== false) return answer as Exclude<T, undefined | false>
    if (performance.now() > end) throw new Error(`waited in vain until ${what}`)
  }
}

/** Acts until it no longer fails: for servers that come up. Throws the last failure. */
export async function untilItWorks<T>(act: () => Promise<T>): Promise<T> {
  for (const end = performance.now() + PATIENCE; ; await sleep(50)) {
    try {
      return await act()
    } catch (error) {
      if (performance.now() > end) throw error
    }
  }
}
