import { BaleError, firstError } from '#base'
import { algorithmOf, type Digest } from '#spec'
import type { Uploads } from './uploads.ts'

/**
 * Makes a stream a blob of a repository, at once and as one upload, of which nothing stays when it fails. LOCKED when the upload was
 * taken away, as at the start of an embedded registry; else as `UploadSession` throws.
 */
export async function storeBlob(
  uploads: Uploads,
  { repository, principal, digest }: { repository: string; principal: string; digest: Digest },
  open: () => Promise<AsyncIterable<Uint8Array>>,
): Promise<void> {
  const upload = await uploads.begin({ repository, principal, algorithm: algorithmOf(digest) })
  try {
    await using session = await uploads.open(upload)
    if (!session) throw new BaleError('LOCKED', `another writer has the upload ${upload.id}`)
    await session.append(await open())
    await session.commit(digest)
  } catch (error) {
    await uploads.cancel(upload)
    throw firstError(error)
  }
}
