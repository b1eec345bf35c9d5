/** Steps that several transactions share. Each is to be called within one. */
import type { Digest } from '#spec'
import { type Database, text } from './database.ts'

/** Queues a blob for checking, not before `after`. An earlier entry is not postponed. */
export function queueBlob(database: Database, blobId: number, after: number): void {
  database.run(
    `INSERT INTO gc_queue (kind, key, review_after) VALUES ('blob', ?, ?)
     ON CONFLICT (kind, key) DO UPDATE SET review_after = min(review_after, excluded.review_after)`,
    String(blobId),
    after,
  )
}

/** Notes that an object's bytes should go, not before `after`. */
export function queueObject(database: Database, key: string, after: number): void {
  database.run(
    `INSERT INTO gc_queue (kind, key, review_after) VALUES ('object', ?, ?) ON CONFLICT (kind, key) DO NOTHING`,
    key,
    after,
  )
}

/** Lets a blob disappear: what comes with its digest from now on is another blob. Its object goes at `due`. */
export function condemnBlob(database: Database, id: number, { key, due }: { key: string; due: number }): void {
  database.run(`UPDATE blobs SET state = 'condemned' WHERE id = ?`, id)
  database.run('DELETE FROM blob_digests WHERE blob_id = ?', id)
  queueObject(database, key, due)
}

/** Shows a blob in a repository, which comes into being with its first content. */
export function showBlob(
  database: Database,
  { repository, blobId, lease, now }: { repository: string; blobId: number; lease: number; now: number },
): void {
  database.run(
    `INSERT INTO repo_blobs (repo_id, blob_id, lease_until) VALUES (?, ?, ?)
     ON CONFLICT (repo_id, blob_id) DO UPDATE SET lease_until = max(lease_until, excluded.lease_until)`,
    repositoryId(database, repository, now),
    blobId,
    lease,
  )
  queueBlob(database, blobId, lease)
}

/** A repository comes into being when it is first written to. */
export function repositoryId(database: Database, name: string, now: number): number {
  database.run('INSERT INTO repositories (name, created_at) VALUES (?, ?) ON CONFLICT (name) DO NOTHING', name, now)
  return Number(database.get('SELECT id FROM repositories WHERE name = ?', name)!['id'])
}

/** A line of a tag's history: what it points to from now on, or null. */
export function recordTag(
  database: Database,
  event: { repoId: number; tag: string; digest: Digest | null; now: number; actor: string },
): void {
  const { repoId, tag, digest, now, actor } = event
  database.run(
    'INSERT INTO tag_history (repo_id, name, digest, at, actor) VALUES (?, ?, ?, ?, ?)',
    repoId,
    tag,
    digest,
    now,
    actor,
  )
}

/** Removes a manifest with its tags; the collector checks its blobs. */
export function removeManifest(database: Database, id: number, { now, actor }: { now: number; actor: string }): void {
  for (const row of database.all('SELECT repo_id, name FROM tags WHERE manifest_id = ?', id)) {
    recordTag(database, { repoId: Number(row['repo_id']), tag: text(row['name']), digest: null, now, actor })
  }
  const blobs = database.all('SELECT blob_id FROM manifest_blobs WHERE manifest_id = ?', id)
  database.run('DELETE FROM manifests WHERE id = ?', id)
  for (const row of blobs) queueBlob(database, Number(row['blob_id']), now)
}

/** Forgets an upload. The object of one that became a blob stays. */
export function forgetUpload(database: Database, id: string, now: number): void {
  const row = database.get('SELECT storage_key, done FROM uploads WHERE id = ?', id)
  if (!row) return
  if (row['done'] === null) queueObject(database, text(row['storage_key']), now)
  database.run('DELETE FROM uploads WHERE id = ?', id)
}
