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

/** A rule about the tags of repositories that its pattern matches. Its ID is never given again. */
export type TagPolicy = ImmutableTags & { id: number }

/** Rules about tags. They hold for whatever begins after they were stored. */
export interface TagPolicyMeta {
  /** By their IDs. */
  listPolicies(): Promise<TagPolicy[]>
  /** Returns its ID. */
  addPolicy(policy: ImmutableTags): Promise<number>
  /** False when there is none. */
  removePolicy(id: number): Promise<boolean>
}

export function tagPolicyMeta(database: SqlDatabase): TagPolicyMeta {
  return {
    listPolicies: () => readPolicies(database),

    async addPolicy({ kind, pattern, tags, except }) {
      const row = await database.transaction((sql) =>
        sql.get(
          `INSERT INTO tag_policies (kind, pattern, tags, excepted, created_at) VALUES (?, ?, ?, ?, now_ms()) RETURNING id`,
          ...[kind, pattern, JSON.stringify(tags), JSON.stringify(except)],
        ),
      )
      return Number(row?.['id'])
    },

    async removePolicy(id) {
      return (await database.run('DELETE FROM tag_policies WHERE id = ?', id)) === 1
    },
  }
}

export async function readPolicies(sql: Sql): Promise<TagPolicy[]> {
  return (await sql.all('SELECT id, kind, pattern, tags, excepted FROM tag_policies ORDER BY id')).map(policyOf)
}

function policyOf(row: SqlRow): TagPolicy {
  return {
    id: Number(row['id']),
    kind: 'immutable',
    pattern: text(row['pattern']),
    tags: JSON.parse(text(row['tags'])) as string[],
    except: JSON.parse(text(row['excepted'])) as string[],
  }
}
