import { boundsOf, matchesPattern, rangeOf } from '../pattern/index.ts'
import { type Sql, text } from './sql.ts'

interface NamesPage {
  last: string
  limit: number
  /** A pattern that the names must match as well. */
  only?: string
}

/**
 * Repositories that one of the patterns matches, after `last`, sorted by bytes, at most `limit`. Each pattern is looked
 * for in its own part of the index, so that others' repositories cost nothing, and only until none can add to the page.
 */
export async function listWithin(sql: Sql, patterns: readonly string[], page: NamesPage): Promise<string[]> {
  const { last, limit } = page
  const parts = patterns.map((pattern) => ({ pattern, ...boundsOf(pattern) })).filter(({ to }) => to > last)
  let found: string[] = []
  for (const { pattern, from } of parts.sort((a, b) => (a.from < b.from ? -1 : 1))) {
    if (found.length === limit && from > found.at(-1)!) break
    const names = await namesOf(sql, pattern, page)
    if (names.length > 0) found = [...new Set([...found, ...names])].sort().slice(0, limit)
  }
  return found
}

const READ_AT_ONCE = 100

async function namesOf(sql: Sql, pattern: string, { last, limit, only = '**' }: NamesPage): Promise<string[]> {
  const range = rangeOf(pattern)
  if ('name' in range) {
    const isWanted = range.name > last && matchesPattern(only, range.name)
    const there = isWanted && (await sql.get('SELECT 1 FROM repositories WHERE name = ?', range.name))
    return there ? [range.name] : []
  }
  const names: string[] = []
  // Nothing is between a name and the same with this character after it.
  for (let from = last >= range.from ? `${last}\u0001` : range.from; names.length < limit; ) {
    // LIKE finds all that the pattern does, and more: its signs match slashes, and in SQLite other cases.
    const rows = await sql.all(
      `SELECT name FROM repositories WHERE name >= ? AND name < ? AND name LIKE ? ORDER BY name LIMIT ${READ_AT_ONCE}`,
      ...[from, range.to, pattern.replaceAll(/\*+/g, '%')],
    )
    const matching = rows
      .map((row) => text(row['name']))
      .filter((name) => matchesPattern(pattern, name) && matchesPattern(only, name))
    names.push(...matching.slice(0, limit - names.length))
    if (rows.length < READ_AT_ONCE) break
    from = `${text(rows.at(-1)!['name'])}\u0001`
  }
  return names
}
