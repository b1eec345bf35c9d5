import type { BaleError, OperationOptions } from '#base'
import { type FilterPair, Filters, PRUNE_FILTERS } from '#docker'
import { containerRecords } from './container-machinery.ts'
import type { EngineContext } from './context/context.ts'
import { pruneEvent } from './prune-event.ts'
import { BUILD_ROOMS, recover } from './recovery.ts'
import { releaseMounts } from './remove-image.ts'

/** Which unused images are removed. */
export interface PruneOptions extends OperationOptions {
  /** All images that no container uses, not only those without a name. */
  all?: boolean
  /** dangling, until, label, label! */
  filters?: readonly FilterPair[]
}

/** Names that were removed, IDs that were deleted, and the space that this made. */
export interface Pruned {
  untagged: string[]
  deleted: string[]
  /** Bytes of disk that became free. */
  freed: number
}

/** Removes images that nothing uses. */
export async function pruneImages(context: EngineContext, options: PruneOptions = {}): Promise<Pruned> {
  const filters = new Filters(options.filters ?? [], ['dangling', ...PRUNE_FILTERS])
  const dangling = filters.flag('dangling')
  const until = filters.until(context.clock.now())
  const store = await context.store()
  const { records, freed } = await store.images.prune({
    all: dangling === undefined ? options.all : !dangling,
    filter: (image) => {
      const created = Date.parse(image.config.created ?? '') || 0
      if (until !== undefined && created > until) return false
      return filters.matchesLabels(image.config.config?.Labels)
    },
  })
  await releaseMounts(context)
  await store.events.add([pruneEvent('image', freed)])
  return {
    untagged: records.flatMap((record) => ('untagged' in record ? record.untagged : [])),
    deleted: records.flatMap((record) => ('deleted' in record ? record.deleted : [])),
    freed,
  }
}

interface PruneCacheOptions {
  all?: boolean
  filters?: readonly FilterPair[]
}

/** Removes build cache records, the layers that only they held, and what killed builds left. Throws RECOVERY_FAILED at the end. */
export async function pruneBuildCache(
  context: EngineContext,
  options: PruneCacheOptions = {},
): Promise<{ keys: string[]; freed: number }> {
  const { failure, ...pruned } = await pruneAndRecoverBuilds(context, options)
  if (failure) throw failure
  return pruned
}

/** As `pruneBuildCache`, but a recovery that failed is part of the result. */
export async function pruneAndRecoverBuilds(
  context: EngineContext,
  options: PruneCacheOptions = {},
): Promise<{ keys: string[]; freed: number; failure?: BaleError }> {
  const until = new Filters(options.filters ?? [], ['until']).until(context.clock.now())
  const store = await context.store()
  const inUse = options.all ? new Set<string>() : await layersOfImages(context)
  const result = await store.buildCache.prune((record) => {
    if (until !== undefined && record.lastUsed >= until) return false
    // Without `all`, what an image is based on is kept: it costs nothing and saves the next build.
    const isStoodOn = record.layers.length > 0 && record.layers.every((layer) => inUse.has(layer))
    return options.all === true || !isStoodOn
  })
  // Killed builds may have left processes and mounts, without which nothing they wrote could be freed.
  const left = await recover(context, BUILD_ROOMS)
  const { pruneCacheMounts, pruneFileDigests } = await import('#build')
  const mounts = until === undefined ? await pruneCacheMounts(store.root) : 0
  // Of what the next build of a directory needs not read again.
  const digests = until === undefined && options.all ? await pruneFileDigests(store.root) : 0
  await releaseMounts(context)
  const freed = result.freed + left.freed + mounts + digests
  await store.events.add([pruneEvent('builder', freed)])
  return { ...result, freed, failure: left.failure }
}

async function layersOfImages(context: EngineContext): Promise<Set<string>> {
  const images = await (await context.store()).images.list()
  return new Set(images.flatMap((image) => image.config.rootfs.diff_ids))
}

/** Removes what crashed processes left and what nothing refers to; returns the bytes that became free. Throws RECOVERY_FAILED. */
export async function collectGarbage(context: EngineContext): Promise<{ removed: number; freed: number }> {
  // After a boot, containers are started first: a recovery records their end, and the reason to start them is gone.
  await containerRecords(context)
  const { failure, ...recovered } = await recover(context)
  await releaseMounts(context)
  if (failure) throw failure
  return recovered
}
