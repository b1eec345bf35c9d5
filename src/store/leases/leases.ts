import type { Clock } from '#base'
import { lifeOf, type ProcessIdentity, thisProcess } from '#host'
import { randomHex } from '#host/file'
import { type Database, deletePins, insertPin, type Pin } from '#store/rows'

/**
 * What one operation holds: whatever it takes in or holds stays until something refers to it, the operation ends,
 * or its process is gone. So a collection, here or in another process, does not take away the parts of an image that is
 * just being assembled.
 */
export interface Lease {
  /** Its row is made with the first use; part of the names of temporary directories. */
  id(): string
  hold(pins: readonly Pin[]): void
  /** Something refers to them now. Part of the transaction that writes the references. */
  release(pins: readonly Pin[]): void
  /** Lets go of everything. May be called twice. */
  end(): void
}

/** `purpose` is for people who inspect the store: `build`. */
export function createLease(database: Database, clock: Clock, purpose: string): Lease {
  let id: string | undefined
  const begin = () => {
    id ??= insertLease(database, clock, purpose)
    return id
  }
  return {
    id: begin,
    hold: (pins) =>
      database.transaction(() => {
        for (const pin of pins) insertPin(database, `lease:${begin()}`, pin, clock.now())
      }),
    release(pins) {
      for (const { kind, digest } of pins) {
        if (id)
          database.run('DELETE FROM pins WHERE owner = ? AND kind = ? AND digest = ?', `lease:${id}`, kind, digest)
      }
    },
    end() {
      if (id) deleteLease(database, id)
      id = undefined
    },
  }
}

function insertLease(database: Database, clock: Clock, purpose: string): string {
  const id = randomHex(8)
  const { pid, startTime, boot, namespace } = thisProcess()
  const values = [id, pid, `${startTime}`, boot!, namespace!, purpose, clock.now()]
  database.run('INSERT INTO leases VALUES (?, ?, ?, ?, ?, ?, ?)', ...values)
  return id
}

function deleteLease(database: Database, id: string): void {
  database.transaction(() => {
    deletePins(database, `lease:${id}`)
    database.run('DELETE FROM leases WHERE id = ?', id)
  })
}

/** Milliseconds. For owners that cannot be judged. */
const LONG = 24 * 3600 * 1000

/** Drops the leases of processes that are gone. */
export function dropDeadLeases(database: Database, clock: Clock): void {
  database.transaction(() => {
    const rows = database.all<ProcessIdentity & { id: string; created: number }>(
      'SELECT *, CAST(started AS INTEGER) AS startTime FROM leases',
    )
    for (const row of rows) {
      const life = lifeOf(row)
      const isOld = clock.now() - row.created >= LONG
      if (life === 'dead' || (life === 'unknown' && isOld)) deleteLease(database, row.id)
    }
  })
}

/** Whether a lease of this ID is open, also one that began a moment ago in another process. */
export function isLeaseOpen(database: Database, id: string): boolean {
  return database.get('SELECT 1 FROM leases WHERE id = ?', id) !== undefined
}
