import { BaleError } from '#base'
import type { Digest } from '#spec'

export function blobNotFound(digest: Digest): BaleError {
  return new BaleError('BLOB_NOT_FOUND', `no blob ${digest}`, { details: { digest } })
}
