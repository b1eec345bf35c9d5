import type { Digest } from '#spec'
import { type By, recordContentChange } from './audit.ts'
import type { GateMeta } from './scan-meta.ts'
import { type SqlDatabase, text } from './sql.ts'

const DAY = 86_400_000

const MANIFEST = `
  SELECT m.id FROM repositories r JOIN manifests m ON m.repo_id = r.id WHERE r.name = ? AND m.digest = ?`

/** Only those that are blocked are kept: every other image was never reported, or as allowed. */
const TOLD = `SELECT 1 FROM told_releases WHERE manifest_id = (${MANIFEST})`

const ADD = 'INSERT INTO told_releases (manifest_id) VALUES (?) ON CONFLICT (manifest_id) DO NOTHING'
const REMOVE = 'DELETE FROM told_releases WHERE manifest_id = ?'

const BLOCKED = `
  SELECT r.name, m.digest FROM told_releases t JOIN manifests m ON m.id = t.manifest_id JOIN repositories r ON r.id = m.repo_id
  WHERE t.manifest_id > coalesce((${MANIFEST}), 0) ORDER BY t.manifest_id LIMIT ?`

const PULLED = `
  INSERT INTO exempt_pulls (actor, digest, repository, expires_at) VALUES (?, ?, ?, now_ms() + ?)
  ON CONFLICT (actor, digest, repository) DO UPDATE SET expires_at = excluded.expires_at
  WHERE exempt_pulls.expires_at <= now_ms()`

/** What is on record of what gates did, once. */
export function toldReleaseMeta(
  database: SqlDatabase,
  by: By,
): Pick<GateMeta, 'tellRelease' | 'toldBlocked' | 'recordExemptPull'> {
  return {
    async tellRelease(repository, digest, { outcome, detail }) {
      const isBlocked = outcome === 'blocked'
      const isTold = (await database.get(TOLD, repository, digest)) !== undefined
      if (isTold === isBlocked) return false
      return await database.transaction(async (sql) => {
        const row = await sql.get(`${MANIFEST} ${sql.lock('KEY SHARE', { of: 'm' })}`, repository, digest)
        if (!row || (await sql.run(isBlocked ? ADD : REMOVE, Number(row['id']))) === 0) return false
        await recordContentChange(sql, by, { action: `image.${outcome}`, repository, digest, detail })
        return true
      })
    },

    async toldBlocked({ last, limit }) {
      const rows = await database.all(BLOCKED, last?.repository ?? '', last?.digest ?? '', limit)
      return rows.map((row) => ({ repository: text(row['name']), digest: text(row['digest']) as Digest }))
    },

    async recordExemptPull({ repository, digest, actor, address, detail }) {
      const recorded = await database.get(
        'SELECT 1 FROM exempt_pulls WHERE actor = ? AND digest = ? AND repository = ? AND expires_at > now_ms()',
        ...[actor, digest, repository],
      )
      if (recorded) return
      await database.transaction(async (sql) => {
        if ((await sql.run(PULLED, actor, digest, repository, DAY)) === 0) return
        const who: By = { actor, ...(address !== undefined && { address }) }
        await recordContentChange(sql, who, { action: 'image.exempt', repository, digest, detail })
      })
    },
  }
}

/** What has been on record for a day is forgotten, to be on record again. */
export const FORGET_PULLS = 'DELETE FROM exempt_pulls WHERE expires_at < now_ms()'
