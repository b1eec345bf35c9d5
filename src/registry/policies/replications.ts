import { BaleError, printable } from '#base'
import type { MetaStore, ReplicationState, ReplicationStatus, ReplicationTask } from '../meta/index.ts'

/** Which tasks: those before the one with the ID `before`. */
export interface ReplicationFilter {
  rule?: string
  state?: ReplicationState
  before?: number
}

/** How replication stands, and what an administrator has it do. The processes that serve the registry do it. */
export interface Replications {
  /** The rules, as the server that started last has them, by their names. */
  list(): Promise<ReplicationStatus[]>
  /** What became of each tag of a rule, or is still to become of it; newest first. */
  tasks(filter?: ReplicationFilter): AsyncIterable<ReplicationTask>
  /** Compares everything that a rule is about, now. NOT_FOUND for an unknown rule. */
  run(rule: string): Promise<void>
  /** Tries again, now, what failed or waits for another try: one task, or all of a rule. NOT_FOUND when there is nothing. */
  retry(which: { task: number } | { rule: string }): Promise<number>
}

const AT_ONCE = 500

export function createReplications(meta: MetaStore): Replications {
  return {
    list: () => meta.listReplicationRules(),
    async *tasks({ before: start, ...filter } = {}) {
      for (let before = start; ; ) {
        const page = await meta.listReplications({ ...filter, before, limit: AT_ONCE })
        yield* page
        if (page.length < AT_ONCE) return
        before = page.at(-1)!.id
      }
    },
    async run(rule) {
      if (await meta.runReplication(rule)) return
      throw new BaleError('NOT_FOUND', `there is no rule of replication ${printable(rule, 80)}`, {
        next: { act: 'list-registry-replications' },
      })
    },
    async retry(which) {
      const count = await meta.retryReplications('task' in which ? { id: which.task } : which)
      if (count > 0) return count
      const what = 'task' in which ? `task ${which.task}` : `a task of ${printable(which.rule, 80)}`
      throw new BaleError('NOT_FOUND', `there is not ${what} that failed`, {
        next: { act: 'list-registry-replications' },
      })
    },
  }
}
