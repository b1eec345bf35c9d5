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
        for (let at = 0; at < fresh.length; at += AT_ONCE) await note(sql, padded(fresh.slice(at, at + AT_ONCE)))
      })
    },

    knownFor: (keys) => knownFor(database, keys),
  }
}

async function note(sql: Sql, keys: readonly string[]): Promise<void> {
  const rows = keys.map(() => '(?, now_ms())').join(', ')
  await sql.run(`INSERT INTO known_findings (key, at) VALUES ${rows} ON CONFLICT (key) DO NOTHING`, ...keys)
}

/** Two lengths, so that few statements are prepared: the rest is the first key again. */
function padded(keys: readonly string[]): string[] {
  return Array.from({ length: keys.length > 10 ? AT_ONCE : 10 }, (_, index) => keys[index] ?? keys[0]!)
}

async function knownFor(sql: Sql, keys: readonly string[]): Promise<Map<string, number>> {
  const known = new Map<string, number>()
  for (let at = 0; at < keys.length; at += AT_ONCE) {
    const asked = padded(keys.slice(at, at + AT_ONCE))
    const marks = asked.map(() => '?').join(', ')
    const rows = await sql.all(`SELECT key, now_ms() - at AS age FROM known_findings WHERE key IN (${marks})`, ...asked)
    for (const row of rows) known.set(text(row['key']), Number(row['age']))
  }
  return known
}
