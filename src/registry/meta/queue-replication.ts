import { matchesPattern } from '../pattern/index.ts'
import { type Sql, type SqlRow, text } from './sql.ts'

/** A tag, or a manifest by its digest, that changed; or a whole repository. */
interface ReplicatedChange {
  repository: string
  /** A tag, or a digest; empty for whatever is in the repository. */
  reference: string
  /** The tag went. */
  gone: boolean
}

/** What is to be replicated: a tag, or a digest; with neither, whatever is in the repository (or in all of them). */
export interface ReplicationItem {
  repository: string
  reference: string
}

/**
 * Notes a change for the rules that push it elsewhere, in the transaction that makes it. However often something changes, one
 * task waits for it: what is replicated is what is there then.
 */
export async function queueReplication(sql: Sql, change: ReplicatedChange): Promise<void> {
  const { repository, reference, gone } = change
  const rules = await sql.all(`SELECT * FROM replication_rules WHERE direction = 'push' AND on_push = 1 ORDER BY name`)
  for (const rule of rules.filter((one) => wants(one, change))) {
    if (gone && Number(rule['deletes']) === 0) await forgetTask(sql, text(rule['name']), { repository, reference })
    else await queueTask(sql, text(rule['name']), { repository, reference })
  }
}

function wants(rule: SqlRow, { repository, reference }: ReplicatedChange): boolean {
  const matches = (column: string, name: string) =>
    (JSON.parse(text(rule[column])) as string[]).some((pattern) => matchesPattern(pattern, name))
  if (!matches('repositories', repository) || matches('excepted', repository)) return false
  if (reference === '') return true
  if (!reference.includes(':') && matches('tags', reference)) return true
  return Number(rule['referrers']) === 1 && (reference.includes(':') || isReferrerTag(reference))
}

/** Clients that know no referrers keep them by tags: `sha256-….sig`. Source: distribution-spec, "Referrers Tag Schema". */
export function isReferrerTag(tag: string): boolean {
  return /^sha256-[0-9a-f]{64}(?:\.|$)/.test(tag) || /^sha512-[0-9a-f]{64}/.test(tag)
}

/** Makes a task due, or has it run once more when it is being done. */
export async function queueTask(sql: Sql, rule: string, { repository, reference }: ReplicationItem): Promise<void> {
  await sql.run(
    `INSERT INTO replication_tasks (rule, repository, reference, state, due_at, queued_at, tries, again, bytes, blobs)
     VALUES (?, ?, ?, 'waiting', now_ms(), now_ms(), 0, 0, 0, 0) ON CONFLICT (rule, repository, reference)
     DO UPDATE SET state = 'waiting', queued_at = excluded.queued_at, tries = 0,
       again = CASE WHEN replication_tasks.token IS NULL THEN 0 ELSE 1 END,
       due_at = CASE WHEN replication_tasks.token IS NULL THEN excluded.due_at ELSE replication_tasks.due_at END`,
    ...[rule, repository, reference],
  )
}

/** Of what is no longer there, and is to stay at the destination. A task that runs finds out itself. */
async function forgetTask(sql: Sql, rule: string, { repository, reference }: ReplicationItem): Promise<void> {
  await sql.run(
    'DELETE FROM replication_tasks WHERE rule = ? AND repository = ? AND reference = ? AND token IS NULL',
    ...[rule, repository, reference],
  )
}
