import type { BaleError } from '#base'
import { type FilterPair, Filters, PRUNE_FILTERS } from '#docker'
import { type ContainerRow, containerRow } from '#docker/views'
import { containerFilter } from './container-filter.ts'
import { containerRecords } from './container-machinery.ts'
import { containerSize } from './container-size.ts'
import type { EngineContext } from './context/context.ts'
import { pruneEvent } from './prune-event.ts'
import { recover } from './recovery.ts'

/** Which containers are listed. */
export interface ListContainersOptions {
  /** Also containers that do not run. */
  all?: boolean
  /** The newest only (implies all). */
  last?: number
  filters?: readonly FilterPair[]
  /** Count what each has written to its own layer. */
  size?: boolean
}

/** Containers in their current state, newest first. Filters of one name are alternatives; all names must match. */
export async function listContainers(
  context: EngineContext,
  options: ListContainersOptions = {},
): Promise<ContainerRow[]> {
  const { state } = await containerRecords(context)
  const all = await state.list()
  const filter = await containerFilter(context, options.filters ?? [], all)
  const anyState = options.all || options.last !== undefined || filter.anyState
  const chosen = all
    .filter((one) => anyState || one.status === 'running' || one.status === 'paused' || one.status === 'restarting')
    .filter(filter.fits)
    .slice(0, options.last)
  return Promise.all(
    chosen.map(async (one) => ({
      ...containerRow(one),
      ...(options.size && { size: await containerSize(context, one) }),
    })),
  )
}

interface PruneContainersOptions {
  filters?: readonly FilterPair[]
  signal?: AbortSignal
}

/**
 * Removes containers that do not run, and what killed processes left of others; returns their IDs and the bytes that became free.
 * Throws RECOVERY_FAILED at the end.
 */
export async function pruneContainers(
  context: EngineContext,
  options: PruneContainersOptions = {},
): Promise<{ removed: string[]; freed: number }> {
  const { failure, ...pruned } = await pruneAndRecoverContainers(context, options)
  if (failure) throw failure
  return pruned
}

/** As `pruneContainers`, but a recovery that failed is part of the result. */
export async function pruneAndRecoverContainers(
  context: EngineContext,
  options: PruneContainersOptions = {},
): Promise<{ removed: string[]; freed: number; failure?: BaleError }> {
  const filters = new Filters(options.filters ?? [], PRUNE_FILTERS)
  const until = filters.until(context.clock.now())
  const { lifecycle } = await containerRecords(context)
  const left = await recover(context, ['containers'])
  const pruned = await lifecycle.prune(({ record }) => {
    options.signal?.throwIfAborted()
    if (until !== undefined && record.created > until) return false
    return filters.matchesLabels(record.document.config.Labels)
  })
  const freed = pruned.freed + left.freed
  await (await context.store()).events.add([pruneEvent('container', freed)])
  return { removed: pruned.ids, freed, failure: left.failure }
}
