import { BaleError } from '#base'
import type { Digest } from '#spec'
import { type By, recordContentChange } from './audit.ts'
import { raiseGate } from './gate-generation.ts'
import { imageTree } from './image-tree.ts'
import type { GateMeta } from './scan-meta.ts'
import { type Sql, type SqlDatabase, text } from './sql.ts'

const ACTIONS = { quarantined: 'image.quarantine', released: 'image.release', none: 'image.unset' } as const

/** Somebody else's quarantine stays as it is for an owner, also one that comes while this runs. */
const MAY_CHANGE = `(CAST(? AS TEXT) IS NULL OR image_states.kind <> 'quarantined' OR image_states.author = ?)`

const SET = `
  INSERT INTO image_states (repository, digest, kind, reason, author, at) VALUES (?, ?, ?, ?, ?, now_ms())
  ON CONFLICT (repository, digest)
  DO UPDATE SET kind = excluded.kind, reason = excluded.reason, author = excluded.author, at = excluded.at
  WHERE ${MAY_CHANGE}`

const UNSET = `
  DELETE FROM image_states WHERE repository = ? AND digest = ? AND kind = coalesce(CAST(? AS TEXT), kind) AND ${MAY_CHANGE}`

/** What people say of images. It stays when the image goes: it may come again. */
export function imageStateMeta(database: SqlDatabase, by: By): Pick<GateMeta, 'setImageState'> {
  return {
    async setImageState(repository, digest, { kind, reason, own = null, only = null }) {
      return await database.transaction(async (sql) => {
        const tree = await imageTree(sql, repository, digest)
        const digests = tree?.map((one) => one.digest) ?? [digest]
        // Of one that went, what was said can still be unsaid.
        if (!tree && kind !== 'none') return 'absent'
        let changed = 0
        for (const one of digests) {
          changed +=
            kind === 'none'
              ? await sql.run(UNSET, repository, one, only, own, own)
              : await sql.run(SET, repository, one, kind, reason, by.actor, own, own)
        }
        const ends = kind === 'released' || (kind === 'none' && only !== 'released')
        if (own !== null && ends) await checkOwn(sql, { repository, digest, digests, own })
        if (changed === 0) return tree ? 'unchanged' : 'absent'
        await recordContentChange(sql, by, { action: ACTIONS[kind], repository, digest, detail: reason })
        await raiseGate(sql)
        return 'changed'
      })
    },
  }
}

interface OwnEnd {
  repository: string
  digest: Digest
  /** With those below it. */
  digests: readonly Digest[]
  own: string
}

/** After the change, which left such rows alone: what others said meanwhile counts too. */
async function checkOwn(sql: Sql, { repository, digest, digests, own }: OwnEnd): Promise<void> {
  for (const one of digests) {
    const found = await sql.get(
      `SELECT 1 FROM image_states WHERE repository = ? AND digest = ? AND kind = 'quarantined' AND author <> ?`,
      ...[repository, one, own],
    )
    if (!found) continue
    const what = one === digest ? `${repository}@${digest}` : `${one}, a part of ${repository}@${digest},`
    throw new BaleError('DENIED', `somebody else quarantined ${what}: only administrators can end that`)
  }
}

const BOTH_QUARANTINED = `
  SELECT f.digest, f.author, t.author AS other FROM image_states f JOIN image_states t ON t.digest = f.digest
  WHERE f.repository = ? AND t.repository = ? AND f.kind = 'quarantined' AND t.kind = 'quarantined' AND f.author <> t.author`

/**
 * What was said of images of a repository holds under its new name. A quarantine that was left there stays; where both names have one, it
 * is of both authors, so that neither ends what the other said.
 */
export async function moveImageStates(sql: Sql, from: string, to: string): Promise<void> {
  for (const row of await sql.all(BOTH_QUARANTINED, from, to)) {
    const authors = new Set([row['author'], row['other']].flatMap((each) => text(each).split(', ')))
    await sql.run(
      'UPDATE image_states SET author = ? WHERE repository = ? AND digest = ?',
      ...[[...authors].join(', '), from, text(row['digest'])],
    )
  }
  await sql.run(
    `INSERT INTO image_states (repository, digest, kind, reason, author, at)
     SELECT CAST(? AS TEXT), digest, kind, reason, author, at FROM image_states WHERE repository = ?
     ON CONFLICT (repository, digest)
     DO UPDATE SET kind = excluded.kind, reason = excluded.reason, author = excluded.author, at = excluded.at
     WHERE image_states.kind <> 'quarantined' OR excluded.kind = 'quarantined'`,
    ...[to, from],
  )
  await sql.run('DELETE FROM image_states WHERE repository = ?', from)
}
