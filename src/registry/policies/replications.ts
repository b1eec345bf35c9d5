import { BaleError, printable } from '#base'
import type { MetaStore, ReplicationState, ReplicationStatus, ReplicationTask } from '../meta/index.ts'

/** Which tasks: at most `limit` (100), of those before the one with the ID `before`. */
export interface ReplicationPage {
  rule?: string
  state?: ReplicationState
  before?: number
  limit?: number
}

/** How replication stands, and what an administrator has it do. The processes that serve the registry do it. */
export interface Replications {
  /** The rules, as the server that started last has them, by their names. */
  list(): Promise<ReplicationStatus[]>
  /** What became of each tag of a rule, or is still to become of it; newest first. */
  tasks(page?: ReplicationPage): Promise<ReplicationTask[]>
  /** Compares everything that a rule is about, now. NOT_FOUND for an unknown rule. */
  run(rule: string): Promise<void>
  /** Tries again, now, what failed or waits for another try: one task, or all of a rule. NOT_FOUND when there is nothing. */
  retry(which: { id: number } | { rule: string }): Promise<number>
}

const PAGE = 100

export function createReplications(meta: MetaStore): Replications {
  return {
    list: () => meta.listReplicationRules(),
    tasks: ({ limit = PAGE, ...page } = {}) => meta.listReplications({ ...page, limit }),
    async run(rule) {
      if (await meta.runReplication(rule)) return
      throw new BaleError('NOT_FOUND', `there is no rule of replication ${printable(rule, 80)}`, {
        next: { act: 'list-registry-replications' },
      })
    },
    async retry(which) {
      const count = await meta.retryReplications(which)
      if (count > 0) return count
      const what = 'id' in which ? `the task ${which.id} is not` : `no task of ${printable(which.rule, 80)} is`
      throw new BaleError('NOT_FOUND', `${what} one that failed`, { next: { act: 'list-registry-replications' } })
    },
  }
}
