import { BaleError } from '#base'
import type { Digest } from '#spec'
import { findLayer, type LayerFormatName } from '#store/rows'
import type { Core } from './core.ts'
import type { LayerFormat } from './layer-format.ts'

export async function loadFormat(core: Core, name: LayerFormatName): Promise<LayerFormat> {
  const reference = core.formats.find((format) => format.name === name)
  if (!reference) {
    throw new BaleError('UNSUPPORTED_HOST', `the store holds a layer in the format ${name}, which is not available`)
  }
  return ((await import(reference.module)) as { layerFormat: LayerFormat }).layerFormat
}

export async function* openTar(core: Core, diffId: Digest): AsyncGenerator<Uint8Array> {
  const record = findLayer(core, diffId)
  if (!record) throw new BaleError('BLOB_NOT_FOUND', `no layer has the diff ID ${diffId}`)
  yield* (await loadFormat(core, record.format)).openTar(record.directory)
}
