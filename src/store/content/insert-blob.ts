import type { Descriptor } from '#spec'
import type { Intake } from './core.ts'

/** The last step of storing a blob: its row, held by the operation until something refers to it. */
export function insertBlob({ database, lease, clock }: Intake, { digest, size }: Descriptor): void {
  database.transaction(() => {
    database.run('INSERT OR REPLACE INTO blobs VALUES (?, ?, ?)', digest, size, clock.now())
    lease.hold([{ kind: 'blob', digest }])
  })
}
