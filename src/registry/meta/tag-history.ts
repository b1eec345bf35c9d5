import type { Digest } from '#spec'
import type { By } from './audit.ts'
import { judgeQuotas } from './quotas.ts'
import { setTag } from './set-tag.ts'
import { type SqlDatabase, text } from './sql.ts'

/** One change of a tag. */
export interface TagChange {
  /** Smaller than those of later changes. */
  id: number
  /** What the tag pointed to from then on; undefined when it was deleted. */
  digest?: Digest
  /** Milliseconds since 1970. */
  at: number
  /** `user:NAME`, `anonymous`, `operator`, or what the registry did by itself: `collector`, `retention`. */
  actor: string
  /** Whether the manifest is still in the repository, so that the tag can be set back to it. */
  there: boolean
}

/** What tags pointed to. A history goes with its repository, once nothing is left in that. */
export interface TagHistoryMeta {
  /** Newest first, at most `limit`, of those before the one with the ID `before`. */
  tagHistory(repository: string, tag: string, page: { before?: number; limit: number }): Promise<TagChange[]>
  /**
   * Points a tag to a manifest of its history again; nothing changes when it does already. TAG_IMMUTABLE when a policy forbids
   * that it moves, QUOTA_EXCEEDED when there is no room for another tag.
   */
  restoreTag(
    repository: string,
    tag: string,
    options: { digest: Digest; actor: string },
  ): Promise<'restored' | 'not in the history' | 'manifest deleted'>
}

export function tagHistoryMeta(database: SqlDatabase, by: By): TagHistoryMeta {
  return {
    async tagHistory(repository, tag, { before = Number.MAX_SAFE_INTEGER, limit }) {
      const rows = await database.all(
        `SELECT h.id, h.digest, h.at, h.actor, m.id AS manifest FROM repositories r JOIN tag_history h ON h.repo_id = r.id
         LEFT JOIN manifests m ON m.repo_id = h.repo_id AND m.digest = h.digest
         WHERE r.name = ? AND h.name = ? AND h.id < ? ORDER BY h.id DESC LIMIT ?`,
        ...[repository, tag, before, limit],
      )
      return rows.map((row) => ({
        id: Number(row['id']),
        ...(row['digest'] !== null && { digest: text(row['digest']) as Digest }),
        at: Number(row['at']),
        actor: text(row['actor']),
        there: row['manifest'] !== null,
      }))
    },

    async restoreTag(repository, tag, { digest, actor }) {
      return await database.transaction(async (sql) => {
        const line = await sql.get(
          `SELECT h.repo_id FROM repositories r JOIN tag_history h ON h.repo_id = r.id
           WHERE r.name = ? AND h.name = ? AND h.digest = ? LIMIT 1`,
          ...[repository, tag, digest],
        )
        if (!line) return 'not in the history'
        const repoId = Number(line['repo_id'])
        const manifest = await sql.get(
          `SELECT id FROM manifests WHERE repo_id = ? AND digest = ? ${sql.lock('KEY SHARE')}`,
          ...[repoId, digest],
        )
        if (!manifest) return 'manifest deleted'
        const { address } = by
        const manifestId = Number(manifest['id'])
        const done = await setTag(sql, { repository, repoId, tag, manifestId, digest, actor, address })
        await judgeQuotas(sql, repository, { bytes: 0, tags: done === 'added' ? 1 : 0, repositories: 0 })
        return 'restored'
      })
    },
  }
}
