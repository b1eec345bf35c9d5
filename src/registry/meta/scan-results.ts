import type { Digest } from '#spec'
import { raiseGate } from './gate-generation.ts'
import type { ScanMeta, Unmatched } from './scan-meta.ts'
import { type Sql, type SqlDatabase, type SqlRow, text } from './sql.ts'

const PUT_RESULT = `
  INSERT INTO scan_results (digest, inventory_id, at, body) VALUES (?, ?, now_ms(), ?) ON CONFLICT (digest)
  DO UPDATE SET inventory_id = excluded.inventory_id, at = excluded.at, body = excluded.body`

const UNMATCHED = `
  SELECT s.digest, s.inventory_id, i.body FROM scans s
  JOIN scan_inventories i ON i.digest = s.digest AND i.inventory_id = s.inventory_id`

/** What advisories say of inventories. */
export function scanResultMeta(database: SqlDatabase): Pick<ScanMeta, 'listUnmatched' | 'putResults'> {
  return {
    async listUnmatched(advisories, which) {
      const rows =
        'digest' in which
          ? await database.all(`${UNMATCHED} WHERE s.digest = ? AND s.advisories < ?`, which.digest, advisories)
          : await unmatchedAfter(database, advisories, which)
      return rows.map(unmatchedOf)
    },

    async putResults(results) {
      await database.transaction(async (sql) => {
        let kept = 0
        // In one order, so that two who do so wait for each other and not in a circle.
        for (const result of results.toSorted((a, b) => (a.digest < b.digest ? -1 : 1))) {
          if (await putResult(sql, result)) kept++
        }
        if (kept > 0) await raiseGate(sql)
      })
    },
  }
}

async function putResult(
  sql: Sql,
  { digest, inventoryId, advisories, bytes }: Parameters<ScanMeta['putResults']>[0][number],
): Promise<boolean> {
  const matched = await sql.run(
    'UPDATE scans SET advisories = ? WHERE digest = ? AND inventory_id = ? AND advisories < ?',
    ...[advisories, digest, inventoryId, advisories],
  )
  if (matched === 0) return false
  await sql.run(PUT_RESULT, digest, inventoryId, bytes)
  await sql.run('DELETE FROM scan_inventories WHERE digest = ? AND inventory_id < ?', digest, inventoryId)
  return true
}

/** Inventories are found by what they were matched with last, which are few versions: those that were matched cost nothing. */
async function unmatchedAfter(
  sql: Sql,
  advisories: string,
  { last = '', limit }: { last?: string; limit: number },
): Promise<SqlRow[]> {
  const found: SqlRow[] = []
  const next = (sign: string) =>
    `SELECT advisories FROM scans WHERE advisories IS NOT NULL AND advisories ${sign} ? ORDER BY advisories LIMIT 1`
  for (let version = await sql.get(next('>='), ''); version; ) {
    const of = text(version['advisories'])
    if (of >= advisories) break
    const rows = await sql.all(
      `${UNMATCHED} WHERE s.advisories = ? AND s.digest > ? ORDER BY s.digest LIMIT ?`,
      ...[of, last, limit],
    )
    found.push(...rows)
    version = await sql.get(next('>'), of)
  }
  return found.sort((a, b) => (text(a['digest']) < text(b['digest']) ? -1 : 1)).slice(0, limit)
}

const unmatchedOf = (row: SqlRow): Unmatched => ({
  digest: text(row['digest']) as Digest,
  inventoryId: Number(row['inventory_id']),
  inventory: row['body'] as Uint8Array,
})
