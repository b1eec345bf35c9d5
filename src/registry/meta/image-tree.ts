import type { Digest } from '#spec'
import { optionalText, type Transaction, text } from './sql.ts'

const TREE = `
  WITH RECURSIVE tree (digest) AS (
    SELECT m.digest FROM manifests m WHERE m.repo_id = ? AND m.digest = ?
    UNION SELECT c.child_digest FROM tree t JOIN manifests p ON p.repo_id = ? AND p.digest = t.digest
      JOIN manifest_children c ON c.parent_id = p.id)
  SELECT t.digest, (SELECT m.media_type FROM manifests m WHERE m.repo_id = ? AND m.digest = t.digest) AS media_type
  FROM tree t ORDER BY t.digest`

/**
 * A manifest and, of an index, all below it, by their digests; those that have not come from an upstream yet have no media type. The
 * repository keeps its name until the transaction ends. Undefined when it does not have the manifest.
 */
export async function imageTree(
  sql: Transaction,
  repository: string,
  digest: Digest,
): Promise<{ digest: Digest; mediaType?: string | undefined }[] | undefined> {
  const repo = await sql.get(`SELECT id FROM repositories WHERE name = ? ${sql.lock('KEY SHARE')}`, repository)
  if (!repo) return undefined
  const id = Number(repo['id'])
  const rows = await sql.all(TREE, id, digest, id, id)
  if (rows.length === 0) return undefined
  return rows.map((row) => ({ digest: text(row['digest']) as Digest, mediaType: optionalText(row['media_type']) }))
}
