import type { OperationOptions } from '#base'
import type { Digest } from '#spec'
import { dropDeadLeases } from '#store/leases'
import { findLayer, type LayerRecord, listLayers } from '#store/rows'
import type { Core } from './core.ts'
import { ensureVerified } from './ensure-verified.ts'
import { openTar } from './load-format.ts'
import { sweep } from './sweep.ts'

/** The layers that a store has. */
export interface Layers {
  get(diffId: Digest): Promise<LayerRecord | undefined>
  list(): Promise<LayerRecord[]>
  /** The exact uncompressed tar. Throws BLOB_NOT_FOUND before the first chunk. */
  openTar(diffId: Digest): AsyncIterable<Uint8Array>
  /**
   * To be awaited before a layer is mounted: once per boot all that is going to be mounted is read and its sha256
   * compared. Throws STORE_DAMAGED (and the layer counts as missing from then on, so that the next pull heals it).
   */
  ensureVerified(diffId: Digest, options?: OperationOptions): Promise<LayerRecord>
  /** Removes those of the layers that nothing holds. */
  discard(diffIds: readonly Digest[]): Promise<void>
}

export function createLayers(core: Core): Layers {
  return {
    get: async (diffId) => findLayer(core, diffId),
    list: async () => listLayers(core),
    openTar: (diffId) => openTar(core, diffId),
    ensureVerified: (diffId, options = {}) => ensureVerified(core, diffId, options),
    discard: (diffIds) => discardLayers(core, diffIds),
  }
}

/** Removes those of the layers that nothing holds; `release` lets go of what the caller holds, in the same transaction. */
export async function discardLayers(core: Core, diffIds: readonly Digest[], release?: () => void): Promise<void> {
  if (diffIds.length === 0) return
  dropDeadLeases(core.database, core.clock)
  const pins = diffIds.map((digest) => ({ kind: 'layer' as const, digest }))
  const { finish } = core.database.transaction(() => {
    release?.()
    return sweep(core, pins)
  })
  await finish()
}
