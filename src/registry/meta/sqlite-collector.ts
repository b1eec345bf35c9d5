import { type Database, text } from './database.ts'
import type { CollectorMeta } from './meta-store.ts'
import { condemnBlob, forgetUpload, queueBlob, removeManifest } from './sqlite-steps.ts'

const BATCH = 500

/** The collector's transactions in SQLite. Each batch is one; nothing is open while objects are deleted. */
export function sqliteCollector(database: Database): CollectorMeta {
  return {
    async expireUploads(now, idleSince = Number.NEGATIVE_INFINITY) {
      return database.transaction(() => {
        const due = database.all(
          `SELECT id, done FROM uploads WHERE (expires_at < ? OR (done IS NULL AND moved_at <= ?)) AND lock_until < ?`,
          now,
          Math.max(0, idleSince),
          now,
        )
        for (const row of due) forgetUpload(database, text(row['id']), now)
        return due.filter((row) => row['done'] === null).length
      })
    },

    async removeUntagged(before, now) {
      let removed = 0
      // Removing an index makes its children removable: until nothing is left to do.
      for (let found = -1; found !== 0; removed += found) {
        found = database.transaction(() => {
          const due = database.all(UNTAGGED, before, BATCH)
          for (const row of due) removeManifest(database, Number(row['id']), { now, actor: 'collector' })
          return due.length
        })
      }
      return removed
    },

    async condemnBlobs(now, grace) {
      const total = { blobs: 0, bytes: 0 }
      for (let more = true; more; ) {
        more = database.transaction(() => {
          const due = database.all(
            `SELECT key FROM gc_queue WHERE kind = 'blob' AND review_after <= ? ORDER BY review_after LIMIT ?`,
            now,
            BATCH,
          )
          for (const row of due) {
            const bytes = reviewBlob(database, Number(row['key']), now, grace)
            if (bytes !== undefined) total.blobs++
            total.bytes += bytes ?? 0
          }
          return due.length === BATCH
        })
      }
      database.run(EMPTY_REPOSITORIES)
      return total
    },

    async dueObjects(now, limit, ahead = 0) {
      return database
        .all(
          `SELECT key FROM gc_queue WHERE kind = 'object' AND review_after <= ?
           AND NOT EXISTS (SELECT 1 FROM holds WHERE hold_until > ?) LIMIT ?`,
          now + ahead,
          now,
          limit,
        )
        .map((row) => text(row['key']))
    },

    async forgetObject(key) {
      database.transaction(() => {
        database.run(`DELETE FROM gc_queue WHERE kind = 'object' AND key = ?`, key)
        database.run(`DELETE FROM blobs WHERE storage_key = ? AND state = 'condemned'`, key)
      })
    },

    async hold(id, until) {
      database.run(
        `INSERT INTO holds (id, hold_until) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET hold_until = excluded.hold_until`,
        id,
        until,
      )
    },

    async release(id) {
      database.run('DELETE FROM holds WHERE id = ?', id)
    },
  }
}

/** One that is being pushed to comes back with its first blob: uploads name their repository. */
const EMPTY_REPOSITORIES = `
  DELETE FROM repositories WHERE NOT EXISTS (SELECT 1 FROM repo_blobs rb WHERE rb.repo_id = repositories.id)
  AND NOT EXISTS (SELECT 1 FROM manifests m WHERE m.repo_id = repositories.id)`

const UNTAGGED = `
  SELECT m.id FROM manifests m WHERE m.pushed_at < ?
  AND NOT EXISTS (SELECT 1 FROM tags t WHERE t.manifest_id = m.id)
  AND NOT EXISTS (SELECT 1 FROM manifest_children c JOIN manifests p ON p.id = c.parent_id
    WHERE c.child_digest = m.digest AND p.repo_id = m.repo_id AND p.id <> m.id)
  AND NOT EXISTS (SELECT 1 FROM manifests s WHERE s.repo_id = m.repo_id AND s.digest = m.subject_digest)
  LIMIT ?`

/**
 * Decides about one blob, in the caller's transaction: a repository whose lease is over and that has no manifest with
 * the blob stops showing it; when no repository shows it any more it is condemned. Returns its size then.
 */
function reviewBlob(database: Database, id: number, now: number, grace: number): number | undefined {
  database.run(`DELETE FROM gc_queue WHERE kind = 'blob' AND key = ?`, String(id))
  database.run(
    `DELETE FROM repo_blobs WHERE blob_id = ? AND lease_until < ? AND NOT EXISTS (SELECT 1 FROM manifest_blobs mb
       JOIN manifests m ON m.id = mb.manifest_id WHERE mb.blob_id = repo_blobs.blob_id AND m.repo_id = repo_blobs.repo_id)`,
    id,
    now,
  )
  const shown = database.get(
    `SELECT count(*) AS repositories, min(CASE WHEN lease_until >= ? THEN lease_until END) AS next
     FROM repo_blobs WHERE blob_id = ?`,
    now,
    id,
  )
  if (shown?.['next'] != null) queueBlob(database, id, Number(shown['next']) + 1)
  if (Number(shown?.['repositories']) > 0) return undefined
  const blob = database.get(`SELECT size, storage_key FROM blobs WHERE id = ? AND state = 'active'`, id)
  if (!blob) return undefined
  condemnBlob(database, id, { key: text(blob['storage_key']), due: now + grace })
  return Number(blob['size'])
}
