import type { Descriptor, Digest } from '#spec'
import type { Page } from './meta-store.ts'
import { type Sql, text } from './sql.ts'

interface ReferrersPage extends Page {
  repository: string
  subject: Digest
  /** Of JSON, at most; the first descriptor is given in any case. */
  bytes: number
  artifactType?: string
}

/** Descriptors may be large: so many are read at a time. */
const READ_AT_ONCE = 32

/** What refers to a subject, sorted by digest, and whether there is more. */
export async function listReferrers(
  sql: Sql,
  { repository, subject, last = '', limit, bytes, artifactType }: ReferrersPage,
): Promise<{ descriptors: Descriptor[]; more: boolean }> {
  const descriptors: Descriptor[] = []
  let size = 0
  for (let after = last; ; ) {
    const rows = await sql.all(
      // As a join, PostgreSQL reads and sorts all that refer to the subject for each page.
      `SELECT m.digest, m.descriptor FROM manifests m WHERE m.repo_id = (SELECT id FROM repositories WHERE name = ?)
       AND m.subject_digest = ? AND m.digest > ? ${artifactType === undefined ? '' : 'AND m.artifact_type = ?'}
       ORDER BY m.digest LIMIT ${READ_AT_ONCE}`,
      ...[repository, subject, after],
      ...(artifactType === undefined ? [] : [artifactType]),
    )
    for (const row of rows) {
      const json = text(row['descriptor'])
      size += json.length
      if (descriptors.length === limit || (size > bytes && descriptors.length > 0)) return { descriptors, more: true }
      descriptors.push(JSON.parse(json) as Descriptor)
    }
    if (rows.length < READ_AT_ONCE) return { descriptors, more: false }
    after = text(rows.at(-1)!['digest'])
  }
}
