import type { Digest } from '#spec'
import { type Sql, type SqlRow, text } from './sql.ts'

interface Wanted {
  repository: string
  digest: Digest
  limit: number
}

/** A blob of so many manifests is a base of many images: most likely also of those of the repository. */
const MANY = 1000

const COUNT = `SELECT count(*) AS manifests FROM (SELECT 1 FROM manifest_blobs WHERE blob_id = ? LIMIT ${MANY}) AS found`

/** The unary plus on repo_id keeps SQLite from reading all manifests of the repository. */
const OF_BLOB = `
  SELECT m.id, m.digest FROM manifest_blobs mb JOIN manifests m ON m.id = mb.manifest_id
  WHERE mb.blob_id = ? AND +m.repo_id = ? ORDER BY m.id DESC LIMIT ?`

/** One by one, until there are enough. The subquery with LIMIT is answered for each manifest by its index. */
const OF_REPOSITORY = `
  SELECT m.id, m.digest FROM manifests m WHERE m.repo_id = ? AND
  (SELECT 1 FROM manifest_blobs mb WHERE mb.manifest_id = m.id AND mb.blob_id = ? LIMIT 1) IS NOT NULL
  ORDER BY m.id DESC LIMIT ?`

const COUNT_EXPECTED = `SELECT count(*) AS manifests FROM (SELECT 1 FROM cached_blobs WHERE digest = ? LIMIT ${MANY}) AS found`

const EXPECTED = `
  SELECT m.id, m.digest FROM cached_blobs cb JOIN manifests m ON m.id = cb.manifest_id
  WHERE cb.digest = ? AND +m.repo_id = ? ORDER BY m.id DESC LIMIT ?`

const EXPECTED_OF_REPOSITORY = `
  SELECT m.id, m.digest FROM manifests m WHERE m.repo_id = ? AND
  (SELECT 1 FROM cached_blobs cb WHERE cb.manifest_id = m.id AND cb.digest = ? LIMIT 1) IS NOT NULL
  ORDER BY m.id DESC LIMIT ?`

/** Manifests of a repository that have a blob, or expect it from an upstream; the newest first. */
export async function manifestsOfBlob(sql: Sql, { repository, digest, limit }: Wanted): Promise<Digest[]> {
  const repo = await sql.get('SELECT id FROM repositories WHERE name = ?', repository)
  if (!repo) return []
  const id = Number(repo['id'])
  const found = new Map<number, Digest>()
  const add = (rows: SqlRow[]) => {
    for (const row of rows) found.set(Number(row['id']), text(row['digest']) as Digest)
  }
  const blob = await sql.get('SELECT blob_id FROM blob_digests WHERE digest = ?', digest)
  if (blob) {
    const blobId = Number(blob['blob_id'])
    if (await isUsedMuch(sql, COUNT, blobId)) add(await sql.all(OF_REPOSITORY, id, blobId, limit))
    else add(await sql.all(OF_BLOB, blobId, id, limit))
  }
  if (await isUsedMuch(sql, COUNT_EXPECTED, digest)) add(await sql.all(EXPECTED_OF_REPOSITORY, id, digest, limit))
  else add(await sql.all(EXPECTED, digest, id, limit))
  const newestFirst = [...found].sort(([a], [b]) => b - a)
  return newestFirst.slice(0, limit).map(([, manifest]) => manifest)
}

async function isUsedMuch(sql: Sql, count: string, of: number | string): Promise<boolean> {
  return Number((await sql.get(count, of))?.['manifests']) === MANY
}
