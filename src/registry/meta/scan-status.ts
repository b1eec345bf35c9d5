import type { ScanStatus } from './scan-meta.ts'
import { optionalText, type SqlRow } from './sql.ts'

/** Columns of a scan (`s`) and its result (`f`), of which either may be missing. */
export const STATUS_COLUMNS = `
  s.state, s.failure, s.queued_at, s.ended_at,
  CASE WHEN s.token IS NOT NULL AND s.due_at > now_ms() THEN 1 ELSE 0 END AS running,
  f.inventory_id, f.at AS matched_at, f.body AS result`

/** After a manifest (`m`). */
export const STATUS_JOINS = 'LEFT JOIN scans s ON s.digest = m.digest LEFT JOIN scan_results f ON f.digest = s.digest'

/** Undefined of an index, and of whatever else is never queued. */
export function scanStatusOf(row: SqlRow): ScanStatus | undefined {
  const state = optionalText(row['state'])
  if (state === undefined) return undefined
  const failure = optionalText(row['failure'])
  return {
    state: state === 'later' ? 'waiting' : (state as ScanStatus['state']),
    ...(failure !== undefined && { failure }),
    queuedAt: Number(row['queued_at']),
    ...(row['ended_at'] !== null && { endedAt: Number(row['ended_at']) }),
    running: Number(row['running']) === 1,
    ...(row['result'] !== null && {
      result: {
        inventoryId: Number(row['inventory_id']),
        at: Number(row['matched_at']),
        bytes: row['result'] as Uint8Array,
      },
    }),
  }
}
