import { BaleError, type PiecePool } from '#base'
import type { Digest } from '#spec'
import { type LayerFormat, loadLayerFormat } from '#store/layer-jobs'
import { findLayer, type LayerFormatName } from '#store/rows'
import type { Core } from './core.ts'

export function loadFormat(core: Core, name: LayerFormatName): Promise<LayerFormat> {
  return loadLayerFormat(core.formats.loaders, name)
}

export async function* openTar(
  core: Core,
  diffId: Digest,
  options: { pieces?: PiecePool } = {},
): AsyncGenerator<Uint8Array> {
  const record = findLayer(core, diffId)
  if (!record) throw new BaleError('BLOB_NOT_FOUND', `no layer has the diff ID ${diffId}`)
  yield* (await loadFormat(core, record.format)).openTar(record.directory, options)
}
