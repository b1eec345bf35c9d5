import type { Clock } from '#base'
import type { Digest } from '#spec'
import { type Database, optionalText, text } from './database.ts'
import type { Upload, UploadMeta } from './meta-store.ts'
import { forgetUpload, queueObject, showBlob } from './sqlite-steps.ts'

/** Uploads in SQLite. A lock that its owner stopped renewing is free once its time is over. */
export function sqliteUploads(database: Database, clock: Clock): UploadMeta {
  return {
    async createUpload(upload, expires) {
      database.run(
        `INSERT INTO uploads (id, repository, principal, algorithm, storage_key, offset, lock_until, expires_at, moved_at)
         VALUES (?, ?, ?, ?, ?, 0, 0, ?, ?)`,
        upload.id,
        upload.repository,
        upload.principal,
        upload.algorithm,
        upload.key,
        expires,
        clock.now(),
      )
    },

    async findUpload(id): Promise<Upload | undefined> {
      const row = database.get('SELECT * FROM uploads WHERE id = ?', id)
      if (!row) return undefined
      return {
        id: text(row['id']),
        repository: text(row['repository']),
        principal: text(row['principal']),
        algorithm: row['algorithm'] === 'sha512' ? 'sha512' : 'sha256',
        key: text(row['storage_key']),
        offset: Number(row['offset']),
        digest: optionalText(row['digest']) as Digest | undefined,
        done: optionalText(row['done']) as Digest | undefined,
      }
    },

    async lockUpload(id, { token, offset, now, until }) {
      const taken = database.run(
        `UPDATE uploads SET lock_token = ?, lock_until = ? WHERE id = ? AND offset = ? AND done IS NULL AND lock_until < ?`,
        token,
        until,
        id,
        offset,
        now,
      )
      return taken === 1
    },

    async advanceUpload(id, { token, offset, digest, until, expires }) {
      const advanced = database.run(
        `UPDATE uploads SET offset = ?, digest = ?, lock_until = ?, expires_at = ?, moved_at = ?, lock_token = CASE WHEN ? = 0 THEN NULL ELSE lock_token END
         WHERE id = ? AND lock_token = ? AND done IS NULL`,
        offset,
        digest ?? null,
        until,
        expires,
        clock.now(),
        until,
        id,
        token,
      )
      return advanced === 1
    },

    async finishUpload(id, { token, digest, size, now, lease, expires, replaced }) {
      return database.transaction(() => {
        const row = database.get(
          'SELECT repository, storage_key FROM uploads WHERE id = ? AND lock_token = ? AND done IS NULL',
          id,
          token,
        )
        if (!row) return 'lost'
        const known = database.get(
          `SELECT b.id, b.storage_key FROM blob_digests d JOIN blobs b ON b.id = d.blob_id WHERE d.digest = ? AND b.state = 'active'`,
          digest,
        )
        const key = text(row['storage_key'])
        if (known) {
          queueObject(database, text(known['storage_key']), replaced)
          database.run('UPDATE blobs SET storage_key = ?, size = ?, lost = 0 WHERE id = ?', key, size, known['id']!)
        }
        const blobId = known ? Number(known['id']) : addBlob(database, { digest, size, key, now })
        showBlob(database, { repository: text(row['repository']), blobId, lease, now })
        database.run(
          'UPDATE uploads SET done = ?, lock_token = NULL, lock_until = 0, expires_at = ? WHERE id = ?',
          digest,
          expires,
          id,
        )
        return known ? 'known' : 'added'
      })
    },

    async freeUploads() {
      database.run('UPDATE uploads SET lock_token = NULL, lock_until = 0 WHERE lock_token IS NOT NULL')
    },

    async cancelUpload(id, now) {
      database.transaction(() => forgetUpload(database, id, now))
    },
  }
}

function addBlob(
  database: Database,
  { digest, size, key, now }: { digest: Digest; size: number; key: string; now: number },
): number {
  database.run(`INSERT INTO blobs (size, state, storage_key, created_at) VALUES (?, 'active', ?, ?)`, size, key, now)
  const id = Number(database.get('SELECT id FROM blobs WHERE storage_key = ?', key)!['id'])
  database.run('INSERT INTO blob_digests (digest, blob_id) VALUES (?, ?)', digest, id)
  return id
}
