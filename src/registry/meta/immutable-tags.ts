/** What policies forbid, judged in the transaction that would do it. */
import { BaleError } from '#base'
import { matchesPattern } from './pattern.ts'
import { type Sql, text } from './sql.ts'
import { type ImmutableTags, readPolicies } from './tag-policies.ts'

type Policy = ImmutableTags & { id: number }

/** Finds the first policy that makes a tag of the repository immutable. */
export async function immutableTags(sql: Sql, repository: string): Promise<(tag: string) => Policy | undefined> {
  const policies = (await readPolicies(sql)).filter(
    (policy) => policy.kind === 'immutable' && matchesPattern(policy.pattern, repository),
  ) as Policy[]
  return (tag) => policies.find((policy) => isImmutable(policy, tag))
}

function isImmutable({ tags, except }: ImmutableTags, tag: string): boolean {
  const within = (globs: string[]) => globs.some((glob) => matchesPattern(glob, tag))
  return within(tags) && !within(except)
}

export function tagImmutable(repository: string, tag: string, { id, pattern, tags }: Policy): BaleError {
  return new BaleError(
    'TAG_IMMUTABLE',
    `tag ${tag} of ${repository} is immutable: policy ${id} protects ${tags.join(' ')} in ${pattern}`,
    { details: { repository, tag, policy: id, pattern } },
  )
}

/** Throws TAG_IMMUTABLE when the tag must stay. */
export async function refuseImmutableTag(sql: Sql, repository: string, tag: string): Promise<void> {
  const policy = (await immutableTags(sql, repository))(tag)
  if (policy) throw tagImmutable(repository, tag, policy)
}

/** A tag of an index holds the manifests in it as well. */
const TAGS_ABOVE = `
  WITH RECURSIVE above (id, repo_id, digest) AS (
    SELECT m.id, m.repo_id, m.digest FROM manifests m WHERE m.id = ?
    UNION SELECT p.id, p.repo_id, p.digest FROM above a JOIN manifest_children c ON c.child_digest = a.digest
      JOIN manifests p ON p.id = c.parent_id AND p.repo_id = a.repo_id)
  SELECT t.name FROM above a JOIN tags t ON t.manifest_id = a.id ORDER BY t.name`

/** Throws TAG_IMMUTABLE when a manifest, whose row is locked by the caller, must stay for one of the tags above it. */
export async function refuseImmutableManifest(
  sql: Sql,
  { repository, manifestId }: { repository: string; manifestId: number },
): Promise<void> {
  const policyFor = await immutableTags(sql, repository)
  for (const row of await sql.all(TAGS_ABOVE, manifestId)) {
    const policy = policyFor(text(row['name']))
    if (policy) throw tagImmutable(repository, text(row['name']), policy)
  }
}
