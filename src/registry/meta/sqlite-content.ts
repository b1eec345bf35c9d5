import type { Clock } from '#base'
import type { Descriptor, Digest } from '#spec'
import { type Database, text } from './database.ts'
import { listWithin } from './list-within.ts'
import type { ContentMeta, ManifestObjection, NewManifest, StoredBlob } from './meta-store.ts'
import { queueBlob, queueObject, recordTag, removeManifest, repositoryId, showBlob } from './sqlite-steps.ts'

const BLOB_OF_REPOSITORY = `
  SELECT b.id, b.size, b.storage_key, rb.repo_id, rb.lease_until FROM repositories r
  JOIN repo_blobs rb ON rb.repo_id = r.id JOIN blob_digests d ON d.blob_id = rb.blob_id JOIN blobs b ON b.id = d.blob_id
  WHERE r.name = ? AND d.digest = ? AND b.state = 'active' AND b.lost = 0`

const MANIFEST_OF_REPOSITORY = `
  SELECT m.id, m.digest, m.media_type, m.body FROM repositories r JOIN manifests m ON m.repo_id = r.id
  WHERE r.name = ? AND m.digest = ?`

const KNOWN_OBJECT = `
  SELECT 1 FROM blobs WHERE storage_key = ? UNION ALL SELECT 1 FROM uploads WHERE storage_key = ? AND done IS NULL
  UNION ALL SELECT 1 FROM gc_queue WHERE kind = 'object' AND key = ? LIMIT 1`

/** Repositories, blobs, manifests, tags and referrers in SQLite. */
export function sqliteContent(database: Database, clock: Clock): ContentMeta {
  const lookUp = (repository: string, digest: Digest) => database.get(BLOB_OF_REPOSITORY, repository, digest)

  return {
    async findBlob(repository, digest, { lease } = {}): Promise<StoredBlob | undefined> {
      const row = lookUp(repository, digest)
      if (!row) return undefined
      const found = { size: Number(row['size']), key: text(row['storage_key']) }
      if (lease === undefined || !isLeaseWorthRenewing(Number(row['lease_until']), lease, clock.now())) return found
      return database.transaction(() => {
        const extended = database.run(
          'UPDATE repo_blobs SET lease_until = max(lease_until, ?) WHERE repo_id = ? AND blob_id = ?',
          lease,
          row['repo_id']!,
          row['id']!,
        )
        return extended === 1 ? found : undefined
      })
    },

    async repositoriesWith(digest, limit) {
      return database
        .all(
          `SELECT r.name FROM blob_digests d JOIN blobs b ON b.id = d.blob_id AND b.state = 'active' AND b.lost = 0
           JOIN repo_blobs rb ON rb.blob_id = b.id JOIN repositories r ON r.id = rb.repo_id WHERE d.digest = ? LIMIT ?`,
          digest,
          limit,
        )
        .map((row) => text(row['name']))
    },

    async mountBlob(repository, digest, { from, lease }) {
      return database.transaction(() => {
        const row = lookUp(from, digest)
        if (!row) return false
        showBlob(database, { repository, blobId: Number(row['id']), lease, now: clock.now() })
        return true
      })
    },

    async unlinkBlob(repository, digest) {
      return database.transaction(() => {
        const row = lookUp(repository, digest)
        if (!row) return 'absent'
        const used = database.get(
          'SELECT 1 FROM manifest_blobs mb JOIN manifests m ON m.id = mb.manifest_id WHERE mb.blob_id = ? AND m.repo_id = ?',
          row['id']!,
          row['repo_id']!,
        )
        if (used) return 'in use'
        database.run('DELETE FROM repo_blobs WHERE repo_id = ? AND blob_id = ?', row['repo_id']!, row['id']!)
        queueBlob(database, Number(row['id']), clock.now())
        return 'removed'
      })
    },

    async putManifest(repository, manifest) {
      return database.transaction(() => storeManifest(database, { repository, manifest, now: clock.now() }))
    },

    async findManifest(repository, reference) {
      const row =
        'tag' in reference
          ? database.get(
              `SELECT m.digest, m.media_type, m.body FROM repositories r JOIN tags t ON t.repo_id = r.id
               JOIN manifests m ON m.id = t.manifest_id WHERE r.name = ? AND t.name = ?`,
              repository,
              reference.tag,
            )
          : database.get(MANIFEST_OF_REPOSITORY, repository, reference.digest)
      if (!row) return undefined
      return {
        digest: text(row['digest']) as Digest,
        mediaType: text(row['media_type']),
        bytes: row['body'] as Uint8Array,
      }
    },

    async deleteManifest(repository, digest, actor) {
      return database.transaction(() => {
        const row = database.get(MANIFEST_OF_REPOSITORY, repository, digest)
        if (!row) return false
        removeManifest(database, Number(row['id']), { now: clock.now(), actor })
        return true
      })
    },

    async deleteTag(repository, tag, actor) {
      return database.transaction(() => {
        const repo = database.get('SELECT id FROM repositories WHERE name = ?', repository)
        if (!repo || database.run('DELETE FROM tags WHERE repo_id = ? AND name = ?', repo['id']!, tag) === 0)
          return false
        recordTag(database, { repoId: Number(repo['id']), tag, digest: null, now: clock.now(), actor })
        return true
      })
    },

    async listTags(repository, { last = '', limit }) {
      const repo = database.get('SELECT id FROM repositories WHERE name = ?', repository)
      if (!repo) return undefined
      return database
        .all('SELECT name FROM tags WHERE repo_id = ? AND name > ? ORDER BY name LIMIT ?', repo['id']!, last, limit)
        .map((row) => text(row['name']))
    },

    async listReferrers(repository, subject, { last = '', limit, bytes, artifactType }) {
      const rows = database.iterate(
        `SELECT m.descriptor FROM manifests m JOIN repositories r ON r.id = m.repo_id
         WHERE r.name = ? AND m.subject_digest = ? AND m.digest > ? AND (? IS NULL OR m.artifact_type = ?)
         ORDER BY m.digest`,
        repository,
        subject,
        last,
        artifactType ?? null,
        artifactType ?? null,
      )
      const descriptors: Descriptor[] = []
      let size = 0
      for (const row of rows) {
        const json = text(row['descriptor'])
        size += json.length
        if (descriptors.length === limit || (size > bytes && descriptors.length > 0)) return { descriptors, more: true }
        descriptors.push(JSON.parse(json) as Descriptor)
      }
      return { descriptors, more: false }
    },

    async listRepositories({ last = '', limit, within }) {
      if (within) return listWithin(database, within, { last, limit })
      return database
        .all('SELECT name FROM repositories WHERE name > ? ORDER BY name LIMIT ?', last, limit)
        .map((row) => text(row['name']))
    },

    async listBlobs({ after, limit }) {
      return database
        .all(
          `SELECT b.id, b.size, b.storage_key, b.lost, d.digest FROM blobs b JOIN blob_digests d ON d.blob_id = b.id
           WHERE b.id > ? AND b.state = 'active' ORDER BY b.id LIMIT ?`,
          after,
          limit,
        )
        .map((row) => ({
          id: Number(row['id']),
          size: Number(row['size']),
          key: text(row['storage_key']),
          digest: text(row['digest']) as Digest,
          lost: row['lost'] === 1,
        }))
    },

    async manifestsWith(blobId) {
      return database
        .all(
          `SELECT r.name, m.digest FROM manifest_blobs mb JOIN manifests m ON m.id = mb.manifest_id
           JOIN repositories r ON r.id = m.repo_id WHERE mb.blob_id = ? ORDER BY r.name, m.digest`,
          blobId,
        )
        .map((row) => ({ repository: text(row['name']), manifest: text(row['digest']) as Digest }))
    },

    async markBlob(id, { key, lost, due }) {
      return database.transaction(() => {
        const marked = database.run(
          `UPDATE blobs SET lost = ? WHERE id = ? AND storage_key = ? AND state = 'active'`,
          lost ? 1 : 0,
          id,
          key,
        )
        if (marked === 1 && due !== undefined) queueObject(database, key, due)
        // One that is whole after all must not be deleted as the damaged one that it was taken for.
        if (marked === 1 && !lost) database.run(`DELETE FROM gc_queue WHERE kind = 'object' AND key = ?`, key)
        return marked === 1
      })
    },

    async isObjectKnown(key) {
      return database.get(KNOWN_OBJECT, key, key, key) !== undefined
    },
  }
}

/** A lease is written again only when less than half of it is left, so that most HEADs write nothing. */
function isLeaseWorthRenewing(current: number, wanted: number, now: number): boolean {
  return current - now < (wanted - now) / 2
}

interface StoreManifest {
  repository: string
  manifest: NewManifest
  now: number
}

function storeManifest(
  database: Database,
  { repository, manifest, now }: StoreManifest,
): ManifestObjection | undefined {
  const blobIds: number[] = []
  for (const blob of manifest.blobs) {
    const row = database.get(BLOB_OF_REPOSITORY, repository, blob.digest)
    if (row && Number(row['size']) !== blob.size) return { wrongSize: blob.digest, size: Number(row['size']) }
    if (row) blobIds.push(Number(row['id']))
    else if (!blob.optional) return { missing: blob.digest }
  }
  for (const child of manifest.children) {
    if (!database.get(MANIFEST_OF_REPOSITORY, repository, child)) return { missing: child }
  }
  const repoId = repositoryId(database, repository, now)
  const added = database.run(
    `INSERT INTO manifests (repo_id, digest, media_type, artifact_type, subject_digest, descriptor, body, pushed_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (repo_id, digest) DO NOTHING`,
    repoId,
    manifest.digest,
    manifest.mediaType,
    manifest.artifactType ?? null,
    manifest.subject ?? null,
    JSON.stringify(manifest.descriptor),
    manifest.bytes,
    now,
  )
  const id = Number(
    database.get('SELECT id FROM manifests WHERE repo_id = ? AND digest = ?', repoId, manifest.digest)!['id'],
  )
  if (added === 1) {
    for (const blobId of blobIds) {
      database.run('INSERT OR IGNORE INTO manifest_blobs (manifest_id, blob_id) VALUES (?, ?)', id, blobId)
    }
    for (const child of manifest.children) {
      database.run('INSERT OR IGNORE INTO manifest_children (parent_id, child_digest) VALUES (?, ?)', id, child)
    }
  }
  for (const tag of manifest.tags) setTag(database, { repoId, tag, id, manifest, now })
  return undefined
}

/** The same push twice changes nothing: no new version, no second line of history. */
function setTag(
  database: Database,
  { repoId, tag, id, manifest, now }: { repoId: number; tag: string; id: number; manifest: NewManifest; now: number },
): void {
  const changed = database.run(
    `INSERT INTO tags (repo_id, name, manifest_id, version, updated_at, updated_by) VALUES (?, ?, ?, 1, ?, ?)
     ON CONFLICT (repo_id, name) DO UPDATE SET manifest_id = excluded.manifest_id, version = version + 1,
       updated_at = excluded.updated_at, updated_by = excluded.updated_by WHERE tags.manifest_id <> excluded.manifest_id`,
    repoId,
    tag,
    id,
    now,
    manifest.actor,
  )
  if (changed > 0) recordTag(database, { repoId, tag, digest: manifest.digest, now, actor: manifest.actor })
}
