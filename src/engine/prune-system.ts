import type { FilterPair } from '#docker'
import type { EngineContext } from './context/context.ts'
import { pruneAndRecoverContainers } from './list-containers.ts'
import { pruneNetworks } from './networks.ts'
import { collectGarbage, pruneAndRecoverBuilds, pruneImages } from './prune.ts'
import { pruneVolumes } from './volumes.ts'

/** How far `system.prune` goes. */
export interface PruneSystemOptions {
  /** All images that no container uses, not only those without a name. */
  all?: boolean
  /** Anonymous volumes that no container mounts, too. */
  volumes?: boolean
  /** until, label, label!; `until` does not go with `volumes`. */
  filters?: readonly FilterPair[]
  signal?: AbortSignal
}

/** What was removed of one kind: IDs, names, keys. `freed` is in bytes. */
export type PrunedPart =
  | { kind: 'containers' | 'networks' | 'volumes' | 'cache'; removed: string[]; freed: number }
  | { kind: 'images'; untagged: string[]; deleted: string[]; freed: number }
  | { kind: 'garbage'; freed: number }

/** One kind after the other, while it is iterated. Throws RECOVERY_FAILED at the end. */
export async function* pruneSystem(
  context: EngineContext,
  { all, volumes, filters = [], signal }: PruneSystemOptions = {},
): AsyncIterable<PrunedPart> {
  // What a recovery cannot do stops nothing: `collectGarbage` meets it again, and throws.
  const { removed, freed } = await pruneAndRecoverContainers(context, { filters, signal })
  yield { kind: 'containers', removed, freed }
  yield { kind: 'networks', ...(await pruneNetworks(context, { filters })), freed: 0 }
  if (volumes) yield { kind: 'volumes', ...(await pruneVolumes(context, { filters })) }
  // Build cache has no labels. It is pruned before the images, so that it no longer holds their layers.
  const hasLabels = filters.some(({ name }) => name !== 'until')
  const cache = hasLabels ? { keys: [], freed: 0 } : await pruneAndRecoverBuilds(context, { all, filters })
  yield { kind: 'images', ...(await pruneImages(context, { all, filters })) }
  yield { kind: 'cache', removed: cache.keys, freed: cache.freed }
  yield { kind: 'garbage', freed: (await collectGarbage(context)).freed }
}
