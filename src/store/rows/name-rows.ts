import { type Digest, fullName, type ImageName, parseReference, type RepoDigest, repositoryName } from '#spec'
import type { Rows } from './rows.ts'

/** The registry and repository of a reference. */
export type Repository = Pick<RepoDigest, 'registry' | 'repository'>

/** A name and what it points to. Rows have names as text in full; all above this file have them parsed. */
interface NamedTarget {
  name: ImageName
  target: Digest
  /** Milliseconds since 1970. */
  tagged: number
}

/** All names, sorted by their full text. */
export function allNames({ database }: Rows): NamedTarget[] {
  const sql = 'SELECT name, digest AS target, tagged FROM names ORDER BY name'
  return database
    .all<{ name: string; target: Digest; tagged: number }>(sql)
    .map((row) => ({ ...row, name: parseReference(row.name) as ImageName }))
}

/** What a name points to. */
export function targetOfName({ database }: Rows, name: ImageName): Digest | undefined {
  return database.get<{ digest: Digest }>('SELECT digest FROM names WHERE name = ?', fullName(name))?.digest
}

export function namesOf({ database }: Rows, target: Digest): ImageName[] {
  const rows = database.all<{ name: string }>('SELECT name FROM names WHERE digest = ?', target)
  return rows.map(({ name }) => parseReference(name) as ImageName)
}

export function repoDigestsOf({ database }: Rows, target: Digest): RepoDigest[] {
  const sql = 'SELECT repository FROM repo_digests WHERE digest = ?'
  const rows = database.all<{ repository: string }>(sql, target)
  return rows.map(({ repository }) => parseReference(`${repository}@${target}`) as RepoDigest)
}

/** Whether the digest is known to be of the repository: by a pull, a push, or a tag here. */
export function isOfRepository({ database }: Rows, name: RepoDigest): boolean {
  const sql = `SELECT 1 FROM repo_digests WHERE repository = ?1 AND digest = ?2
    UNION ALL SELECT 1 FROM names WHERE digest = ?2 AND substr(name, 1, length(?1) + 1) = ?1 || ':'`
  return database.get(sql, repositoryName(name), name.digest) !== undefined
}

export function writeName({ database, clock }: Rows, name: ImageName, target: Digest): void {
  database.run('INSERT OR REPLACE INTO names VALUES (?, ?, ?)', fullName(name), target, clock.now())
}

/** False when it was not there. */
export function deleteName({ database }: Rows, name: ImageName): boolean {
  return database.run('DELETE FROM names WHERE name = ?', fullName(name)) > 0
}

export function writeRepoDigest({ database }: Rows, repository: Repository, digest: Digest): void {
  database.run('INSERT OR IGNORE INTO repo_digests VALUES (?, ?)', repositoryName(repository), digest)
}

export function deleteRepoDigest({ database }: Rows, name: RepoDigest): void {
  database.run('DELETE FROM repo_digests WHERE repository = ? AND digest = ?', repositoryName(name), name.digest)
}
