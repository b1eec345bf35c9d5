import type { Digest } from '#spec'
import type { ReplicationItem } from './queue-replication.ts'

/** What the transactions of pushes, and all processes, need to know of a rule. Its registry and login are not kept here. */
export interface ReplicationRule {
  name: string
  direction: 'push' | 'pull'
  /** Patterns of the source's repositories. */
  repositories: readonly string[]
  /** Patterns of those that are left out. */
  except: readonly string[]
  /** Patterns of tags. */
  tags: readonly string[]
  /** Changes of tags are replicated when they happen. */
  onPush: boolean
  /** Everything is compared so often: milliseconds. */
  every?: number
  /** Signatures, SBOMs and the like follow. */
  referrers: boolean
  /** Deletions of tags follow. */
  deletes: boolean
}

/** How a rule stands. Times are milliseconds since 1970. */
export interface ReplicationStatus extends Omit<ReplicationRule, 'repositories' | 'except' | 'tags'> {
  repositories: string[]
  tags: string[]
  /** When everything is compared next; undefined without a schedule. */
  nextAt?: number
  /** The other registry is left alone until then, since it could not be asked. */
  restsUntil?: number
  /** Why. */
  failure?: string
  /** `due`: of those that wait, what is to be done now. */
  tasks: { waiting: number; due: number; running: number; done: number; failed: number }
}

/** `waiting`: also what is tried again. `failed`: given up. */
export type ReplicationState = 'waiting' | 'running' | 'done' | 'failed'

/** What became of one thing that a rule replicates, or is still to become of it. Times are milliseconds since 1970. */
export interface ReplicationTask extends ReplicationItem {
  id: number
  rule: string
  state: ReplicationState
  /** Since it was queued. */
  tries: number
  queuedAt: number
  /** When it is tried next, if it waits. */
  dueAt: number
  /** The end of the last try. */
  lastAt?: number
  /** What was replicated last. */
  digest?: Digest
  /** Of the last try, or of this one so far. */
  bytes: number
  blobs: number
  failure?: string
}

/** A task, taken by somebody who is to do it now. */
export interface TakenReplication extends ReplicationItem {
  id: number
  token: string
  rule: string
  /** With this one. */
  tries: number
  digest?: Digest
}

/** What came of a try. `forgotten`: it was of use once. In milliseconds: it is tried again after that time. */
export interface ReplicationResult {
  bytes: number
  blobs: number
  digest?: Digest
  failure?: string
  next: 'done' | 'failed' | 'forgotten' | { again: number }
}

type Taken = Pick<TakenReplication, 'id' | 'token'>

/** Rules of replication and their tasks. What was taken is due again after its lease: whoever took it may have died. */
export interface ReplicationMeta {
  /** Those that the configuration has. Others go with their tasks; a new one with a schedule is due at once. None of them rests. */
  setReplicationRules(rules: readonly ReplicationRule[]): Promise<void>
  /** By their names. */
  listReplicationRules(): Promise<ReplicationStatus[]>
  /** Queues everything of the rules whose time has come. */
  scheduleReplications(): Promise<void>
  /** Rules that have something due and do not rest. */
  dueReplications(): Promise<string[]>
  /** False when there is no such rule. */
  queueReplications(rule: string, items: readonly ReplicationItem[]): Promise<boolean>
  /** As an operator wants it: everything, also what was given up, and at once. False when there is no such rule. */
  runReplication(rule: string): Promise<boolean>
  /** Tasks that failed or wait for another try are due now: one of them, or all of a rule. Returns how many. */
  retryReplications(which: { id: number } | { rule: string }): Promise<number>
  /** One that is due, of a repository in which none is at work. */
  takeReplication(rule: string, options: { lease: number }): Promise<TakenReplication | undefined>
  /** Renews the lease and notes how far it is; false when it is lost. */
  keepReplication(taken: Taken, progress: { lease: number; bytes: number; blobs: number }): Promise<boolean>
  /** What was asked for again meanwhile is due at once. Undefined when another one has taken it, or it is gone. */
  endReplication(taken: Taken, result: ReplicationResult): Promise<ReplicationState | undefined>
  /** Gives back what was not tried. */
  releaseReplication(taken: Taken): Promise<void>
  /** Gives back all: for the one process of an embedded registry when it starts after a crash. */
  freeReplications(): Promise<void>
  /** Leaves the other registry of a rule alone: `first` milliseconds, twice as long each time, `most` at most; or `wait`. */
  restReplication(rule: string, how: { first: number; most: number; wait?: number; failure: string }): Promise<void>
  /** To be called when the other registry answered well after a rest. */
  endRest(rule: string): Promise<void>
  /** Newest first, at most `limit` of those before one. */
  listReplications(page: {
    rule?: string
    state?: ReplicationState
    before?: number
    limit: number
  }): Promise<ReplicationTask[]>
  /** Tags of a repository that a rule has replicated, in byte order, with what they were. */
  replicatedTags(
    rule: string,
    repository: string,
    page: { last?: string; limit: number },
  ): Promise<{ tag: string; digest: Digest }[]>
  /** Repositories in which a rule has replicated tags, in byte order. */
  replicatedRepositories(rule: string, page: { last?: string; limit: number }): Promise<string[]>
  /** Forgets a tag that is gone and whose deletion is not replicated. */
  forgetReplication(rule: string, item: ReplicationItem): Promise<void>
  /** Of all rules, at most `most` of each kind. */
  countReplications(most: number): Promise<{ waiting: number; failed: number }>
  /** Tags of a repository that lead to a manifest: its own, those of indexes with it, of what it refers to. At most `limit`. */
  tagsOver(repository: string, digest: Digest, limit: number): Promise<string[]>
}
