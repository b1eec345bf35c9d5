import type { Digest } from '#spec'
import type { ScanStatus } from './scan-meta.ts'
import { optionalText, type SqlRow, text } from './sql.ts'

/** Columns of a scan (`s`) and its result (`f`), of which either may be missing. */
export const STATUS_COLUMNS = `
  s.digest AS scanned, s.state, s.failure, s.tries, s.queued_at, s.ended_at, s.analyser,
  CASE WHEN s.token IS NOT NULL AND s.due_at > now_ms() THEN 1 ELSE 0 END AS running,
  f.inventory_id, f.advisories AS matched_with, f.at AS matched_at, f.body AS result`

/** After a manifest (`m`). */
export const STATUS_JOINS = 'LEFT JOIN scans s ON s.digest = m.digest LEFT JOIN scan_results f ON f.digest = s.digest'

/** Undefined for what was found to be no image, and for what no scanner looks at. */
export function scanStatusOf(row: SqlRow): ScanStatus | undefined {
  const state = optionalText(row['state'])
  if (state === undefined || state === 'none') return undefined
  const [failure, analyser] = [optionalText(row['failure']), optionalText(row['analyser'])]
  return {
    digest: text(row['scanned']) as Digest,
    state: state === 'later' ? 'waiting' : (state as ScanStatus['state']),
    ...(failure !== undefined && { failure }),
    tries: Number(row['tries']),
    queuedAt: Number(row['queued_at']),
    ...(row['ended_at'] !== null && { endedAt: Number(row['ended_at']) }),
    running: Number(row['running']) === 1,
    ...(analyser !== undefined && { analyser }),
    ...(row['result'] !== null && {
      result: {
        inventoryId: Number(row['inventory_id']),
        advisories: text(row['matched_with']),
        at: Number(row['matched_at']),
        bytes: row['result'] as Uint8Array,
      },
    }),
  }
}
