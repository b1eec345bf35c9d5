import { randomBytes } from 'node:crypto'
import { type Clock, disposable } from '#base'
import { lifeOf, type ProcessIdentity, thisProcess } from '#host'
import type { Digest } from '#spec'
import { type Database, deletePins, insertPin, type Pin, type PinKind } from '#store/rows'

export interface LeaseOptions {
  /** For people who look: `build of web`. */
  purpose?: string
}

/** Keeps things from being collected until it is disposed, or its process is gone. */
export interface Lease extends AsyncDisposable {
  add(kind: PinKind, digest: Digest): Promise<void>
}

/**
 * The lease of one open store. Whatever it took in or was asked to hold stays until something refers to
 * it, so that a collection in another process does not take away the parts of an image that is just being put together.
 */
export interface Session {
  /** Its row is made with the first use; part of the names of temporary directories. */
  id(): string
  is(id: string): boolean
  hold(pins: readonly Pin[]): void
  /** Something refers to them now. Part of the transaction that writes the references. */
  release(pins: readonly Pin[]): void
  end(): void
}

export function createSession(database: Database, clock: Clock): Session {
  let id: string | undefined
  const begin = () => {
    id ??= insertLease(database, clock, 'open store')
    return id
  }
  return {
    id: begin,
    is: (other) => other === id,
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

export function createLease(database: Database, clock: Clock, { purpose = '' }: LeaseOptions): Lease {
  const id = insertLease(database, clock, purpose)
  return {
    async add(kind, digest) {
      insertPin(database, `lease:${id}`, { kind, digest }, clock.now())
    },
    ...disposable(() => deleteLease(database, id)),
  }
}

function insertLease(database: Database, clock: Clock, purpose: string): string {
  const id = randomBytes(8).toString('hex')
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

/** Milliseconds. Pins that an open store forgot (a pull that failed in a server), owners that cannot be judged. */
const LONG = 24 * 3600 * 1000

/** Drops the leases of processes that are gone, and what stores held too long for nothing. Returns the living ones' IDs. */
export function dropDeadLeases(database: Database, clock: Clock): Set<string> {
  return database.transaction(() => {
    const living = new Set<string>()
    const rows = database.all<ProcessIdentity & { id: string; created: number; purpose: string }>(
      'SELECT *, CAST(started AS INTEGER) AS startTime FROM leases',
    )
    for (const row of rows) {
      const life = lifeOf(row)
      if (life === 'alive' || (life === 'unknown' && clock.now() - row.created < LONG)) living.add(row.id)
      else deleteLease(database, row.id)
      if (row.purpose === 'open store') {
        database.run('DELETE FROM pins WHERE owner = ? AND created < ?', `lease:${row.id}`, clock.now() - LONG)
      }
    }
    return living
  })
}
