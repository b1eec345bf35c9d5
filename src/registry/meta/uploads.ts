import type { Digest } from '#spec'
import type { Upload, UploadMeta } from './meta-store.ts'
import { judgeQuotas } from './quotas.ts'
import { OutOfDate, optionalText, type SqlDatabase, type SqlRow, type Transaction, text } from './sql.ts'
import { forgetUpload, queueObject, showBlob } from './steps.ts'

/** Uploads. A lock that its owner stopped renewing is free once its time is over. */
export function uploadMeta(database: SqlDatabase): UploadMeta {
  return {
    async createUpload({ id, repository, principal, algorithm, key }, keep) {
      const insert = `
        INSERT INTO uploads (id, repository, principal, algorithm, storage_key, "offset", lock_until, expires_at, moved_at)
        VALUES (?, ?, ?, ?, ?, 0, 0, now_ms() + ?, now_ms())`
      // Nothing is in it yet: a client whose upload is gone after a power cut begins another one.
      await database.transaction((sql) => sql.run(insert, ...[id, repository, principal, algorithm, key, keep]), {
        durable: false,
      })
    },

    async findUpload(id) {
      const row = await database.get('SELECT * FROM uploads WHERE id = ?', id)
      return row && uploadOf(row)
    },

    async lockUpload(id, { token, offset, lock }) {
      const taken = await database.run(
        `UPDATE uploads SET lock_token = ?, lock_until = now_ms() + ?
         WHERE id = ? AND "offset" = ? AND done IS NULL AND lock_until < now_ms()`,
        ...[token, lock, id, offset],
      )
      return taken === 1
    },

    async advanceUpload(id, { token, offset, state, digest, lock, keep }) {
      const advanced = await database.run(
        `UPDATE uploads SET "offset" = ?, state = ?, digest = ?, lock_until = ${lock === 0 ? '0 * ?' : 'now_ms() + ?'},
         lock_token = ${lock === 0 ? 'NULL, reserved = 0' : 'lock_token'}, expires_at = now_ms() + ?, moved_at = now_ms()
         WHERE id = ? AND lock_token = ? AND done IS NULL`,
        ...[offset, state ?? null, digest ?? null, lock, keep, id, token],
      )
      return advanced === 1
    },

    async finishUpload(id, finish) {
      return await database.transaction(async (sql) => {
        const row = await sql.get(
          `SELECT repository FROM uploads WHERE id = ? AND lock_token = ? AND done IS NULL ${sql.lock('UPDATE')}`,
          ...[id, finish.token],
        )
        if (!row) return 'lost'
        const known = await replaceObject(sql, finish)
        const blobId = known ?? (await addBlob(sql, finish))
        const repository = text(row['repository'])
        const growth = await showBlob(sql, { repository, blobId, size: finish.size, lease: finish.lease })
        await sql.run(
          `UPDATE uploads SET done = ?, lock_token = NULL, lock_until = 0, expires_at = now_ms() + ? WHERE id = ?`,
          ...[finish.digest, finish.keep, id],
        )
        await judgeQuotas(sql, repository, growth)
        return known === undefined ? 'added' : 'known'
      })
    },

    async freeUploads(holder = '') {
      await database.run(
        'UPDATE uploads SET lock_token = NULL, lock_until = 0 WHERE lock_token IS NOT NULL AND substr(lock_token, 1, ?) = ?',
        ...[holder.length, holder],
      )
    },

    async cancelUpload(id) {
      await database.transaction((sql) => forgetUpload(sql, id))
    },
  }
}

function uploadOf(row: SqlRow): Upload {
  return {
    id: text(row['id']),
    repository: text(row['repository']),
    principal: text(row['principal']),
    algorithm: row['algorithm'] === 'sha512' ? 'sha512' : 'sha256',
    key: text(row['storage_key']),
    offset: Number(row['offset']),
    state: optionalText(row['state']),
    digest: optionalText(row['digest']) as Digest | undefined,
    done: optionalText(row['done']) as Digest | undefined,
  }
}

type Finish = Parameters<UploadMeta['finishUpload']>[1]

/** Gives a blob that exists already the new object. Returns its ID. */
async function replaceObject(sql: Transaction, { digest, key, size, grace }: Finish): Promise<number | undefined> {
  const known = await sql.get(
    `SELECT b.id, b.storage_key FROM blob_digests d JOIN blobs b ON b.id = d.blob_id
     WHERE d.digest = ? AND b.state = 'active' ${sql.lock('UPDATE', { of: 'b' })}`,
    digest,
  )
  if (!known) return undefined
  const old = text(known['storage_key'])
  if (old !== key) await queueObject(sql, { key: old }, grace)
  await sql.run('UPDATE blobs SET storage_key = ?, size = ?, lost = 0 WHERE id = ?', key, size, Number(known['id']))
  return Number(known['id'])
}

async function addBlob(sql: Transaction, { digest, size, key }: Finish): Promise<number> {
  await sql.run(
    `INSERT INTO blobs (size, state, storage_key, created_at) VALUES (?, 'active', ?, now_ms())`,
    ...[size, key],
  )
  const id = Number((await sql.get('SELECT id FROM blobs WHERE storage_key = ?', key))!['id'])
  const added = await sql.run(
    'INSERT INTO blob_digests (digest, blob_id) VALUES (?, ?) ON CONFLICT (digest) DO NOTHING',
    ...[digest, id],
  )
  if (added === 0) throw new OutOfDate('another upload brought the same bytes')
  return id
}
