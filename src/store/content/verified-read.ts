import { createHash } from 'node:crypto'
import { BaleError, isBaleError } from '#base'
import { verifying } from '#blob'
import type { Digest } from '#spec'
import { imagesNeeding, type LayerRecord } from '#store/rows'
import type { Core } from './core.ts'
import { openTar } from './load-format.ts'

/**
 * A stored blob, whole, checked while it is read: the last chunk is followed by STORE_DAMAGED instead of the end when the
 * bytes are not what the digest says, so that damage of the disk does not travel. The blob counts as missing from then on:
 * the next pull fetches it, and it alone.
 */
export async function* verifiedBlob(
  core: Core,
  descriptor: { digest: Digest; size: number },
): AsyncGenerator<Uint8Array> {
  const { digest } = descriptor
  try {
    yield* verifying(await core.blobs.read(digest), descriptor)
  } catch (error) {
    if (!isBaleError(error, 'DIGEST_MISMATCH') && !isBaleError(error, 'SIZE_MISMATCH')) throw error
    const images = imagesNeeding(core, 'blob', digest)
    core.database.run('DELETE FROM blobs WHERE digest = ?', digest)
    throw damaged(`the blob ${digest} is damaged in the store`, images, 'pull or load the image again', error)
  }
}

/** The tar of a layer, checked in the same way. The layer stays: what is mounted of it may be whole. */
export async function* verifiedTar(core: Core, { diffId, tarSize }: LayerRecord): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256')
  let size = 0
  let cause: unknown
  try {
    for await (const chunk of openTar(core, diffId)) {
      hash.update(chunk)
      size += chunk.byteLength
      yield chunk
    }
  } catch (error) {
    if (isBaleError(error, 'BLOB_NOT_FOUND') || isBaleError(error, 'UNSUPPORTED_HOST')) throw error
    // Its image or its split is so damaged that no tar comes of it.
    cause = error
  }
  if (!cause && size === tarSize && `sha256:${hash.digest('hex')}` === diffId) return
  const images = imagesNeeding(core, 'layer', diffId)
  const hint = 'bale system check --repair takes the layer away; then pull, load or build the image again'
  throw damaged(`the layer ${diffId} is damaged in the store: it gives back other bytes`, images, hint, cause)
}

function damaged(what: string, images: readonly string[], hint: string, cause?: unknown): BaleError {
  const whose = images.length > 0 ? ` (part of ${images.join(', ')})` : ''
  return new BaleError('STORE_DAMAGED', `${what}${whose}`, { hint, cause, details: { images } })
}
