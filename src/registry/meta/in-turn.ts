import { randomUUID } from 'node:crypto'
import { BaleError } from '#base'
import type { CoordinationMeta } from './meta-store.ts'

/** Milliseconds after which a process that was killed is no longer taken to be at work. */
const TURN = 120_000

/**
 * Does work that one process of a registry does at a time. `taken` when another one is at it. The signal is aborted when the turn
 * is lost, as by a process that stood still for minutes: then another one may have begun.
 */
export async function inTurn<T>(
  meta: Pick<CoordinationMeta, 'takeTurn' | 'endTurn'>,
  name: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<{ done: T } | 'taken'> {
  const holder = randomUUID()
  const take = () => meta.takeTurn(name, holder, TURN)
  if (!(await take())) return 'taken'
  const stopping = new AbortController()
  const renewal = setInterval(() => {
    take().then(
      (kept) =>
        kept || stopping.abort(new BaleError('LOCKED', `another process of the registry has the turn: ${name}`)),
      // The database is away: the turn lasts for some tries, and the work has its own failures.
      () => undefined,
    )
  }, TURN / 4)
  try {
    return { done: await work(stopping.signal) }
  } finally {
    clearInterval(renewal)
    await meta.endTurn(name, holder)
  }
}
