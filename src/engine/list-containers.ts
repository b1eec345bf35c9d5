import type { PublishedPort, SeenContainer, Status } from '#container'
import { type FilterPair, Filters, PRUNE_FILTERS } from '#docker'
import type { Platform } from '#spec'
import { containerFilter } from './container-filter.ts'
import { containerRecords } from './container-machinery.ts'
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

/** A line of `ps`. Times are milliseconds since 1970. */
export interface ContainerRow {
  id: string
  name: string
  image: string
  imageId?: string
  platform: Platform
  command: string[]
  created: number
  state: Status
  startedAt?: number
  finishedAt?: number
  exitCode: number
  health?: string
  ports: PublishedPort[]
  exposed: string[]
  labels: Record<string, string>
  mounts: { type: string; name?: string; source: string; destination: string }[]
  /** Names; `none`, `host` or `container:ID` where that is its mode. */
  networks: string[]
  /** Bytes of its own layer, and with its image. */
  size?: { written: number; total: number }
}

/** Containers as they really are, newest first. Filters of one name are alternatives, different names must all hold. */
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
    chosen.map(async (one) => {
      const row = rowOf(one)
      if (!options.size) return row
      const written = await state.writtenSize(one.record.id)
      return { ...row, size: { written, total: written + (await imageSize(context, one)) } }
    }),
  )
}

function rowOf({ record, status, state }: SeenContainer): ContainerRow {
  const { config, host, mounts, networks, connections } = record.document
  const lives = status === 'running' || status === 'paused'
  return {
    id: record.id,
    name: record.name,
    image: record.document.image,
    imageId: record.imageId,
    platform: record.document.platform,
    command: [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])],
    created: record.created,
    state: status,
    startedAt: state.startedAt,
    finishedAt: state.finishedAt,
    exitCode: state.exitCode,
    health: lives ? state.health?.status : undefined,
    ports: lives ? connections.flatMap(({ ports }) => ports) : [],
    exposed: lives ? Object.keys(config.ExposedPorts ?? {}) : [],
    labels: config.Labels,
    mounts: mounts.map(({ type, name, source, destination }) => ({ type, name, source, destination })),
    networks: networks.length > 0 ? networks.map(({ network }) => network) : [host.network ?? 'bridge'],
  }
}

async function imageSize(context: EngineContext, { record }: SeenContainer): Promise<number> {
  const store = await context.store()
  let size = 0
  for (const layer of record.layers) size += (await store.layers.get(layer))?.contentSize ?? 0
  return size
}

/** Removes containers that do not run; answers their IDs and the bytes that became free. */
export async function pruneContainers(
  context: EngineContext,
  options: { filters?: readonly FilterPair[]; signal?: AbortSignal } = {},
): Promise<{ removed: string[]; freed: number }> {
  const filters = new Filters(options.filters ?? [], PRUNE_FILTERS)
  const until = filters.until(context.clock.now())
  const { lifecycle } = await containerRecords(context)
  const { failure } = await recover(context, ['containers'])
  const { ids, freed } = await lifecycle.prune(({ record }) => {
    options.signal?.throwIfAborted()
    if (until !== undefined && record.created > until) return false
    return filters.matchesLabels(record.document.config.Labels)
  })
  await (await context.store()).events.add([pruneEvent('container', freed)])
  if (failure) throw failure
  return { removed: ids, freed }
}
