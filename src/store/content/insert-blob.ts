import type { Descriptor } from '#spec'
import type { Intake } from './core.ts'

/**
 * The last step of storing a blob: its row, held by the operation until something refers to it. `encoder` is what compressed
 * it here (name, version, level); blobs that came from elsewhere have none.
 */
export function insertBlob(
  { database, lease, clock }: Intake,
  { digest, size }: Descriptor,
  encoder: string | null = null,
): void {
  database.transaction(() => {
    const sql = 'INSERT OR REPLACE INTO blobs (digest, size, created, encoder) VALUES (?, ?, ?, ?)'
    database.run(sql, digest, size, clock.now(), encoder)
    lease.hold([{ kind: 'blob', digest }])
  })
}
