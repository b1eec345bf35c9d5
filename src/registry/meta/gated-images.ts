import { type Digest, MediaType } from '#spec'
import { matchesPattern } from '../pattern/index.ts'
import { listWithin } from './list-within.ts'
import { type Sql, text } from './sql.ts'

interface Place {
  repository: string
  digest: string
}

const IMAGES = `
  SELECT m.digest FROM repositories r JOIN manifests m ON m.repo_id = r.id
  WHERE r.name = ? AND m.digest > ? AND m.media_type IN ('${MediaType.ociManifest}', '${MediaType.dockerManifest}')
  ORDER BY m.digest LIMIT ?`

const REPOSITORIES = 50

/** Images of repositories that one of the patterns matches, after a place, in the order of repository and digest. */
export async function gatedImages(
  sql: Sql,
  patterns: readonly string[],
  { last, limit }: { last?: Place; limit: number },
): Promise<{ repository: string; digest: Digest }[]> {
  const found: { repository: string; digest: Digest }[] = []
  const add = async (repository: string, after: string) => {
    const rows = await sql.all(IMAGES, repository, after, limit - found.length)
    found.push(...rows.map((row) => ({ repository, digest: text(row['digest']) as Digest })))
  }
  if (last && patterns.some((pattern) => matchesPattern(pattern, last.repository))) {
    await add(last.repository, last.digest)
  }
  for (let after = last?.repository ?? ''; found.length < limit; ) {
    const names = await listWithin(sql, patterns, { last: after, limit: REPOSITORIES })
    for (const name of names) if (found.length < limit) await add(name, '')
    if (names.length < REPOSITORIES) break
    after = names.at(-1)!
  }
  return found
}
