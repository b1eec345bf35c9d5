import type { Digest } from '#spec'
import type { Database } from './database.ts'

/** What a lease or a reference can hold: a layer by diff ID, a blob, or a document (manifest, index, config). */
export type PinKind = 'layer' | 'blob' | 'document'

export interface Pin {
  kind: PinKind
  digest: Digest
}

export function insertPin(database: Database, owner: string, { kind, digest }: Pin, now: number): void {
  database.run('INSERT OR IGNORE INTO pins VALUES (?, ?, ?, ?)', owner, kind, digest, now)
}

export function deletePins(database: Database, owner: string): Pin[] {
  return database.all<Pin>('DELETE FROM pins WHERE owner = ? RETURNING kind, digest', owner)
}

/** True when a manifest, a record or a lease needs it. */
export function isHeld({ database }: { database: Database }, { kind, digest }: Pin): boolean {
  const sql = `SELECT EXISTS (SELECT 1 FROM edges WHERE kind = ?1 AND child = ?2)
    OR EXISTS (SELECT 1 FROM pins WHERE kind = ?1 AND digest = ?2) AS held`
  return database.get<{ held: number }>(sql, kind, digest)!.held === 1
}
