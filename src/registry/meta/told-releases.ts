import { type By, recordContentChange } from './audit.ts'
import type { GateMeta } from './scan-meta.ts'
import type { SqlDatabase } from './sql.ts'

const DAY = 86_400_000

const MANIFEST = `
  SELECT m.id FROM repositories r JOIN manifests m ON m.repo_id = r.id WHERE r.name = ? AND m.digest = ?`

const TOLD = `SELECT outcome FROM told_releases WHERE manifest_id = (${MANIFEST})`

const ADD = `
  INSERT INTO told_releases (manifest_id, outcome, at) VALUES (?, ?, now_ms()) ON CONFLICT (manifest_id) DO NOTHING`

const CHANGE = 'UPDATE told_releases SET outcome = ?, at = now_ms() WHERE manifest_id = ? AND outcome <> ?'

const PULLED = `
  INSERT INTO exempt_pulls (actor, digest, repository, expires_at) VALUES (?, ?, ?, now_ms() + ?)
  ON CONFLICT (actor, digest, repository) DO UPDATE SET expires_at = excluded.expires_at
  WHERE exempt_pulls.expires_at <= now_ms()`

/** What is on record of what gates did, once. */
export function toldReleaseMeta(database: SqlDatabase, by: By): Pick<GateMeta, 'tellRelease' | 'recordExemptPull'> {
  return {
    async tellRelease(repository, digest, { outcome, detail }) {
      if ((await database.get(TOLD, repository, digest))?.['outcome'] === outcome) return false
      return await database.transaction(async (sql) => {
        const row = await sql.get(`${MANIFEST} ${sql.lock('KEY SHARE', { of: 'm' })}`, repository, digest)
        if (!row) return false
        const id = Number(row['id'])
        const isFirst = (await sql.run(ADD, id, outcome)) === 1
        // That an image is let pass is news only after it was not.
        if (isFirst ? outcome === 'allowed' : (await sql.run(CHANGE, outcome, id, outcome)) === 0) return false
        await recordContentChange(sql, by, { action: `image.${outcome}`, repository, digest, detail })
        return true
      })
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
