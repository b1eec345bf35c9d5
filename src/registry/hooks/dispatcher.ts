import { type Clock, createLimiter, isBaleError } from '#base'
import type { AttemptResult, MetaStore, TakenDelivery } from '../meta/index.ts'
import type { Observe } from '../operation/index.ts'
import { ATTEMPT_TIME, type HookSender, type Sent } from './hook-sender.ts'

/** Delivers what is due. Disposing it ends attempts that run, and gives back what they were to deliver. */
interface Dispatcher extends AsyncDisposable {
  /** Begins to deliver what is due by now; what is slow does not hold up the next round. */
  round(): Promise<void>
}

interface DispatcherParts {
  meta: MetaStore
  sender: HookSender
  clock: Clock
  /** Milliseconds. */
  retryFor: number
  report: (failure: unknown, what: string) => void
  observe: Observe | undefined
}

/** So many hooks at once, each with so many deliveries. */
const HOOKS_AT_ONCE = 8
const AT_ONCE = 4
/** Then other hooks have their turn. */
const BATCHES = 25
/** An attempt has ended long before. */
const LEASE = 4 * ATTEMPT_TIME
const FIRST_PAUSE = 5_000
const LONGEST_PAUSE = 3_600_000
const COUNT_EVERY = 5_000
const MOST_COUNTED = 10_000

/**
 * Replicas do not know each other: each takes deliveries, and the database gives each to one of them. The order of a hook's
 * events is kept only as far as deliveries succeed one after the other.
 */
export function createDispatcher({ meta, sender, clock, retryFor, report, observe }: DispatcherParts): Dispatcher {
  const stopping = new AbortController()
  const { signal } = stopping
  const inTurn = createLimiter(HOOKS_AT_ONCE)
  /** Hooks that are at work, and whether they are to look again. */
  const working = new Map<string, { again: boolean; work: Promise<void> }>()
  let counted = Number.NEGATIVE_INFINITY

  /** True when the receiver took it, or does not want it. */
  async function deliver(taken: TakenDelivery): Promise<boolean> {
    try {
      const sent = await attempt(taken)
      const state = await meta.endAttempt(taken, resultOf(sent, taken.attempts, retryFor))
      if (state) observe?.({ kind: 'hook-attempt-ended', outcome: state === 'pending' ? 'failed' : state })
      return sent.outcome !== 'failed'
    } catch (error) {
      if (signal.aborted) await meta.releaseDelivery(taken)
      else report(error, 'delivering to hooks')
      return false
    }
  }

  async function attempt(taken: TakenDelivery): Promise<Sent> {
    try {
      return await sender.send(taken, { signal })
    } catch (error) {
      if (signal.aborted || !isBaleError(error)) throw error
      report(error, `hook ${taken.hook.name}`)
      return { outcome: 'failed', failure: error.message }
    }
  }

  /** Ends when nothing is due, or the receiver takes nothing; true when there is more to do. */
  async function work(hook: string, state: { again: boolean }): Promise<boolean> {
    for (let batch = 0; batch < BATCHES && !signal.aborted; batch++) {
      state.again = false
      const taken = await meta.takeDeliveries(hook, { lease: LEASE, limit: AT_ONCE })
      const wentWell = await Promise.all(taken.map(deliver))
      if (taken.length === 0 ? !state.again : !wentWell.includes(true)) return false
    }
    return !signal.aborted
  }

  function begin(hook: string): void {
    const state = { again: false, work: Promise.resolve() }
    working.set(hook, state)
    state.work = inTurn(() => work(hook, state))
      .catch((error: unknown) => {
        report(error, 'delivering to hooks')
        return false
      })
      .then((more) => {
        working.delete(hook)
        if (more) begin(hook)
      })
  }

  async function count(): Promise<void> {
    if (!observe || clock.now() < counted + COUNT_EVERY) return
    counted = clock.now()
    observe({ kind: 'hook-deliveries-counted', pending: await meta.pendingDeliveries(MOST_COUNTED) })
  }

  return {
    async round() {
      for (const hook of await meta.dueHooks()) {
        const state = working.get(hook)
        if (state) state.again = true
        else if (!signal.aborted) begin(hook)
      }
      await count()
    },
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await Promise.all([...working.values()].map(({ work }) => work))
    },
  }
}

/** What a receiver that is back gets at once must not all come at the same moment. */
function resultOf({ outcome, wait = 0, ...told }: Sent, attempts: number, retryFor: number): AttemptResult {
  if (outcome === 'delivered') return { ...told, next: 'delivered' }
  if (outcome === 'unwanted') return { ...told, next: 'dead' }
  const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (attempts - 1)) * (0.5 + Math.random())
  return { ...told, next: { again: Math.round(Math.max(pause, Math.min(wait, LONGEST_PAUSE))), within: retryFor } }
}
