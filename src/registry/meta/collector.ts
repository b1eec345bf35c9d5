import { recordContentChange } from './audit.ts'
import { EXPIRED_FOR } from './exceptions.ts'
import type { CollectorMeta } from './meta-store.ts'
import { optionalText, type SqlDatabase, type Transaction, text } from './sql.ts'
import { condemnBlob, forgetUpload, queueBlob, removeManifest } from './steps.ts'
import { FORGET_PULLS } from './told-releases.ts'

const BATCH = 500

/** The collector's transactions. Each batch is one; nothing is open while objects are deleted. */
export function collectorMeta(database: SqlDatabase): CollectorMeta {
  /** The last repository of the collection before, in this process. */
  let lookedAt = 0
  return {
    async expireUploads(idle) {
      await database.run('DELETE FROM attempts WHERE expires_at < now_ms()')
      await database.run('DELETE FROM request_counts WHERE expires_at < now_ms()')
      await database.run('DELETE FROM sessions WHERE expires_at < now_ms()')
      await database.run('DELETE FROM device_logins WHERE expires_at < now_ms()')
      await database.run('DELETE FROM turns WHERE turn_until < now_ms()')
      await database.run(FORGET_PULLS)
      await database.run('DELETE FROM exceptions WHERE expires_at <= now_ms() - ?', EXPIRED_FOR)
      await database.run('DELETE FROM repository_redirects WHERE redirect_until < now_ms()')
      return await database.transaction(async (sql) => {
        const due = await sql.all(
          `SELECT id, done FROM uploads WHERE (expires_at < now_ms()
           ${idle === undefined ? '' : 'OR (done IS NULL AND moved_at <= now_ms() - ?)'}) AND lock_until < now_ms()
           ${sql.lock('UPDATE', { skipLocked: true })}`,
          ...(idle === undefined ? [] : [idle]),
        )
        for (const row of due) await forgetUpload(sql, text(row['id']))
        return due.filter((row) => row['done'] === null).length
      })
    },

    async removeUntagged(olderThan, restorable = 0) {
      let removed = 0
      // Removing an index makes its children removable: until nothing is left to do.
      for (let found = -1; found !== 0; removed += found) {
        found = await database.transaction((sql) => removeSomeUntagged(sql, [olderThan, restorable]))
      }
      return removed
    },

    async condemnBlobs(grace) {
      const total = { blobs: 0, bytes: 0 }
      for (let more = true; more; ) {
        const batch = await database.transaction((sql) => condemnSome(sql, grace))
        total.blobs += batch.condemned.length
        for (const size of batch.condemned) total.bytes += size
        more = batch.more
      }
      lookedAt = await database.transaction((sql) => removeEmptyRepositories(sql, lookedAt))
      return total
    },

    async dueObjects(limit, ahead = 0) {
      const due = await database.all(
        `SELECT key, state FROM gc_queue WHERE kind = 'object' AND review_after <= now_ms() + ?
         AND NOT EXISTS (SELECT 1 FROM holds WHERE hold_until > now_ms()) LIMIT ?`,
        ...[ahead, limit],
      )
      return due.map((row) => ({ key: text(row['key']), state: optionalText(row['state']) }))
    },

    async forgetObject(key) {
      await database.transaction(async (sql) => {
        await sql.run(`DELETE FROM gc_queue WHERE kind = 'object' AND key = ?`, key)
        await sql.run(`DELETE FROM blobs WHERE storage_key = ? AND state = 'condemned'`, key)
      })
    },

    async hold(id, duration) {
      await database.run(
        `INSERT INTO holds (id, hold_until) VALUES (?, now_ms() + ?)
         ON CONFLICT (id) DO UPDATE SET hold_until = excluded.hold_until`,
        ...[id, duration],
      )
    },

    async release(id) {
      await database.run('DELETE FROM holds WHERE id = ?', id)
    },
  }
}

/** Each collection looks at so many repositories, one after the other: a registry of millions has no pause for all of them. */
const LOOKED_AT = 10_000

/**
 * One that is being pushed to comes back with its first blob: uploads name their repository. The subqueries with LIMIT are answered
 * for each repository by its index; as joins, PostgreSQL reads all manifests there are.
 */
const EMPTY_REPOSITORIES = `
  DELETE FROM repositories WHERE id > ? AND id <= ?
  AND (SELECT 1 FROM repo_blobs rb WHERE rb.repo_id = repositories.id LIMIT 1) IS NULL
  AND (SELECT 1 FROM manifests m WHERE m.repo_id = repositories.id LIMIT 1) IS NULL RETURNING id, name`

/** Of the repositories after that one. Returns the last that was looked at; 0 when these were the last of all. */
async function removeEmptyRepositories(sql: Transaction, after: number): Promise<number> {
  const page = `SELECT id FROM repositories WHERE id > ? ORDER BY id LIMIT ${LOOKED_AT}`
  const seen = await sql.get(`SELECT max(id) AS last, count(*) AS count FROM (${page}) AS page`, after)
  const last = Number(seen?.['last'] ?? 0)
  for (const { id, name } of await sql.all(EMPTY_REPOSITORIES, after, last)) {
    // A later repository may get the same ID: it must not get the history as well.
    await sql.run('DELETE FROM tag_history WHERE repo_id = ?', Number(id))
    await recordContentChange(sql, { actor: 'collector' }, { action: 'repository.remove', repository: text(name) })
  }
  return Number(seen?.['count']) < LOOKED_AT ? 0 : last
}

/**
 * A tag was lost with the line of its history that comes next. The unary plus on repo_id keeps SQLite from reading all manifests of
 * the repository for each of them.
 */
const UNTAGGED = `
  m.pushed_at < now_ms() - ? AND NOT EXISTS (SELECT 1 FROM tags t WHERE t.manifest_id = m.id)
  AND NOT EXISTS (SELECT 1 FROM manifest_children c JOIN manifests p ON p.id = c.parent_id
    WHERE c.child_digest = m.digest AND +p.repo_id = m.repo_id AND p.id <> m.id)
  AND NOT EXISTS (SELECT 1 FROM manifests s WHERE s.repo_id = m.repo_id AND s.digest = m.subject_digest)
  AND NOT EXISTS (SELECT 1 FROM tag_history h WHERE h.repo_id = m.repo_id AND h.digest = m.digest
    AND NOT EXISTS (SELECT 1 FROM tag_history later WHERE later.repo_id = h.repo_id AND later.name = h.name
      AND later.id > h.id AND later.at <= now_ms() - ?))`

/** Those that are locked are looked at again: what holds one may have come while it was waited for. */
async function removeSomeUntagged(sql: Transaction, ages: [olderThan: number, restorable: number]): Promise<number> {
  const candidates = await sql.all(
    `SELECT m.id FROM manifests m WHERE ${UNTAGGED} ORDER BY m.id LIMIT ${BATCH}
     ${sql.lock('UPDATE', { of: 'm', skipLocked: true })}`,
    ...ages,
  )
  let removed = 0
  for (const { id } of candidates) {
    if (!(await sql.get(`SELECT 1 FROM manifests m WHERE m.id = ? AND ${UNTAGGED}`, Number(id), ...ages))) continue
    await removeManifest(sql, Number(id), { actor: 'collector' })
    removed++
  }
  return removed
}

async function condemnSome(sql: Transaction, grace: number): Promise<{ condemned: number[]; more: boolean }> {
  const due = await sql.all(
    `SELECT key FROM gc_queue WHERE kind = 'blob' AND review_after <= now_ms() ORDER BY review_after, key LIMIT ${BATCH}`,
  )
  const condemned: number[] = []
  let reviewed = 0
  for (const row of due) {
    const outcome = await reviewBlob(sql, Number(row['key']), grace)
    if (outcome !== 'busy') reviewed++
    if (typeof outcome === 'number') condemned.push(outcome)
  }
  // When all of them are being pushed nothing was done, and they stay due.
  return { condemned, more: due.length === BATCH && reviewed > 0 }
}

/**
 * Decides about one blob: a repository whose lease is over and that has no manifest with the blob stops showing it; when no
 * repository shows it any more it is condemned. Returns its size then, `busy` while another transaction holds its row.
 */
async function reviewBlob(sql: Transaction, id: number, grace: number): Promise<number | 'kept' | 'busy'> {
  // The row is locked before all others, the order in which pushes take their locks.
  const blob = await sql.get(
    `SELECT size, storage_key, state FROM blobs WHERE id = ? ${sql.lock('UPDATE', { skipLocked: true })}`,
    id,
  )
  if (!blob && (await sql.get('SELECT 1 FROM blobs WHERE id = ?', id))) return 'busy'
  await sql.run(`DELETE FROM gc_queue WHERE kind = 'blob' AND key = ?`, String(id))
  if (blob?.['state'] !== 'active') return 'kept'
  await sql.run(
    `DELETE FROM repo_blobs WHERE blob_id = ? AND lease_until < now_ms() AND NOT EXISTS (SELECT 1 FROM manifest_blobs mb
       JOIN manifests m ON m.id = mb.manifest_id WHERE mb.blob_id = repo_blobs.blob_id AND m.repo_id = repo_blobs.repo_id)`,
    id,
  )
  const shown = await sql.get(
    `SELECT count(*) AS repositories, min(CASE WHEN lease_until >= now_ms() THEN lease_until - now_ms() END) AS next
     FROM repo_blobs WHERE blob_id = ?`,
    id,
  )
  if (shown?.['next'] != null) await queueBlob(sql, id, Number(shown['next']) + 1)
  if (Number(shown?.['repositories']) > 0) return 'kept'
  await condemnBlob(sql, id, { key: text(blob['storage_key']), grace })
  return Number(blob['size'])
}
