import type { ScanMeta } from './scan-meta.ts'
import { type Sql, type SqlDatabase, text } from './sql.ts'

const AT_ONCE = 100

/** Which vulnerabilities of which packages this registry has seen, and since when. */
export function findingMeta(database: SqlDatabase): Pick<ScanMeta, 'noteFindings' | 'knownFor'> {
  return {
    async noteFindings(keys) {
      const known = await knownFor(database, keys)
      // In one order, so that two who note the same wait for each other and not in a circle.
      const fresh = [...new Set(keys)].filter((key) => !known.has(key)).sort()
      if (fresh.length === 0) return
      await database.transaction(async (sql) => {
        const note = 'INSERT INTO known_findings (key, at) VALUES (?, now_ms()) ON CONFLICT (key) DO NOTHING'
        for (const key of fresh) await sql.run(note, key)
      })
    },

    knownFor: (keys) => knownFor(database, keys),
  }
}

async function knownFor(sql: Sql, keys: readonly string[]): Promise<Map<string, number>> {
  const known = new Map<string, number>()
  for (let at = 0; at < keys.length; at += AT_ONCE) {
    const some = keys.slice(at, at + AT_ONCE)
    // Two lengths, so that few statements are prepared.
    const length = some.length > 10 ? AT_ONCE : 10
    const asked = Array.from({ length }, (_, index) => some[index] ?? some[0]!)
    const marks = asked.map(() => '?').join(', ')
    const rows = await sql.all(`SELECT key, now_ms() - at AS age FROM known_findings WHERE key IN (${marks})`, ...asked)
    for (const row of rows) known.set(text(row['key']), Number(row['age']))
  }
  return known
}
