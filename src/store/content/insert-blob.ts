import type { Descriptor } from '#spec'
import type { Core } from './core.ts'

/** The last step of storing a blob: its row, held by this store until something refers to it. */
export function insertBlob({ database, session, clock }: Core, { digest, size }: Descriptor): void {
  database.transaction(() => {
    database.run('INSERT OR REPLACE INTO blobs VALUES (?, ?, ?)', digest, size, clock.now())
    session.hold([{ kind: 'blob', digest }])
  })
}
