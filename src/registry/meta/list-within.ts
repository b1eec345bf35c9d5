import { type Database, text } from './database.ts'
import { matchesPattern, rangeOf } from './pattern.ts'

const RANGE = 'SELECT name FROM repositories WHERE name >= ? AND name < ? AND name GLOB ? ORDER BY name'

/**
 * Repositories that one of the patterns matches, after `last`, sorted by bytes, at most `limit`. Each pattern is looked
 * for in its own part of the index, so that others' repositories cost nothing.
 */
export function listWithin(
  database: Database,
  patterns: readonly string[],
  { last, limit }: { last: string; limit: number },
): string[] {
  const found = new Set<string>()
  for (const pattern of patterns) for (const name of namesOf(database, pattern, last, limit)) found.add(name)
  return [...found].sort().slice(0, limit)
}

function namesOf(database: Database, pattern: string, last: string, limit: number): string[] {
  const range = rangeOf(pattern)
  if ('name' in range) {
    const there = range.name > last && database.get('SELECT 1 FROM repositories WHERE name = ?', range.name)
    return there ? [range.name] : []
  }
  const names: string[] = []
  // Nothing is between a name and the same with this character after it.
  const from = last >= range.from ? `${last}\u0001` : range.from
  // SQLite's star also matches slashes: it finds all that the pattern does, and more.
  for (const row of database.iterate(RANGE, from, range.to, pattern.replaceAll('**', '*'))) {
    if (names.length === limit) break
    const name = text(row['name'])
    if (matchesPattern(pattern, name)) names.push(name)
  }
  return names
}
