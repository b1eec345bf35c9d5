import type { Rows } from '#store/rows'
import type { NewEvent } from './store-event.ts'

/** Events that are kept: the newest ones, and none that is older. */
const MOST = 10_000
const OLDEST_MILLISECONDS = 7 * 24 * 3600 * 1000
/** Number of events between two checks for old or excess events. */
const PRUNE_EVERY = 256

const INSERT = 'INSERT INTO events (time, type, action, actor, attributes) VALUES (?, ?, ?, ?, ?) RETURNING seq'

/** Writes events, as part of the caller's transaction. */
export function insertEvents({ database, clock }: Rows, events: readonly NewEvent[]): void {
  const now = clock.now()
  for (const { type, action, actor, attributes } of events) {
    const row = database.get<{ seq: number }>(INSERT, now, type, action, actor, JSON.stringify(attributes))!
    if (row.seq % PRUNE_EVERY !== 0) continue
    database.run('DELETE FROM events WHERE seq <= ? OR time < ?', row.seq - MOST, now - OLDEST_MILLISECONDS)
  }
}
