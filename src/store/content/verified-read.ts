import { createHash } from 'node:crypto'
import { BaleError, type BaleErrorOptions, isBaleError, type PiecePool } from '#base'
import { selfChecking, verifying } from '#blob'
import type { Digest } from '#spec'
import { imagesNeeding, type LayerRecord } from '#store/rows'
import type { Core } from './core.ts'
import { openTar } from './load-format.ts'

/**
 * A stored blob, whole, checked while it is read: the last chunk is followed by STORE_DAMAGED instead of the end when the
 * bytes are not what the digest says, so that damage of the disk does not travel. The blob counts as missing from then on:
 * the next pull fetches it, and it alone.
 */
export function verifiedBlob(core: Core, descriptor: { digest: Digest; size: number }): AsyncIterable<Uint8Array> {
  return selfChecking(checkedBlob(core, descriptor), descriptor)
}

async function* checkedBlob(core: Core, descriptor: { digest: Digest; size: number }): AsyncGenerator<Uint8Array> {
  const { digest } = descriptor
  try {
    yield* verifying(await core.blobs.read(digest), descriptor)
  } catch (error) {
    if (!isBaleError(error, 'DIGEST_MISMATCH') && !isBaleError(error, 'SIZE_MISMATCH')) throw error
    const images = imagesNeeding(core, 'blob', digest)
    core.database.run('DELETE FROM blobs WHERE digest = ?', digest)
    const hint = 'pull or load the image again'
    throw damaged(`the blob ${digest} is damaged in the store`, images, { hint, cause: error })
  }
}

/**
 * The tar of a layer, checked in the same way. The layer stays: what is mounted of it may be whole. `pieces` may be used for
 * its chunks: then the caller gives them back.
 */
export function verifiedTar(
  core: Core,
  layer: LayerRecord,
  options: { pieces?: PiecePool } = {},
): AsyncIterable<Uint8Array> {
  return selfChecking(checkedTar(core, layer, options), { digest: layer.diffId, size: layer.tarSize })
}

async function* checkedTar(
  core: Core,
  { diffId, tarSize }: LayerRecord,
  options: { pieces?: PiecePool },
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256')
  let size = 0
  let cause: unknown
  try {
    for await (const chunk of openTar(core, diffId, options)) {
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
  const what = `the layer ${diffId} is damaged in the store: it does not reproduce the original bytes`
  throw damaged(what, images, { next: { act: 'repair-store' }, cause })
}

function damaged(what: string, images: readonly string[], more: BaleErrorOptions): BaleError {
  const whose = images.length > 0 ? ` (part of ${images.join(', ')})` : ''
  return new BaleError('STORE_DAMAGED', `${what}${whose}`, { ...more, details: { images } })
}
