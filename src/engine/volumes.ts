import { type FilterPair, Filters } from '#docker'
import { type VolumeInspect, volumeInspect } from '#docker/views'
import { containerRecords } from './container-machinery.ts'
import type { EngineContext } from './context/context.ts'
import { pruneEvent } from './prune-event.ts'

/** A volume to be made. */
export interface CreateVolumeRequest {
  name?: string
  /** `local`, the only one. */
  driver?: string
  labels?: Record<string, string>
  /** Of the mount: `type`, `device`, `o`. */
  options?: Record<string, string>
}

export async function createVolume(context: EngineContext, asked: CreateVolumeRequest = {}): Promise<VolumeInspect> {
  const { volumes } = await containerRecords(context)
  const volume = await volumes.create(asked)
  return volumeInspect(volumes.directory(volume.name), volume)
}

export async function inspectVolume(context: EngineContext, name: string): Promise<VolumeInspect> {
  const { volumes } = await containerRecords(context)
  const volume = await volumes.find(name)
  return volumeInspect(volumes.directory(volume.name), volume)
}

export async function listVolumes(
  context: EngineContext,
  options: { filters?: readonly FilterPair[] } = {},
): Promise<VolumeInspect[]> {
  const filters = new Filters(options.filters ?? [], ['dangling', 'driver', 'label', 'label!', 'name'])
  const dangling = filters.flag('dangling')
  const { volumes } = await containerRecords(context)
  const users = await volumes.users()
  return (await volumes.list())
    .filter(
      (volume) =>
        filters.matches('name', volume.name) &&
        filters.isOneOf('driver', 'local') &&
        filters.matchesLabels(volume.document.labels) &&
        (dangling === undefined || dangling !== users.has(volume.name)),
    )
    .map((volume) => volumeInspect(volumes.directory(volume.name), volume))
    .sort((one, other) => (one.Name < other.Name ? -1 : 1))
}

export async function removeVolume(
  context: EngineContext,
  name: string,
  options: { force?: boolean } = {},
): Promise<void> {
  const { volumes } = await containerRecords(context)
  await volumes.remove(name, options)
}

export async function pruneVolumes(
  context: EngineContext,
  options: { all?: boolean; filters?: readonly FilterPair[] } = {},
): Promise<{ removed: string[]; freed: number }> {
  const filters = new Filters(options.filters ?? [], ['all', 'label', 'label!'])
  const all = filters.flag('all') ?? options.all
  const { volumes } = await containerRecords(context)
  const { names, freed } = await volumes.prune({
    all,
    filter: (volume) => filters.matchesLabels(volume.document.labels),
  })
  await (await context.store()).events.add([pruneEvent('volume', freed)])
  return { removed: names, freed }
}
