import { recordContentChange } from './audit.ts'
import { judgeContent } from './content-policies.ts'
import type { ManifestObjection, NewManifest } from './meta-store.ts'
import { queueReplication } from './queue-replication.ts'
import type { Growth } from './quotas.ts'
import { setTag } from './set-tag.ts'
import { OutOfDate, type Transaction } from './sql.ts'
import { blobOfRepository, repositoryOf } from './steps.ts'

/**
 * Stores a manifest with its edges and tags, when all that it refers to is in the repository. The rows of that are locked, in
 * the same order by all who do so, until it refers to them: what a manifest was stored with never goes before it.
 * TAG_IMMUTABLE when a policy keeps one of its tags where it is, POLICY_VIOLATED when one does not admit it. What
 * it adds is to be judged by the caller.
 */
export async function storeManifest(
  sql: Transaction,
  repository: string,
  manifest: NewManifest,
  address?: string,
): Promise<{ objection: ManifestObjection } | { growth: Growth; changed: boolean }> {
  const blobIds: number[] = []
  for (const blob of manifest.blobs.toSorted((a, b) => (a.digest < b.digest ? -1 : 1))) {
    const row = await blobOfRepository(sql, repository, blob.digest, sql.lock('KEY SHARE', { of: 'b, rb' }))
    if (row && Number(row['size']) !== blob.size)
      return { objection: { wrongSize: blob.digest, size: Number(row['size']) } }
    if (row) blobIds.push(Number(row['id']))
    else if (!blob.optional) return { objection: { missing: blob.digest } }
  }
  for (const child of manifest.children.toSorted()) {
    const row = await sql.get(
      `SELECT m.id FROM repositories r JOIN manifests m ON m.repo_id = r.id WHERE r.name = ? AND m.digest = ?
       ${sql.lock('KEY SHARE', { of: 'm' })}`,
      ...[repository, child],
    )
    if (!row) return { objection: { missing: child } }
  }
  await judgeContent(sql, repository, manifest)
  const { id: repoId, isNew: isFirst } = await repositoryOf(sql, repository)
  const { id, isNew } = await addManifest(sql, { repoId, manifest, blobIds })
  const by = { actor: manifest.actor, address }
  const done: string[] = []
  for (const tag of manifest.tags.toSorted()) {
    done.push(await setTag(sql, { repository, repoId, tag, manifestId: id, digest: manifest.digest, ...by }))
  }
  if (isNew && manifest.tags.length === 0) {
    await recordContentChange(sql, by, { action: 'manifest.push', repository, digest: manifest.digest })
  }
  if (isNew && manifest.subject !== undefined) {
    await queueReplication(sql, { repository, reference: manifest.digest, gone: false })
  }
  const bytes = isNew ? manifest.bytes.byteLength : 0
  const tags = done.filter((one) => one === 'added').length
  const changed = isNew || done.some((one) => one !== 'same')
  return { changed, growth: { bytes, tags, repositories: isFirst ? 1 : 0 } }
}

/** Adds the row of a manifest with its edges. The rows of what it refers to are locked by the caller. */
export async function addManifest(
  sql: Transaction,
  { repoId, manifest, blobIds }: { repoId: number; manifest: NewManifest; blobIds: number[] },
): Promise<{ id: number; isNew: boolean }> {
  const { digest, mediaType, artifactType, subject, descriptor, bytes, children } = manifest
  const added = await sql.run(
    `INSERT INTO manifests (repo_id, digest, media_type, artifact_type, subject_digest, descriptor, body, pushed_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, now_ms()) ON CONFLICT (repo_id, digest) DO NOTHING`,
    ...[repoId, digest, mediaType, artifactType ?? null, subject ?? null, JSON.stringify(descriptor), bytes],
  )
  const row = await sql.get(
    `SELECT id FROM manifests WHERE repo_id = ? AND digest = ? ${sql.lock('KEY SHARE')}`,
    ...[repoId, digest],
  )
  if (!row) throw new OutOfDate('the manifest was removed meanwhile')
  const id = Number(row['id'])
  if (added === 0) return { id, isNew: false }
  const addBlob = 'INSERT INTO manifest_blobs (manifest_id, blob_id) VALUES (?, ?) ON CONFLICT DO NOTHING'
  for (const blobId of blobIds) await sql.run(addBlob, id, blobId)
  const addChild = 'INSERT INTO manifest_children (parent_id, child_digest) VALUES (?, ?) ON CONFLICT DO NOTHING'
  for (const child of children) await sql.run(addChild, id, child)
  return { id, isNew: true }
}
