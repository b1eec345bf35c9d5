/** Which tags must stay, judged in the transaction that would move or remove them. */
import type { BaleError } from '#base'
import { decide } from '../decide/index.ts'
import { type Sql, text } from './sql.ts'
import { readPolicies } from './tag-policies.ts'

/** TAG_IMMUTABLE when the tag must stay. */
export async function objectionToMove(sql: Sql, repository: string, tag: string): Promise<BaleError | undefined> {
  return await decide('anyone', 'retag', { repository, tag, policies: await readPolicies(sql, repository) })
}

/** Throws TAG_IMMUTABLE when the tag must stay. */
export async function refuseImmutableTag(sql: Sql, repository: string, tag: string): Promise<void> {
  const refusal = await objectionToMove(sql, repository, tag)
  if (refusal) throw refusal
}

/** A tag of an index holds the manifests in it as well. The unary plus on repo_id keeps SQLite from reading all manifests of the repository. */
const TAGS_ABOVE = `
  WITH RECURSIVE above (id, repo_id, digest) AS (
    SELECT m.id, m.repo_id, m.digest FROM manifests m WHERE m.id = ?
    UNION SELECT p.id, p.repo_id, p.digest FROM above a JOIN manifest_children c ON c.child_digest = a.digest
      JOIN manifests p ON p.id = c.parent_id AND +p.repo_id = a.repo_id)
  SELECT t.name FROM above a JOIN tags t ON t.manifest_id = a.id ORDER BY t.name`

/** Throws TAG_IMMUTABLE when a manifest, whose row is locked by the caller, must stay for one of the tags above it. */
export async function refuseImmutableManifest(
  sql: Sql,
  { repository, manifestId }: { repository: string; manifestId: number },
): Promise<void> {
  const policies = await readPolicies(sql, repository)
  for (const row of await sql.all(TAGS_ABOVE, manifestId)) {
    const refusal = await decide('anyone', 'retag', { repository, tag: text(row['name']), policies })
    if (refusal) throw refusal
  }
}
