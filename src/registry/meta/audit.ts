import type { Digest } from '#spec'
import type { AccountAction, ContentAction } from './change-action.ts'
import { queueEvent } from './queue-event.ts'
import { queueReplication } from './queue-replication.ts'
import { optionalText, type Sql, type SqlDatabase, type SqlRow, type SqlValue, text } from './sql.ts'

/** Who changes something: `user:ann`, `robot:acme+ci`, `anonymous`, or `operator` for whoever has the data itself. */
export interface By {
  actor: string
  /** Of the network; undefined for the operator. */
  address?: string
}

export const OPERATOR: By = { actor: 'operator' }

/** One line of the audit log. */
export interface AuditEntry {
  id: number
  /** Milliseconds since 1970. */
  at: number
  actor: string
  address?: string
  /** What was changed or wanted: `grant.set`, `tag.delete`. */
  action: string
  /** An account, pattern, or repository with tag or digest. */
  target: string
  outcome: 'done' | 'refused'
  detail?: string
}

/** What is wanted of the log; in `action` and `target` a star stands for anything. Times are milliseconds since 1970. */
export interface AuditFilter {
  actor?: string
  action?: string
  target?: string
  outcome?: AuditEntry['outcome']
  since?: number
  until?: number
}

export interface AuditMeta {
  /** Newest first; those before the entry with this ID. */
  listAudit(page: { before?: number; limit: number } & AuditFilter): Promise<AuditEntry[]>
  /**
   * Changes are recorded by the transactions that make them; this is for what was not done, `age` milliseconds ago.
   */
  recordRefusals(
    refusals: readonly (By & { action: string; target: string; detail: string; age: number })[],
  ): Promise<void>
  /** What somebody was refused among other things that were done. */
  recordRefusal(refusal: { action: ContentAction; target: string; detail: string }): Promise<void>
  /** Forgets what is older than so many milliseconds. Returns how much. */
  expireAudit(olderThan: number): Promise<number>
}

export function auditMeta(database: SqlDatabase, by: By): AuditMeta {
  return {
    async listAudit({ before, limit, ...filter }) {
      const conditions = [...conditionsOf(filter), ...condition('id < ?', before)]
      const where = conditions.length > 0 ? `WHERE ${conditions.map(([sql]) => sql).join(' AND ')}` : ''
      const values = conditions.map(([, value]) => value)
      const rows = await database.all(`SELECT * FROM audit ${where} ORDER BY id DESC LIMIT ?`, ...values, limit)
      return rows.map(entryOf)
    },

    async recordRefusals(refusals) {
      await database.transaction(
        async (sql) => {
          for (const { age, ...refusal } of refusals) {
            await insert(sql, { ...refusal, outcome: 'refused' }, age)
          }
        },
        { durable: false },
      )
    },

    async recordRefusal(refusal) {
      await insert(database, { ...by, ...refusal, outcome: 'refused' })
    },

    async expireAudit(olderThan) {
      return await database.run('DELETE FROM audit WHERE at < now_ms() - ?', olderThan)
    },
  }
}

/** A change of accounts, rights or rules, in the transaction that makes it. */
export async function recordChange(
  sql: Sql,
  by: By,
  change: { action: AccountAction; target: string; detail?: string | undefined },
): Promise<void> {
  await insert(sql, { ...by, ...change, outcome: 'done' })
  const { action, ...data } = change
  await queueEvent(sql, { action, ...data, data: { ...data, actor: by.actor } })
}

/** What somebody did that changes nothing by itself: it is on record, and hooks are not told. */
export async function recordAct(
  sql: Sql,
  by: By,
  act: { action: 'hook.test' | 'hook.redeliver'; target: string; detail?: string },
): Promise<void> {
  await insert(sql, { ...by, ...act, outcome: 'done' })
}

/** A change of what a repository holds by digest, or of a repository, in the transaction that makes it. */
export async function recordContentChange(
  sql: Sql,
  by: By,
  {
    action,
    repository,
    digest,
    detail,
  }: { action: ContentAction; repository: string; digest?: Digest; detail?: string },
): Promise<void> {
  const target = digest === undefined ? repository : `${repository}@${digest}`
  await insert(sql, { ...by, action, target, outcome: 'done', detail })
  await queueEvent(sql, { action, target, repository, data: { repository, digest, detail, actor: by.actor } })
}

/** What a tag points to from now on, or null. */
export async function recordTagChange(
  sql: Sql,
  by: By,
  { repoId, tag, digest }: { repoId: number; tag: string; digest: Digest | null },
): Promise<void> {
  const action = digest === null ? 'tag.delete' : 'tag.set'
  const line = await sql.get(
    `INSERT INTO audit (at, actor, address, action, target, outcome, detail)
     SELECT now_ms(), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), r.name || ':' || CAST(? AS TEXT), 'done', CAST(? AS TEXT)
     FROM repositories r WHERE r.id = ? RETURNING target`,
    ...[by.actor, by.address ?? null, action, tag, digest, repoId],
  )
  if (!line) return
  const target = text(line['target'])
  const repository = target.slice(0, -tag.length - 1)
  const data = { repository, tag, ...(digest !== null && { digest }), actor: by.actor }
  await queueEvent(sql, { action, target, repository, data })
  await queueReplication(sql, { repository, reference: tag, gone: digest === null })
}

async function insert(sql: Sql, entry: Omit<AuditEntry, 'id' | 'at'>, age = 0): Promise<void> {
  const { actor, address, action, target, outcome, detail } = entry
  await sql.run(
    `INSERT INTO audit (at, actor, address, action, target, outcome, detail) VALUES (now_ms() - ?, ?, ?, ?, ?, ?, ?)`,
    ...[age, actor, address ?? null, action, target, outcome, detail ?? null],
  )
}

type Condition = readonly [sql: string, value: SqlValue]

function conditionsOf({ actor, action, target, outcome, since, until }: AuditFilter): Condition[] {
  return [
    ...condition('actor = ?', actor),
    ...condition(`action LIKE ? ESCAPE '!'`, likeOf(action)),
    ...beginningOf(target),
    ...condition(`target LIKE ? ESCAPE '!'`, likeOf(target)),
    ...condition('outcome = ?', outcome),
    ...condition('at >= ?', since),
    ...condition('at < ?', until),
  ]
}

function condition(sql: string, value: SqlValue | undefined): Condition[] {
  return value === undefined ? [] : [[sql, value]]
}

/** An index finds what begins with the same characters; LIKE looks at all of it. */
function beginningOf(glob = '*'): Condition[] {
  const beginning = glob.slice(0, `${glob}*`.indexOf('*'))
  return beginning === ''
    ? []
    : [
        ['target >= ?', beginning],
        ['target < ?', `${beginning}\u{10FFFF}`],
      ]
}

function likeOf(glob: string | undefined): string | undefined {
  return glob?.replaceAll(/[!%_]/g, '!$&').replaceAll('*', '%')
}

function entryOf(row: SqlRow): AuditEntry {
  return {
    id: Number(row['id']),
    at: Number(row['at']),
    actor: text(row['actor']),
    address: optionalText(row['address']),
    action: text(row['action']),
    target: text(row['target']),
    outcome: text(row['outcome']) as AuditEntry['outcome'],
    detail: optionalText(row['detail']),
  }
}
