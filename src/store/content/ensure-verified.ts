import { BaleError, isBaleError, type OperationOptions } from '#base'
import type { Digest } from '#spec'
import { findLayer, imagesNeeding, type LayerRecord } from '#store/rows'
import type { Core } from './core.ts'
import { loadFormat } from './load-format.ts'
import { isMarked, markVerified } from './verified-mark.ts'

export async function ensureVerified(core: Core, diffId: Digest, { signal }: OperationOptions): Promise<LayerRecord> {
  const record = findLayer(core, diffId)
  if (!record) {
    throw new BaleError('STORE_DAMAGED', `the layer ${diffId} is missing from the store`, {
      hint: healing(core, diffId),
      details: { diffId },
    })
  }
  if (isMarked(core, diffId)) return record
  try {
    await (await loadFormat(core, record.format)).verifyMountable(record.directory, record, { signal })
  } catch (error) {
    if (!isBaleError(error, 'STORE_DAMAGED')) throw error
    // Without its row the layer is fetched again by the next pull, which also replaces the directory.
    core.database.run('DELETE FROM layers WHERE diff_id = ?', diffId)
    throw new BaleError('STORE_DAMAGED', error.message, {
      hint: healing(core, diffId),
      details: { diffId },
      cause: error,
    })
  }
  await markVerified(core, diffId)
  return record
}

/** What heals a layer that is damaged or missing. */
function healing(core: Core, diffId: Digest): string {
  const images = imagesNeeding(core, 'layer', diffId)
  const which = images.length === 0 ? 'the image' : images.join(', ')
  return `pull, load or build ${which} again: only this layer is written again`
}
