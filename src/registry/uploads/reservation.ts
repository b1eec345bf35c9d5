import { BaleError } from '#base'
import type { MetaStore, Upload } from '../meta/index.ts'

/** So many bytes are reserved at a time when nobody knows how many come. */
const STEP = 32 * 1024 * 1024

/** What the quotas of its repository have room for, reserved before an upload takes it. */
interface Reservation {
  /** Makes sure of the first `offset` bytes of the upload. QUOTA_EXCEEDED when there is no room for them. */
  cover(offset: number): Promise<void>
}

export function createReservation(parts: { meta: MetaStore; upload: Upload; token: string }): Reservation {
  const { meta, upload, token } = parts
  const { id, repository } = upload
  let held = upload.offset
  let isCounted = false
  return {
    async cover(offset) {
      if (offset <= held && isCounted) return
      const bytes = isCounted ? Math.max(offset, held + STEP) : offset
      const got = await meta.reserveUpload(id, { repository, token, bytes, least: offset })
      if (got === 'lost') throw lost(id)
      // A quota that comes while the bytes do is judged at their end.
      held = got ?? Infinity
      isCounted = true
    },
  }
}

export function lost(id: string): BaleError {
  return new BaleError('LOCKED', `upload ${id} was taken over by another writer`)
}
