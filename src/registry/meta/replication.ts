import { randomUUID } from 'node:crypto'
import type { Digest } from '#spec'
import { type By, recordChange } from './audit.ts'
import { queueTask } from './queue-replication.ts'
import type {
  ReplicationMeta,
  ReplicationRule,
  ReplicationState,
  ReplicationStatus,
  ReplicationTask,
} from './replication-meta.ts'
import { optionalText, type Sql, type SqlDatabase, type SqlRow, type SqlValue, type Transaction, text } from './sql.ts'

/** What is done twice after a power cut does less harm than a sync for each step. */
const UNSYNCED = { durable: false }

const IS_RUNNING = 't.token IS NOT NULL AND t.due_at > now_ms()'
const SHOWN_STATE = `CASE WHEN ${IS_RUNNING} THEN 'running' ELSE t.state END`

const DUE = `
  SELECT r.name FROM replication_rules r WHERE r.rests_until <= now_ms() AND EXISTS (SELECT 1 FROM replication_tasks t
    WHERE t.rule = r.name AND t.state = 'waiting' AND t.due_at <= now_ms()) ORDER BY r.name`

/** One after the other in a repository: what two of its tags have in common goes over once. */
const NEXT = `
  SELECT t.id, t.rule, t.repository, t.reference, t.tries, t.digest FROM replication_tasks t
  JOIN replication_rules r ON r.name = t.rule
  WHERE t.rule = ? AND t.state = 'waiting' AND t.due_at <= now_ms() AND r.rests_until <= now_ms() AND NOT EXISTS
    (SELECT 1 FROM replication_tasks o WHERE o.rule = t.rule AND o.repository = t.repository
     AND o.token IS NOT NULL AND o.due_at > now_ms()) ORDER BY t.due_at, t.id LIMIT 1`

const END = `
  UPDATE replication_tasks SET token = NULL, last_at = now_ms(), bytes = ?, blobs = ?, digest = coalesce(?, digest), failure = ?,
    state = CASE WHEN again = 1 THEN 'waiting' ELSE CAST(? AS TEXT) END,
    due_at = CASE WHEN again = 1 THEN now_ms() ELSE now_ms() + ? END,
    tries = CASE WHEN again = 1 THEN 0 ELSE tries END, again = 0 WHERE id = ? AND token = ? RETURNING state`

/** Times of no rest and no schedule. */
const NEVER = 0

export function replicationMeta(database: SqlDatabase, by: By): ReplicationMeta {
  return {
    async setReplicationRules(rules) {
      if (rules.length === 0 && !(await database.get('SELECT 1 FROM replication_rules LIMIT 1'))) return
      await database.transaction(async (sql) => {
        const wanted = new Map(rules.map((rule) => [rule.name, rule.direction]))
        for (const row of await sql.all('SELECT name, direction FROM replication_rules ORDER BY name')) {
          const isKept = wanted.get(text(row['name'])) === text(row['direction'])
          if (!isKept) await sql.run('DELETE FROM replication_rules WHERE name = ?', text(row['name']))
        }
        for (const rule of rules.toSorted((a, b) => (a.name < b.name ? -1 : 1))) await putRule(sql, rule)
      })
    },

    async listReplicationRules() {
      const rules = await database.all('SELECT * FROM replication_rules ORDER BY name')
      const counts = await database.all(
        `SELECT t.rule, ${SHOWN_STATE} AS shown, count(*) AS count,
           sum(CASE WHEN t.due_at <= now_ms() THEN 1 ELSE 0 END) AS due FROM replication_tasks t
         GROUP BY t.rule, ${SHOWN_STATE}`,
      )
      return rules.map((row) => statusOf(row, counts))
    },

    async scheduleReplications() {
      const due = 'SELECT name FROM replication_rules WHERE every > 0 AND scan_at <= now_ms() ORDER BY name'
      if ((await database.all(due)).length === 0) return
      await database.transaction(async (sql) => {
        for (const row of await sql.all(`${due} ${sql.lock('UPDATE', { skipLocked: true })}`)) {
          const name = text(row['name'])
          await sql.run('UPDATE replication_rules SET scan_at = now_ms() + every WHERE name = ?', name)
          await queueTask(sql, name, EVERYTHING)
        }
      }, UNSYNCED)
    },

    async dueReplications() {
      return (await database.all(DUE)).map((row) => text(row['name']))
    },

    async queueReplications(rule, items) {
      return await database.transaction(async (sql) => {
        if (!(await hasRule(sql, rule))) return false
        for (const item of items) await queueTask(sql, rule, item)
        return true
      }, UNSYNCED)
    },

    async runReplication(rule) {
      return await database.transaction(async (sql) => {
        if (!(await hasRule(sql, rule))) return false
        await wake(sql, rule)
        await queueTask(sql, rule, EVERYTHING)
        await recordChange(sql, by, { action: 'replication.run', target: rule })
        return true
      })
    },

    async retryReplications(which) {
      const [condition, value] = 'id' in which ? ['id = ?', which.id] : ['rule = ?', which.rule]
      return await database.transaction(async (sql) => {
        const rows = await sql.all(
          `UPDATE replication_tasks SET state = 'waiting', due_at = now_ms(), queued_at = now_ms(), tries = 0
           WHERE ${condition} AND token IS NULL AND (state = 'failed' OR (state = 'waiting' AND tries > 0)) RETURNING rule`,
          value,
        )
        for (const rule of new Set(rows.map((row) => text(row['rule'])))) {
          await wake(sql, rule)
          const detail = 'id' in which ? `task ${which.id}` : `${rows.length} tasks`
          await recordChange(sql, by, { action: 'replication.retry', target: rule, detail })
        }
        return rows.length
      })
    },

    async takeReplication(rule, { lease }) {
      return await database.transaction(async (sql) => {
        const row = await sql.get(`${NEXT} ${sql.lock('UPDATE', { of: 't', skipLocked: true })}`, rule)
        if (!row) return undefined
        const [id, token] = [Number(row['id']), randomUUID()]
        await sql.run(
          'UPDATE replication_tasks SET token = ?, due_at = now_ms() + ?, tries = tries + 1, again = 0, bytes = 0, blobs = 0 WHERE id = ?',
          ...[token, lease, id],
        )
        return {
          ...{ id, token, rule },
          repository: text(row['repository']),
          reference: text(row['reference']),
          tries: Number(row['tries']) + 1,
          digest: optionalText(row['digest']) as Digest | undefined,
        }
      }, UNSYNCED)
    },

    async keepReplication({ id, token }, { lease, bytes, blobs }) {
      return await database.transaction(async (sql) => {
        const kept =
          'UPDATE replication_tasks SET due_at = now_ms() + ?, bytes = ?, blobs = ? WHERE id = ? AND token = ?'
        return (await sql.run(kept, lease, bytes, blobs, id, token)) === 1
      }, UNSYNCED)
    },

    async endReplication({ id, token }, { bytes, blobs, digest = null, failure = null, next }) {
      return await database.transaction(async (sql) => {
        const forget = 'DELETE FROM replication_tasks WHERE id = ? AND token = ? AND again = 0'
        if (next === 'forgotten' && (await sql.run(forget, id, token)) === 1) return 'done'
        const state = typeof next === 'object' ? 'waiting' : next === 'failed' ? 'failed' : 'done'
        const pause = typeof next === 'object' ? next.again : 0
        const row = await sql.get(END, bytes, blobs, digest, failure, state, pause, id, token)
        return row && (text(row['state']) as ReplicationState)
      }, UNSYNCED)
    },

    async releaseReplication({ id, token }) {
      await database.run(
        'UPDATE replication_tasks SET token = NULL, again = 0, due_at = now_ms(), tries = tries - 1 WHERE id = ? AND token = ?',
        ...[id, token],
      )
    },

    async freeReplications() {
      await database.run(
        'UPDATE replication_tasks SET token = NULL, again = 0, due_at = now_ms() WHERE token IS NOT NULL',
      )
    },

    async restReplication(rule, { first, most, wait, failure }) {
      await database.transaction(async (sql) => {
        const row = await sql.get(`SELECT rests FROM replication_rules WHERE name = ? ${sql.lock('UPDATE')}`, rule)
        if (!row) return
        const rests = Number(row['rests'])
        const pause = Math.min(most, Math.max(wait ?? 0, first * 2 ** Math.min(rests, 30)))
        await sql.run(
          'UPDATE replication_rules SET rests = ?, rests_until = now_ms() + ?, failure = ? WHERE name = ?',
          ...[rests + 1, Math.round(pause), failure, rule],
        )
      }, UNSYNCED)
    },

    async endRest(rule) {
      await database.run(
        'UPDATE replication_rules SET rests = 0, rests_until = 0, failure = NULL WHERE name = ? AND rests > 0',
        rule,
      )
    },

    async listReplications({ rule, state, before = Number.MAX_SAFE_INTEGER, limit }) {
      const wanted: [string, SqlValue][] = [['t.id < ?', before]]
      if (rule !== undefined) wanted.push(['t.rule = ?', rule])
      if (state !== undefined) wanted.push([`${SHOWN_STATE} = ?`, state])
      const rows = await database.all(
        `SELECT t.*, ${SHOWN_STATE} AS shown FROM replication_tasks t
         WHERE ${wanted.map(([condition]) => condition).join(' AND ')} ORDER BY t.id DESC LIMIT ?`,
        ...wanted.map(([, value]) => value),
        limit,
      )
      return rows.map(taskOf)
    },

    async replicatedTags(rule, repository, { last = '', limit }) {
      const rows = await database.all(
        `SELECT reference, digest FROM replication_tasks WHERE rule = ? AND repository = ? AND reference > ?
         AND digest IS NOT NULL ORDER BY reference LIMIT ?`,
        ...[rule, repository, last, limit],
      )
      return rows.map((row) => ({ tag: text(row['reference']), digest: text(row['digest']) as Digest }))
    },

    async replicatedRepositories(rule, { last = '', limit }) {
      const rows = await database.all(
        `SELECT DISTINCT repository FROM replication_tasks WHERE rule = ? AND repository > ? AND digest IS NOT NULL
         ORDER BY repository LIMIT ?`,
        ...[rule, last, limit],
      )
      return rows.map((row) => text(row['repository']))
    },

    async forgetReplication(rule, { repository, reference }) {
      await database.run(
        'DELETE FROM replication_tasks WHERE rule = ? AND repository = ? AND reference = ? AND token IS NULL',
        ...[rule, repository, reference],
      )
    },

    async countReplications(most) {
      const count = async (state: string) => {
        const sql = 'SELECT count(*) AS found FROM (SELECT 1 FROM replication_tasks WHERE state = ? LIMIT ?) AS counted'
        return Number((await database.get(sql, state, most))?.['found'])
      }
      return { waiting: await count('waiting'), failed: await count('failed') }
    },

    tagsOver: (repository, digest, limit) => tagsOver(database, { repository, digest, limit }),
  }
}

const EVERYTHING = { repository: '', reference: '' }

async function hasRule(sql: Transaction, rule: string): Promise<boolean> {
  const found = await sql.get(`SELECT 1 FROM replication_rules WHERE name = ? ${sql.lock('KEY SHARE')}`, rule)
  return found !== undefined
}

async function wake(sql: Sql, rule: string): Promise<void> {
  await sql.run('UPDATE replication_rules SET rests = 0, rests_until = 0, failure = NULL WHERE name = ?', rule)
}

/** A schedule that was not there is due now; one that became shorter is not due later than it says. */
async function putRule(sql: Sql, rule: ReplicationRule): Promise<void> {
  const { name, direction, repositories, except, tags, onPush, every = NEVER, referrers, deletes } = rule
  await sql.run(
    `INSERT INTO replication_rules
       (name, direction, repositories, excepted, tags, on_push, every, scan_at, referrers, deletes, rests, rests_until)
     VALUES (?, ?, ?, ?, ?, ?, ?, now_ms(), ?, ?, 0, 0) ON CONFLICT (name) DO UPDATE SET
       repositories = excluded.repositories, excepted = excluded.excepted, tags = excluded.tags, on_push = excluded.on_push,
       every = excluded.every, referrers = excluded.referrers, deletes = excluded.deletes, rests = 0, rests_until = 0,
       failure = NULL, scan_at = CASE WHEN replication_rules.every = 0
         OR replication_rules.scan_at > now_ms() + excluded.every THEN now_ms() ELSE replication_rules.scan_at END`,
    ...[name, direction, JSON.stringify(repositories), JSON.stringify(except), JSON.stringify(tags)],
    ...[onPush ? 1 : 0, every, referrers ? 1 : 0, deletes ? 1 : 0],
  )
}

function statusOf(row: SqlRow, counts: readonly SqlRow[]): ReplicationStatus {
  const name = text(row['name'])
  const list = (column: string) => JSON.parse(text(row[column])) as string[]
  const isSet = (column: string) => Number(row[column]) === 1
  const time = (column: string) => Number(row[column]) || undefined
  const every = time('every')
  const tasks = { waiting: 0, due: 0, running: 0, done: 0, failed: 0 }
  for (const one of counts.filter((count) => text(count['rule']) === name)) {
    const state = text(one['shown']) as ReplicationState
    tasks[state] = Number(one['count'])
    if (state === 'waiting') tasks.due = Number(one['due'])
  }
  return {
    name,
    direction: text(row['direction']) as ReplicationRule['direction'],
    repositories: list('repositories'),
    tags: list('tags'),
    onPush: isSet('on_push'),
    every,
    referrers: isSet('referrers'),
    deletes: isSet('deletes'),
    nextAt: every === undefined ? undefined : Number(row['scan_at']),
    restsUntil: time('rests_until'),
    failure: optionalText(row['failure']),
    tasks,
  }
}

function taskOf(row: SqlRow): ReplicationTask {
  return {
    id: Number(row['id']),
    rule: text(row['rule']),
    repository: text(row['repository']),
    reference: text(row['reference']),
    state: text(row['shown']) as ReplicationState,
    tries: Number(row['tries']),
    queuedAt: Number(row['queued_at']),
    dueAt: Number(row['due_at']),
    lastAt: row['last_at'] === null ? undefined : Number(row['last_at']),
    digest: optionalText(row['digest']) as Digest | undefined,
    bytes: Number(row['bytes']),
    blobs: Number(row['blobs']),
    failure: optionalText(row['failure']),
  }
}

/** Nested deeper, nothing is looked for. */
const DEPTH = 8
const MOST_MANIFESTS = 1000

async function tagsOver(
  sql: Sql,
  { repository, digest, limit }: { repository: string; digest: Digest; limit: number },
): Promise<string[]> {
  const repo = await sql.get('SELECT id FROM repositories WHERE name = ?', repository)
  if (!repo) return []
  const repoId = Number(repo['id'])
  const tags = new Set<string>()
  const seen = new Set<string>([digest])
  let level: string[] = [digest]
  for (let depth = 0; depth < DEPTH && level.length > 0 && tags.size < limit; depth++) {
    const above: string[] = []
    for (const one of level) {
      const own = await sql.all(
        `SELECT t.name FROM tags t JOIN manifests m ON m.id = t.manifest_id WHERE t.repo_id = ? AND m.digest = ? LIMIT ?`,
        ...[repoId, one, limit],
      )
      for (const row of own) tags.add(text(row['name']))
      above.push(...(await aboveOf(sql, repoId, one)))
    }
    level = above.filter((one) => !seen.has(one) && seen.size < MOST_MANIFESTS && seen.add(one))
  }
  return [...tags].slice(0, limit)
}

/** Indexes with a manifest, and what it refers to. */
async function aboveOf(sql: Sql, repoId: number, digest: string): Promise<string[]> {
  const rows = await sql.all(
    `SELECT m.digest FROM manifest_children c JOIN manifests m ON m.id = c.parent_id WHERE c.child_digest = ? AND +m.repo_id = ?
     UNION ALL SELECT subject_digest FROM manifests WHERE repo_id = ? AND digest = ? AND subject_digest IS NOT NULL LIMIT ?`,
    ...[digest, repoId, repoId, digest, MOST_MANIFESTS],
  )
  return rows.map((row) => text(row['digest']))
}
