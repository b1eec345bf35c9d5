import type { Digest } from '#spec'
import { type By, recordContentChange } from './audit.ts'
import { GATE } from './gate-generation.ts'
import { refuseImmutableManifest, refuseImmutableTag } from './immutable-tags.ts'
import { listWithin } from './list-within.ts'
import type { ContentMeta } from './meta-store.ts'
import { judgeQuotas } from './quotas.ts'
import { listReferrers } from './referrers.ts'
import { type SqlDatabase, text } from './sql.ts'
import { blobOfRepository, queueBlob, queueObject, recordTag, removeManifest, showBlob } from './steps.ts'
import { storeManifest } from './store-manifest.ts'

const MANIFEST_OF_REPOSITORY = `
  SELECT m.id, m.digest, m.media_type, m.body, ${GATE} FROM repositories r JOIN manifests m ON m.repo_id = r.id
  WHERE r.name = ? AND m.digest = ?`

const MANIFEST_OF_TAG = `
  SELECT m.digest, m.media_type, m.body, ${GATE} FROM repositories r JOIN tags t ON t.repo_id = r.id
  JOIN manifests m ON m.id = t.manifest_id WHERE r.name = ? AND t.name = ?`

const POINTER_OF_TAG = `
  SELECT m.digest, t.updated_by FROM repositories r JOIN tags t ON t.repo_id = r.id
  JOIN manifests m ON m.id = t.manifest_id WHERE r.name = ? AND t.name = ?`

/** The state of an unfinished upload names keys within its text. */
const KNOWN_OBJECT = `
  SELECT 1 FROM blobs WHERE storage_key = ?
  UNION ALL SELECT 1 FROM uploads WHERE done IS NULL AND (storage_key = ? OR state LIKE '%' || CAST(? AS TEXT) || '%')
  UNION ALL SELECT 1 FROM gc_queue WHERE kind = 'object' AND (key = ? OR state LIKE '%' || CAST(? AS TEXT) || '%') LIMIT 1`

/** Repositories, blobs, manifests, tags and referrers. */
export function contentMeta(database: SqlDatabase, { actor, address }: By): ContentMeta {
  return {
    async findBlob(repository, digest, { lease } = {}) {
      const row = await blobOfRepository(database, repository, digest)
      if (!row) return undefined
      const found = { size: Number(row['size']), key: text(row['storage_key']), gate: Number(row['gate']) }
      if (lease === undefined || !isLeaseWorthRenewing(Number(row['lease_left']), lease)) return found
      // No row is changed when the collector was first: the blob is gone then.
      const extended = await database.run(
        'UPDATE repo_blobs SET lease_until = now_ms() + ? WHERE repo_id = ? AND blob_id = ?',
        ...[lease, Number(row['repo_id']), Number(row['id'])],
      )
      return extended === 1 ? found : undefined
    },

    async repositoriesWith(digest, limit) {
      const rows = await database.all(
        `SELECT r.name FROM blob_digests d JOIN blobs b ON b.id = d.blob_id AND b.state = 'active' AND b.lost = 0
         JOIN repo_blobs rb ON rb.blob_id = b.id JOIN repositories r ON r.id = rb.repo_id WHERE d.digest = ? LIMIT ?`,
        ...[digest, limit],
      )
      return rows.map((row) => text(row['name']))
    },

    async mountBlob(repository, digest, { from, lease }) {
      return await database.transaction(async (sql) => {
        const row = await blobOfRepository(sql, from, digest, sql.lock('KEY SHARE', { of: 'b, rb' }))
        if (!row) return false
        const [blobId, size] = [Number(row['id']), Number(row['size'])]
        await judgeQuotas(sql, repository, await showBlob(sql, { repository, blobId, size, lease }))
        return true
      })
    },

    async unlinkBlob(repository, digest) {
      return await database.transaction(async (sql) => {
        // Stronger than the lock of a manifest that is just being stored: it is seen below, or does not find the blob.
        const row = await blobOfRepository(sql, repository, digest, sql.lock('UPDATE', { of: 'rb' }))
        if (!row) return 'absent'
        const [blobId, repoId] = [Number(row['id']), Number(row['repo_id'])]
        const used = await sql.get(
          `SELECT 1 FROM manifest_blobs mb JOIN manifests m ON m.id = mb.manifest_id
           WHERE mb.blob_id = ? AND m.repo_id = ? LIMIT 1`,
          ...[blobId, repoId],
        )
        if (used) return 'in use'
        await sql.run('DELETE FROM repo_blobs WHERE repo_id = ? AND blob_id = ?', repoId, blobId)
        await queueBlob(sql, blobId)
        await recordContentChange(sql, { actor, address }, { action: 'blob.delete', repository, digest })
        return 'removed'
      })
    },

    async putManifest(repository, manifest) {
      return await database.transaction(async (sql) => {
        const stored = await storeManifest(sql, repository, manifest, address)
        if ('objection' in stored) return stored.objection
        await judgeQuotas(sql, repository, stored.growth)
        return undefined
      })
    },

    async findManifest(repository, reference) {
      const row =
        'tag' in reference
          ? await database.get(MANIFEST_OF_TAG, repository, reference.tag)
          : await database.get(MANIFEST_OF_REPOSITORY, repository, reference.digest)
      if (!row) return undefined
      return {
        digest: text(row['digest']) as Digest,
        mediaType: text(row['media_type']),
        bytes: row['body'] as Uint8Array,
        gate: Number(row['gate']),
      }
    },

    async findTag(repository, tag) {
      const row = await database.get(POINTER_OF_TAG, repository, tag)
      return row && { digest: text(row['digest']) as Digest, actor: text(row['updated_by']) }
    },

    async deleteManifest(repository, digest, by) {
      return await database.transaction(async (sql) => {
        const row = await sql.get(
          `SELECT m.id FROM repositories r JOIN manifests m ON m.repo_id = r.id WHERE r.name = ? AND m.digest = ?
           ${sql.lock('UPDATE', { of: 'm' })}`,
          ...[repository, digest],
        )
        if (!row) return false
        await refuseImmutableManifest(sql, { repository, manifestId: Number(row['id']) })
        await removeManifest(sql, Number(row['id']), { actor: by, address })
        await recordContentChange(sql, { actor: by, address }, { action: 'manifest.delete', repository, digest })
        return true
      })
    },

    async deleteTag(repository, tag, by) {
      return await database.transaction(async (sql) => {
        const repo = await sql.get('SELECT id FROM repositories WHERE name = ?', repository)
        const repoId = Number(repo?.['id'])
        if (!repo || (await sql.run('DELETE FROM tags WHERE repo_id = ? AND name = ?', repoId, tag)) === 0) return false
        await refuseImmutableTag(sql, repository, tag)
        await recordTag(sql, { repoId, tag, digest: null, actor: by, address })
        return true
      })
    },

    async listTags(repository, { last = '', limit }) {
      const repo = await database.get('SELECT id FROM repositories WHERE name = ?', repository)
      if (!repo) return undefined
      const rows = await database.all(
        'SELECT name FROM tags WHERE repo_id = ? AND name > ? ORDER BY name LIMIT ?',
        ...[Number(repo['id']), last, limit],
      )
      return rows.map((row) => text(row['name']))
    },

    listReferrers: (repository, subject, page) => listReferrers(database, { repository, subject, ...page }),

    async listRepositories({ last = '', limit, within, only, andPublic }) {
      const patterns = within ?? (only === undefined ? undefined : ['**'])
      if (patterns) return await listWithin(database, patterns, { last, limit, only, andPublic })
      const sql = 'SELECT name FROM repositories WHERE name > ? ORDER BY name LIMIT ?'
      return (await database.all(sql, last, limit)).map((row) => text(row['name']))
    },

    async listBlobs({ after, limit }) {
      const rows = await database.all(
        `SELECT b.id, b.size, b.storage_key, b.lost, d.digest FROM blobs b JOIN blob_digests d ON d.blob_id = b.id
         WHERE b.id > ? AND b.state = 'active' ORDER BY b.id LIMIT ?`,
        ...[after, limit],
      )
      return rows.map((row) => ({
        id: Number(row['id']),
        size: Number(row['size']),
        key: text(row['storage_key']),
        digest: text(row['digest']) as Digest,
        lost: Number(row['lost']) === 1,
      }))
    },

    async manifestsWith(blobId) {
      const rows = await database.all(
        `SELECT r.name, m.digest FROM manifest_blobs mb JOIN manifests m ON m.id = mb.manifest_id
         JOIN repositories r ON r.id = m.repo_id WHERE mb.blob_id = ? ORDER BY r.name, m.digest`,
        blobId,
      )
      return rows.map((row) => ({ repository: text(row['name']), manifest: text(row['digest']) as Digest }))
    },

    async markBlob(id, { key, lost, deleteAfter }) {
      return await database.transaction(async (sql) => {
        const marked = await sql.run(
          `UPDATE blobs SET lost = ? WHERE id = ? AND storage_key = ? AND state = 'active'`,
          ...[lost ? 1 : 0, id, key],
        )
        if (marked === 0) return false
        if (deleteAfter !== undefined) await queueObject(sql, { key }, deleteAfter)
        // One that is whole after all must not be deleted as the damaged one that it was taken for.
        if (!lost) await sql.run(`DELETE FROM gc_queue WHERE kind = 'object' AND key = ?`, key)
        return true
      })
    },

    async isObjectKnown(key) {
      return (await database.get(KNOWN_OBJECT, key, key, key, key, key)) !== undefined
    },
  }
}

/** A lease is written again only when less than half of it is left, so that most HEADs write nothing. */
function isLeaseWorthRenewing(left: number, wanted: number): boolean {
  return left < wanted / 2
}
