import type { DatabaseSync } from 'node:sqlite'
import { BaleError, printable } from '#base'
import type { Saying } from './advisory-row.ts'

/** Bytes of what an advisory says, and of the ids that it says so of: SQLite would hold longer values in memory. */
export const BODY_LIMIT = 4 * 1024 * 1024
/** Bytes of all other texts. */
export const TEXT_LIMIT = 4096
/** Of one package: the kernel of a distribution has ten thousand. */
export const FINDINGS_LIMIT = 200_000
/** Bytes of all that is said of one package. */
export const PACKAGE_LIMIT = 256 * 1024 * 1024
/** Rows of an answer that is not about a package. */
export const ROWS_LIMIT = 10_000

/** The error for more advisories of a package than a reader takes. */
export function tooManyAdvisories({
  ecosystem,
  name,
  source,
}: Pick<Saying, 'ecosystem' | 'name' | 'source'>): BaleError {
  const what = printable(`the package ${name} of ${ecosystem}`, 200)
  return new BaleError('LIMIT_EXCEEDED', `${what} has more advisories than a bundle takes, with those of ${source}`, {
    details: { advisories: FINDINGS_LIMIT, bytes: PACKAGE_LIMIT },
  })
}

/** Columns of a table with texts, and how many bytes those may have. */
const COLUMNS: readonly (readonly [table: string, limit: number, ...columns: string[]])[] = [
  ['meta', TEXT_LIMIT, 'key', 'value'],
  ['sources', TEXT_LIMIT, 'kind', 'address', 'licence', 'as_of', 'remark'],
  ['coverage', TEXT_LIMIT, 'ecosystem', 'source', 'knows', 'as_of', 'remark'],
  ['aliases', TEXT_LIMIT, 'alias', 'id'],
  ['advisories', TEXT_LIMIT, 'ecosystem', 'name', 'source'],
  ['advisories', BODY_LIMIT, 'body', 'ids'],
]

const TOO_LONG = COLUMNS.map(([table, limit, ...columns]) => {
  const isLong = columns.map((column) => `octet_length(${column}) > ${limit}`).join(' OR ')
  return `SELECT '${table}' AS "table" FROM ${table} WHERE ${isLong} LIMIT 1`
})

/** A row without ids counts as one finding, as for the reader. */
const TOO_MANY = `SELECT substr(name, 1, 200) AS name FROM advisories GROUP BY ecosystem, name
  HAVING sum(octet_length(body) + octet_length(ids)) > ${PACKAGE_LIMIT}
    OR sum(iif(json_valid(ids), max(1, json_array_length(ids)), 1)) > ${FINDINGS_LIMIT} LIMIT 1`

/** What in a file is more than a reader takes, in words; found without holding the values in memory. */
export function excessIn(file: DatabaseSync): string | undefined {
  for (const sql of TOO_LONG) {
    const row = file.prepare(sql).get()
    if (row) return `a text in its table ${row['table']} is too long`
  }
  const row = file.prepare(TOO_MANY).get()
  return row && `it has too many advisories of ${row['name']}`
}
