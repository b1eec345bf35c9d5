/** Steps that several transactions share. */
import type { Digest } from '#spec'
import { type By, recordTagChange } from './audit.ts'
import { refuseFormerName } from './former-names.ts'
import { GATE } from './gate-generation.ts'
import type { Growth } from './quotas.ts'
import { OutOfDate, type Sql, type SqlRow, type Transaction, text } from './sql.ts'

const BLOB_OF_REPOSITORY = `
  SELECT b.id, b.size, b.storage_key, rb.repo_id, rb.lease_until - now_ms() AS lease_left, ${GATE} FROM repositories r
  JOIN repo_blobs rb ON rb.repo_id = r.id JOIN blob_digests d ON d.blob_id = rb.blob_id JOIN blobs b ON b.id = d.blob_id
  WHERE r.name = ? AND d.digest = ? AND b.state = 'active' AND b.lost = 0`

/** The blob as the repository shows it; locked if that is wanted. */
export async function blobOfRepository(
  sql: Sql,
  repository: string,
  digest: Digest,
  lock = '',
): Promise<SqlRow | undefined> {
  return await sql.get(`${BLOB_OF_REPOSITORY} ${lock}`, repository, digest)
}

/** Queues a blob for checking after so many milliseconds. An earlier entry is not postponed. */
export async function queueBlob(sql: Sql, blobId: number, after = 0): Promise<void> {
  await sql.run(
    `INSERT INTO gc_queue (kind, key, review_after) VALUES ('blob', ?, now_ms() + ?) ON CONFLICT (kind, key)
     DO UPDATE SET review_after = excluded.review_after WHERE excluded.review_after < gc_queue.review_after`,
    String(blobId),
    after,
  )
}

/** Notes that an object's bytes should go, after so many milliseconds. */
export async function queueObject(
  sql: Sql,
  { key, state }: { key: string; state?: string | undefined },
  after = 0,
): Promise<void> {
  await sql.run(
    `INSERT INTO gc_queue (kind, key, review_after, state) VALUES ('object', ?, now_ms() + ?, ?)
     ON CONFLICT (kind, key) DO NOTHING`,
    key,
    after,
    state ?? null,
  )
}

/** Lets a blob disappear: what comes with its digest from now on is another blob. Its object goes after `grace`. */
export async function condemnBlob(sql: Sql, id: number, { key, grace }: { key: string; grace: number }): Promise<void> {
  await sql.run(`UPDATE blobs SET state = 'condemned' WHERE id = ?`, id)
  await sql.run('DELETE FROM blob_digests WHERE blob_id = ?', id)
  await queueObject(sql, { key }, grace)
}

/**
 * Shows a blob in a repository, which comes into being with its first content. The blob's row is locked by the caller. Returns
 * what this added.
 */
export async function showBlob(
  sql: Sql,
  { repository, blobId, size, lease }: { repository: string; blobId: number; size: number; lease: number },
): Promise<Growth> {
  const { id, isNew } = await repositoryOf(sql, repository)
  const added = await sql.run(
    `INSERT INTO repo_blobs (repo_id, blob_id, lease_until) VALUES (?, ?, now_ms() + ?) ON CONFLICT (repo_id, blob_id) DO NOTHING`,
    ...[id, blobId, lease],
  )
  if (added === 0) await extendLease(sql, { repoId: id, blobId, lease })
  await queueBlob(sql, blobId, lease)
  return { bytes: added * size, tags: 0, repositories: isNew ? 1 : 0 }
}

async function extendLease(
  sql: Sql,
  { repoId, blobId, lease }: { repoId: number; blobId: number; lease: number },
): Promise<void> {
  const row = await sql.get(
    `UPDATE repo_blobs SET lease_until = CASE WHEN lease_until > now_ms() + ? THEN lease_until ELSE now_ms() + ? END
     WHERE repo_id = ? AND blob_id = ? RETURNING blob_id`,
    ...[lease, lease, repoId, blobId],
  )
  if (!row) throw new OutOfDate('the collector took the blob out of the repository meanwhile')
}

/** A repository comes into being when it is first written to. */
export async function repositoryOf(sql: Sql, name: string): Promise<{ id: number; isNew: boolean }> {
  const find = () => sql.get('SELECT id FROM repositories WHERE name = ?', name)
  const known = await find()
  if (known) return { id: Number(known['id']), isNew: false }
  const added = await sql.run(
    'INSERT INTO repositories (name, created_at) VALUES (?, now_ms()) ON CONFLICT (name) DO NOTHING',
    name,
  )
  await refuseFormerName(sql, name)
  const made = await find()
  if (!made) throw new OutOfDate('the repository went meanwhile')
  return { id: Number(made['id']), isNew: added === 1 }
}

/** A line of a tag's history and of the audit log: what it points to from now on, or null. */
export async function recordTag(
  sql: Sql,
  { repoId, tag, digest, ...by }: { repoId: number; tag: string; digest: Digest | null } & By,
): Promise<void> {
  await sql.run(
    'INSERT INTO tag_history (repo_id, name, digest, at, actor) VALUES (?, ?, ?, now_ms(), ?)',
    repoId,
    tag,
    digest,
    by.actor,
  )
  await recordTagChange(sql, by, { repoId, tag, digest })
}

/** Removes a manifest, whose row is locked by the caller, with its tags; the collector checks its blobs. */
export async function removeManifest(sql: Transaction, id: number, by: By): Promise<void> {
  for (const row of await sql.all('SELECT repo_id, name FROM tags WHERE manifest_id = ?', id)) {
    await recordTag(sql, { repoId: Number(row['repo_id']), tag: text(row['name']), digest: null, ...by })
  }
  const blobs = await sql.all('SELECT blob_id FROM manifest_blobs WHERE manifest_id = ? ORDER BY blob_id', id)
  await sql.run('DELETE FROM manifests WHERE id = ?', id)
  for (const row of blobs) await queueBlob(sql, Number(row['blob_id']))
}

/** Forgets an upload. The object of one that became a blob stays. */
export async function forgetUpload(sql: Transaction, id: string): Promise<void> {
  const row = await sql.get(`SELECT storage_key, state, done FROM uploads WHERE id = ? ${sql.lock('UPDATE')}`, id)
  if (!row) return
  const state = row['state'] === null ? undefined : text(row['state'])
  if (row['done'] === null) await queueObject(sql, { key: text(row['storage_key']), state })
  await sql.run('DELETE FROM uploads WHERE id = ?', id)
}
