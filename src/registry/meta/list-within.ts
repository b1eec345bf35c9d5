import { boundsOf, firstPart, matchesPattern, rangeOf } from '../pattern/index.ts'
import { type Sql, text } from './sql.ts'

interface NamesPage {
  last: string
  limit: number
  /** A pattern that the names must match as well. */
  only?: string
}

/**
 * Repositories that one of the patterns matches, or a public one if those count too, after `last`, sorted by bytes, at most `limit`.
 * Each pattern is looked for in its own part of the index, so that others' repositories cost nothing, and only until none can add
 * to the page.
 */
export async function listWithin(
  sql: Sql,
  patterns: readonly string[],
  page: NamesPage & { andPublic?: boolean },
): Promise<string[]> {
  const { last, limit, andPublic = false } = page
  let found: string[] = []
  /** False when neither this one nor those that begin after it can add to the page. */
  const add = async (pattern: string): Promise<boolean> => {
    const { from, to } = boundsOf(pattern)
    if (found.length === limit && (limit === 0 || from > found.at(-1)!)) return false
    const names = to > last ? await namesOf(sql, pattern, page) : []
    if (names.length > 0) found = [...new Set([...found, ...names])].sort().slice(0, limit)
    return true
  }
  const around = andPublic ? await publicAround(sql, last) : []
  for (const pattern of [...patterns, ...around].sort(byBeginning)) if (!(await add(pattern))) break
  for (let after = last, more = andPublic; more; ) {
    const batch = await publicAfter(sql, { after, last })
    for (const pattern of await inhabited(sql, batch)) more &&= await add(pattern)
    more &&= batch.length === READ_AT_ONCE
    after = batch.at(-1) ?? after
  }
  return found
}

/** Stars sort before all that names consist of: patterns in byte order are in the order in which what they match begins. */
const byBeginning = (a: string, b: string) => (boundsOf(a).from < boundsOf(b).from ? -1 : 1)

/** What begins before a name and may go on after it. */
async function publicAround(sql: Sql, last: string): Promise<string[]> {
  const rows = await sql.all(`SELECT pattern FROM public_patterns WHERE first IN (?, '*')`, firstPart(last))
  return rows.map((row) => text(row['pattern']))
}

async function publicAfter(sql: Sql, { after, last }: { after: string; last: string }): Promise<string[]> {
  const rows = await sql.all(
    `SELECT pattern FROM public_patterns WHERE pattern > ? AND first NOT IN (?, '*') ORDER BY pattern LIMIT ${READ_AT_ONCE}`,
    ...[after, firstPart(last)],
  )
  return rows.map((row) => text(row['pattern']))
}

/** Many of those that are public may be empty: where nothing is, they are not looked for one by one. */
async function inhabited(sql: Sql, patterns: readonly string[]): Promise<readonly string[]> {
  if (patterns.length === 0) return patterns
  const [from, to] = [boundsOf(patterns[0]!).from, boundsOf(patterns.at(-1)!).to]
  return (await sql.get('SELECT 1 FROM repositories WHERE name >= ? AND name < ? LIMIT 1', from, to)) ? patterns : []
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
