import type { Digest } from '#spec'
import { type By, recordContentChange } from './audit.ts'
import { raiseGate } from './gate-generation.ts'
import { imageTree } from './image-tree.ts'
import type { GateMeta } from './scan-meta.ts'
import type { Sql, SqlDatabase } from './sql.ts'

const ACTIONS = { quarantined: 'image.quarantine', released: 'image.release', none: 'image.unset' } as const

const SET = `
  INSERT INTO image_states (repository, digest, kind, reason, author, at) VALUES (?, ?, ?, ?, ?, now_ms())
  ON CONFLICT (repository, digest)
  DO UPDATE SET kind = excluded.kind, reason = excluded.reason, author = excluded.author, at = excluded.at`

/** What people say of images. It stays when the image goes: it may come again. */
export function imageStateMeta(database: SqlDatabase, by: By): Pick<GateMeta, 'setImageState'> {
  return {
    async setImageState(repository, digest, { kind, reason }) {
      return await database.transaction(async (sql) => {
        const tree = await imageTree(sql, repository, digest)
        const digests = tree?.map((one) => one.digest) ?? [digest]
        // Of one that went, what was said can still be unsaid.
        if (!tree && kind !== 'none') return false
        let changed = 0
        for (const one of digests) {
          changed +=
            kind === 'none'
              ? await unset(sql, repository, one)
              : await sql.run(SET, repository, one, kind, reason, by.actor)
        }
        if (changed === 0) return tree !== undefined
        await recordContentChange(sql, by, { action: ACTIONS[kind], repository, digest, detail: reason })
        await raiseGate(sql)
        return true
      })
    },
  }
}

const unset = (sql: Sql, repository: string, digest: Digest) =>
  sql.run('DELETE FROM image_states WHERE repository = ? AND digest = ?', repository, digest)

/** What was said of images of a repository holds under its new name. */
export async function moveImageStates(sql: Sql, from: string, to: string): Promise<void> {
  await sql.run(
    `INSERT INTO image_states (repository, digest, kind, reason, author, at)
     SELECT CAST(? AS TEXT), digest, kind, reason, author, at FROM image_states WHERE repository = ?
     ON CONFLICT (repository, digest)
     DO UPDATE SET kind = excluded.kind, reason = excluded.reason, author = excluded.author, at = excluded.at`,
    ...[to, from],
  )
  await sql.run('DELETE FROM image_states WHERE repository = ?', from)
}
