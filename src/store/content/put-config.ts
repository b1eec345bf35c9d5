import type { Descriptor } from '#spec'
import { insertDocument } from '#store/rows'
import type { Intake } from './core.ts'
import { verifyBytes } from './verify-bytes.ts'

/** Stores a config, held by the operation until a manifest refers to it. Throws DIGEST_MISMATCH, SIZE_MISMATCH. */
export function insertConfig(core: Intake, descriptor: Descriptor, bytes: Uint8Array): void {
  verifyBytes(descriptor, bytes)
  core.database.transaction(() => {
    insertDocument(core, 'config', descriptor, bytes)
    core.lease.hold([{ kind: 'document', digest: descriptor.digest }])
  })
}
