import { type By, recordChange } from './audit.ts'
import { type Sql, type SqlDatabase, type SqlRow, text } from './sql.ts'

/**
 * In repositories that the pattern matches, tags that one of `tags` matches, and none of `except`, are immutable. Both are
 * written as tags, with `*` for any characters.
 */
export interface ImmutableTags {
  kind: 'immutable'
  pattern: string
  tags: string[]
  except: string[]
}

/**
 * In repositories that the pattern matches, a tag stays when it is one of the `last` so many that were pushed, when it was pushed
 * `within` so many milliseconds, or when one of `tags` matches it. What none of such policies keeps is removed by collections.
 */
export interface KeptTags {
  kind: 'keep'
  pattern: string
  last?: number
  within?: number
  tags: string[]
}

/** A rule about the tags of repositories that its pattern matches. Its ID is never given again. */
export type TagPolicy = (ImmutableTags | KeptTags) & { id: number }

/** Rules about tags. They hold for whatever begins after they were stored. */
export interface TagPolicyMeta {
  /** By their IDs. */
  listPolicies(): Promise<TagPolicy[]>
  /** Returns its ID. */
  addPolicy(policy: ImmutableTags | KeptTags): Promise<number>
  /** False when there is none. */
  removePolicy(id: number): Promise<boolean>
}

export function tagPolicyMeta(database: SqlDatabase, by: By): TagPolicyMeta {
  return {
    listPolicies: () => readPolicies(database),

    async addPolicy(policy) {
      const { kind, pattern, tags } = policy
      const { last = null, within = null } = policy.kind === 'keep' ? policy : {}
      const except = policy.kind === 'immutable' ? policy.except : []
      return await database.transaction(async (sql) => {
        const row = await sql.get(
          `INSERT INTO tag_policies (kind, pattern, tags, excepted, keep_last, keep_within, created_at)
           VALUES (?, ?, ?, ?, ?, ?, now_ms()) RETURNING id`,
          ...[kind, pattern, JSON.stringify(tags), JSON.stringify(except), last, within],
        )
        const id = Number(row?.['id'])
        await recordChange(sql, by, {
          action: 'policy.add',
          target: pattern,
          detail: `${id}: ${kind} ${tags.join(' ')}`.trim(),
        })
        return id
      })
    },

    async removePolicy(id) {
      return await database.transaction(async (sql) => {
        const policy = (await readPolicies(sql)).find((one) => one.id === id)
        if (!policy || (await sql.run('DELETE FROM tag_policies WHERE id = ?', id)) === 0) return false
        await recordChange(sql, by, {
          action: 'policy.remove',
          target: policy.pattern,
          detail: `${id}: ${policy.kind}`,
        })
        return true
      })
    },
  }
}

export async function readPolicies(sql: Sql): Promise<TagPolicy[]> {
  const rows = await sql.all(
    'SELECT id, kind, pattern, tags, excepted, keep_last, keep_within FROM tag_policies ORDER BY id',
  )
  return rows.map(policyOf)
}

function policyOf(row: SqlRow): TagPolicy {
  const [id, pattern, tags] = [Number(row['id']), text(row['pattern']), listOf(row['tags'])]
  if (row['kind'] === 'immutable') return { id, kind: 'immutable', pattern, tags, except: listOf(row['excepted']) }
  return {
    id,
    kind: 'keep',
    pattern,
    tags,
    ...(row['keep_last'] !== null && { last: Number(row['keep_last']) }),
    ...(row['keep_within'] !== null && { within: Number(row['keep_within']) }),
  }
}

const listOf = (value: unknown) => JSON.parse(text(value)) as string[]
