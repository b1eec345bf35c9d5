import { createHash } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { BaleError } from '#base'
import type { Digest } from '#spec'

/** All that answers depend on; not the time of creation. */
const CONTENT = [
  'SELECT kind, address, licence, as_of, records, skipped, remark FROM sources ORDER BY kind, address',
  'SELECT ecosystem, name, source, body, ids FROM advisories ORDER BY ecosystem, name, source, body',
  'SELECT alias, id FROM aliases ORDER BY alias, id',
  'SELECT ecosystem, source, knows, as_of, advisories, remark FROM coverage ORDER BY ecosystem, source',
]

/** Rows of a file: more are refused. All of OSV, Debian, Alpine and Red Hat have some three millions. */
const ROWS_AT_MOST = 50_000_000

/** The digest of what a bundle says: the same content has the same version, whatever wrote the file. */
export function contentVersion(file: DatabaseSync): Digest {
  const hash = createHash('sha256')
  let rows = 0
  for (const sql of CONTENT) {
    const statement = file.prepare(sql)
    statement.setReturnArrays(true)
    hash.update('\n')
    for (const row of statement.iterate()) {
      if (++rows > ROWS_AT_MOST) throw new BaleError('LIMIT_EXCEEDED', `a bundle has more than ${ROWS_AT_MOST} rows`)
      hash.update(`${JSON.stringify(row)}\n`)
    }
  }
  return `sha256:${hash.digest('hex')}` as Digest
}
