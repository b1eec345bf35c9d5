import type { ReadableFile } from '../../analyser.ts'
import { type Claims, createClaims } from './claims.ts'
import { damaged, type Miss } from './damaged.ts'
import { openSqlitePages, type SqlitePages } from './sqlite-pages.ts'
import { tableRows } from './sqlite-table.ts'

/**
 * The headers of packages in `rpmdb.sqlite`, with the write-ahead log beside it. It is read here and not by SQLite, which
 * would read the schema before anything can bound it: with six pages that each name the next one a hundred times it
 * does not come back. No SQL of the file is run, so views, triggers and virtual tables are without effect.
 */
export async function* sqliteHeaders(
  file: ReadableFile,
  log: ReadableFile | undefined,
  miss: Miss,
): AsyncGenerator<Buffer> {
  const pages = await openSqlitePages(file, log)
  const claims = createClaims(pages.count)
  const root = await packagesTable(pages, claims, miss)
  if (root === undefined) throw damaged('the rpm database has no table of packages')
  for await (const [, header] of tableRows(pages, root, claims, miss)) {
    if (header instanceof Buffer) yield header
    else miss('a row of the rpm database is damaged')
  }
}

/** The first page of the table, from the schema: type, name, table, root page, SQL. A virtual table has none. */
async function packagesTable(pages: SqlitePages, claims: Claims, miss: Miss): Promise<number | undefined> {
  for await (const [type, name, , root] of tableRows(pages, 1, claims, miss)) {
    const isTable = type?.toString() === 'table' && typeof root === 'number' && root > 0
    if (isTable && name?.toString() === 'Packages') return root
  }
  return undefined
}
