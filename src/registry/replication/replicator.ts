import { BaleError, type Clock, type Log } from '#base'
import type { ConnectionSettings, RemoteLimits } from '#transport'
import type { TakenReplication } from '../meta/index.ts'
import type { Observe } from '../operation/index.ts'
import { RemoteRegistry } from '../remote/index.ts'
import { failureOf, LONGEST_REST } from './failure.ts'
import type { LocalParts } from './local-end.ts'
import { perform } from './perform.ts'
import type { Rule } from './replication-settings.ts'
import type { RuleParts } from './rule-parts.ts'

/** Does what rules have to do. Disposing it ends tasks that run, and gives them back. */
interface Replicator extends AsyncDisposable {
  /** Makes the metadata know the rules. To be called once, first. */
  begin(): Promise<void>
  /** Begins what is due by now; what is slow does not hold up the next round. */
  round(): Promise<void>
}

interface ReplicatorParts extends LocalParts {
  rules: readonly Rule[]
  clock: Clock
  log: Log
  connections: ConnectionSettings | undefined
  report: (failure: unknown, what: string) => void
  observe: Observe | undefined
}

/** Tasks of a rule that a process does at once, each of which moves some blobs at once. */
const AT_ONCE = 2
/** A process that has died does so no longer. It is renewed three times within. */
const LEASE = 30_000
const COUNT_EVERY = 5_000
const MOST_COUNTED = 10_000

/** Nobody waits for it: more patience than with upstreams, and the rest is done by trying again later. */
const LIMITS: Partial<RemoteLimits> = {
  attempts: 3,
  longestDelay: 4_000,
  longestRetryAfter: 4_000,
  tagPages: 10_000,
  tags: 1_000_000,
}

/**
 * Replicas do not know each other: each takes tasks, and the database gives each to one of them. Where one died, another goes on:
 * what is at the destination already is not sent again.
 */
export function createReplicator({ rules, report, observe, ...parts }: ReplicatorParts): Replicator {
  const { meta, clock, log, connections } = parts
  const stopping = new AbortController()
  const all = new Map<string, RuleParts>()
  const working = new Map<string, { again: boolean; workers: Set<Promise<void>> }>()
  for (const rule of rules) {
    const registry = new RemoteRegistry(rule.place, { clock, log, connections, limits: LIMITS })
    all.set(rule.kept.name, { rule, registry, local: parts })
  }
  let counted = Number.NEGATIVE_INFINITY

  /** One task after the other, until none is due. */
  async function work(rule: RuleParts, state: { again: boolean }): Promise<void> {
    const { name } = rule.rule.kept
    while (!stopping.signal.aborted) {
      state.again = false
      const taken = await meta.takeReplication(name, { lease: LEASE })
      if (taken) await doTask(rule, taken)
      else if (!state.again) return
    }
  }

  async function doTask(rule: RuleParts, taken: TakenReplication): Promise<void> {
    const moved = { bytes: 0, blobs: 0 }
    const lost = new AbortController()
    const keep = () => meta.keepReplication(taken, { lease: LEASE, ...moved })
    const keeping = setInterval(() => {
      // The database is away: the lease lasts for some tries.
      keep().then(
        (kept) => kept || lost.abort(new BaleError('LOCKED', 'another process does it')),
        () => undefined,
      )
    }, LEASE / 10)
    const signal = AbortSignal.any([stopping.signal, lost.signal])
    try {
      const outcome = await perform(rule, taken, { signal, moved })
      await end(taken, { ...moved, ...outcome })
      await meta.endRest(taken.rule)
    } catch (error) {
      if (stopping.signal.aborted) await meta.releaseReplication(taken)
      else if (!lost.signal.aborted) await endFailed(taken, moved, error)
    } finally {
      clearInterval(keeping)
    }
  }

  async function end(taken: TakenReplication, result: Parameters<typeof meta.endReplication>[1]): Promise<void> {
    const state = await meta.endReplication(taken, result)
    if (!state) return
    const outcome = result.next === 'failed' ? 'given-up' : result.failure === undefined ? 'done' : 'failed'
    observe?.({ kind: 'replication-ended', rule: taken.rule, outcome, bytes: result.bytes })
  }

  async function endFailed(
    taken: TakenReplication,
    moved: { bytes: number; blobs: number },
    error: unknown,
  ): Promise<void> {
    const { text, next, rest } = failureOf(error, taken.tries)
    report(error, `replication ${taken.rule}`)
    if (rest) await meta.restReplication(taken.rule, { ...rest, most: LONGEST_REST, failure: text })
    await end(taken, { ...moved, failure: text, next })
  }

  function start(name: string, rule: RuleParts): void {
    const state = working.get(name) ?? { again: false, workers: new Set() }
    working.set(name, state)
    state.again = true
    while (state.workers.size < AT_ONCE) {
      const worker = work(rule, state)
        .catch((error: unknown) => report(error, 'replicating'))
        .finally(() => state.workers.delete(worker))
      state.workers.add(worker)
    }
  }

  async function count(): Promise<void> {
    if (!observe || clock.now() < counted + COUNT_EVERY) return
    counted = clock.now()
    observe({ kind: 'replications-counted', ...(await meta.countReplications(MOST_COUNTED)) })
  }

  return {
    begin: () => meta.setReplicationRules(rules.map(({ kept }) => kept)),
    async round() {
      if (all.size === 0 || stopping.signal.aborted) return
      await meta.scheduleReplications()
      for (const name of await meta.dueReplications()) {
        const rule = all.get(name)
        if (rule) start(name, rule)
      }
      await count()
    },
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await Promise.all([...working.values()].flatMap(({ workers }) => [...workers]))
      for (const { registry } of all.values()) await registry[Symbol.asyncDispose]()
    },
  }
}
