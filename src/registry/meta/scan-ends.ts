import { raiseGate } from './gate-generation.ts'
import type { ScanEnd, TakenScan } from './scan-meta.ts'
import type { Sql, Transaction } from './sql.ts'

/** False when the lease was lost: nothing is kept then. */
export async function endScan(sql: Transaction, taken: TakenScan, end: ScanEnd): Promise<boolean> {
  if (end.outcome === 'again') return await postpone(sql, taken, end)
  const ended = end.outcome === 'scanned' ? await putInventory(sql, taken, end) : await endWithout(sql, taken, end)
  if (ended) await raiseGate(sql)
  return ended
}

/** Versions are numbers: as text they sort the same when they are as long. */
export const sortable = (analyser: string) => analyser.padStart(10, '0')

async function postpone(
  sql: Sql,
  { digest, token }: TakenScan,
  { failure, pause }: Extract<ScanEnd, { outcome: 'again' }>,
): Promise<boolean> {
  const postponed = 'UPDATE scans SET token = NULL, failure = ?, due_at = now_ms() + ? WHERE digest = ? AND token = ?'
  return (await sql.run(postponed, failure, pause, digest, token)) === 1
}

/** What was found before stays where it failed. */
async function endWithout(
  sql: Sql,
  { digest, token }: TakenScan,
  end: Extract<ScanEnd, { outcome: 'failed' | 'no image' }>,
): Promise<boolean> {
  const ended = 'UPDATE scans SET token = NULL, ended_at = now_ms(), state = ?, failure = ?'
  if (end.outcome === 'failed') {
    return (await sql.run(`${ended} WHERE digest = ? AND token = ?`, 'failed', end.failure, digest, token)) === 1
  }
  const forgotten = `${ended}, analyser = NULL, advisories = NULL WHERE digest = ? AND token = ?`
  if ((await sql.run(forgotten, 'none', null, digest, token)) === 0) return false
  await sql.run('DELETE FROM scan_results WHERE digest = ?', digest)
  await sql.run('DELETE FROM scan_inventories WHERE digest = ?', digest)
  return true
}

/** The same inventory again needs no new result. Another one waits for its own, while that of the one before counts. */
async function putInventory(
  sql: Transaction,
  { digest, token }: TakenScan,
  { analyser, inventory }: Extract<ScanEnd, { outcome: 'scanned' }>,
): Promise<boolean> {
  const row = await sql.get(
    `SELECT analyser, inventory_id FROM scans WHERE digest = ? AND token = ? ${sql.lock('UPDATE')}`,
    ...[digest, token],
  )
  if (!row) return false
  const ended = `UPDATE scans SET state = 'scanned', token = NULL, failure = NULL, ended_at = now_ms(), analyser = ?, scanned_by = ?`
  const by = [analyser, sortable(analyser)]
  const id = Number(row['inventory_id'])
  const before = await sql.get('SELECT body FROM scan_inventories WHERE digest = ? AND inventory_id = ?', digest, id)
  if (row['analyser'] === analyser && before && Buffer.compare(before['body'] as Uint8Array, inventory) === 0) {
    await sql.run(`${ended} WHERE digest = ?`, ...by, digest)
    return true
  }
  await sql.run(`${ended}, inventory_id = ?, advisories = '' WHERE digest = ?`, ...by, id + 1, digest)
  await sql.run(
    'INSERT INTO scan_inventories (digest, inventory_id, body) VALUES (?, ?, ?)',
    ...[digest, id + 1, inventory],
  )
  await sql.run(
    `DELETE FROM scan_inventories WHERE digest = ? AND inventory_id <= ? AND NOT EXISTS
     (SELECT 1 FROM scan_results f WHERE f.digest = scan_inventories.digest AND f.inventory_id = scan_inventories.inventory_id)`,
    ...[digest, id],
  )
  return true
}
