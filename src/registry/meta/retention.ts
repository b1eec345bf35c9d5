import type { Digest } from '#spec'
import { decide, type KeptTags, retentionOf } from '../decide/index.ts'
import { type Sql, type SqlDatabase, type Transaction, text } from './sql.ts'
import { recordTag } from './steps.ts'
import { readPolicies } from './tag-policies.ts'

/** A tag that no policy keeps, and what they saw. */
export interface UnkeptTag {
  tag: string
  digest: Digest
  /** Since it was last pushed, in milliseconds. */
  age: number
  /** Its number among the tags of the repository, from 1, the one that was pushed last. */
  place: number
  /** The policies that would keep tags of the repository; none of them keeps this one. */
  policies: (KeptTags & { id: number })[]
}

export interface RetentionMeta {
  /** The tags of a repository that no policy keeps; none when no policy keeps any tags of it. Immutable ones are kept. */
  unkeptTags(repository: string): Promise<UnkeptTag[]>
  /** Removes them; returns how many. A tag that is pushed meanwhile stays. */
  removeUnkept(repository: string): Promise<number>
}

const BATCH = 500

export function retentionMeta(database: SqlDatabase): RetentionMeta {
  return {
    unkeptTags: (repository) => judge(database, repository),

    async removeUnkept(repository) {
      let total = 0
      for (let more = true; more; ) {
        const batch = await database.transaction((sql) => removeSome(sql, repository))
        total += batch.removed
        more = batch.more
      }
      return total
    },
  }
}

async function removeSome(sql: Transaction, repository: string): Promise<{ removed: number; more: boolean }> {
  const unkept = await judge(sql, repository)
  let removed = 0
  for (const { repoId, tag, version, pushedAt } of unkept.slice(0, BATCH)) {
    const gone = await sql.run(
      'DELETE FROM tags WHERE repo_id = ? AND name = ? AND version = ? AND pushed_at = ?',
      ...[repoId, tag, version, pushedAt],
    )
    if (gone === 0) continue
    await recordTag(sql, { repoId, tag, digest: null, actor: 'retention' })
    removed++
  }
  return { removed, more: unkept.length > BATCH }
}

interface Tag {
  repoId: number
  tag: string
  digest: Digest
  age: number
  version: number
  pushedAt: number
}

async function judge(sql: Sql, repository: string): Promise<(Tag & UnkeptTag)[]> {
  const policies = await readPolicies(sql, repository)
  const keeping = retentionOf(repository, policies)
  if (keeping.length === 0) return []
  const unkept: (Tag & UnkeptTag)[] = []
  for (const [index, tag] of (await tagsToCount(sql, repository)).entries()) {
    const place = index + 1
    const { tag: name, age } = tag
    const verdict = await decide('anyone', 'expire', { repository, tag: name, age, place, policies })
    if (verdict === 'removed') unkept.push({ ...tag, place, policies: keeping })
  }
  return unkept
}

/** From the one that was pushed last. An older bale that moves a tag does not know `pushed_at`. */
const TAGS = `
  SELECT t.repo_id, t.name, t.version, t.pushed_at, m.digest, now_ms() - t.pushed_at AS since_push,
    now_ms() - t.updated_at AS since_move
  FROM repositories r JOIN tags t ON t.repo_id = r.id JOIN manifests m ON m.id = t.manifest_id WHERE r.name = ?`

/** Tags that name what belongs to a manifest which is there stand and fall with it: they are neither judged nor counted. */
async function tagsToCount(sql: Sql, repository: string): Promise<Tag[]> {
  const all = (await sql.all(TAGS, repository)).map((row) => ({
    repoId: Number(row['repo_id']),
    tag: text(row['name']),
    digest: text(row['digest']) as Digest,
    age: Math.min(Number(row['since_push']), Number(row['since_move'])),
    version: Number(row['version']),
    pushedAt: Number(row['pushed_at']),
  }))
  const there = all.some(({ tag }) => subjectOf(tag)) ? await digestsOf(sql, repository) : new Set()
  return all.filter(({ tag }) => !there.has(subjectOf(tag))).sort((a, b) => a.age - b.age || (a.tag < b.tag ? -1 : 1))
}

/**
 * `sha256-<hex>`, with or without `.sig` and the like: referrers of clients whose registries have no referrers API, and
 * signatures. Source: distribution-spec, "Referrers Tag Schema".
 */
function subjectOf(tag: string): string | undefined {
  const [, algorithm, hex] = /^(sha256|sha512)-([0-9a-f]{64}(?:[0-9a-f]{64})?)(?:\..+)?$/.exec(tag) ?? []
  return algorithm && `${algorithm}:${hex}`
}

async function digestsOf(sql: Sql, repository: string): Promise<Set<unknown>> {
  const rows = await sql.all(
    'SELECT m.digest FROM repositories r JOIN manifests m ON m.repo_id = r.id WHERE r.name = ?',
    repository,
  )
  return new Set(rows.map((row) => row['digest']))
}
