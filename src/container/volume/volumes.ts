import { dirname } from 'node:path'
import { BaleError, printable } from '#base'
import { isMounted, treeSize, unmount } from '#host'
import { mkdirWithMode, removeTree } from '#host/file'
import type { Volume } from '../model/index.ts'
import { type Machinery, newId, removeUnused } from '../state/index.ts'
import { checkVolumeOptions } from './volume-mount.ts'

export interface CreateVolumeOptions {
  /** Without one the volume is anonymous. */
  name?: string
  driver?: string
  labels?: Record<string, string>
  options?: Record<string, string>
}

/** Makes a volume: an empty directory that belongs to no container. One with the name already there is returned. */
export async function createVolume({ store, records, clock }: Machinery, asked: CreateVolumeOptions): Promise<Volume> {
  const { name = newId() } = asked
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name))
    throw new BaleError(
      'INVALID_ARGUMENT',
      `create ${printable(name)}: "${printable(name)}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
    )
  if (asked.driver && asked.driver !== 'local')
    throw new BaleError('UNSUPPORTED', `volume driver ${printable(asked.driver)} is not supported`)
  checkVolumeOptions(asked.options ?? {})
  const directory = store.volumes.directory(name)
  const known = await records.volumes.find(name)
  if (known) {
    await mkdirWithMode(directory, 0o755)
    return known
  }
  await mkdirWithMode(dirname(directory), 0o701)
  await mkdirWithMode(directory, 0o755)
  const volume: Volume = {
    name,
    created: clock.now(),
    document: { labels: asked.labels ?? {}, options: asked.options ?? {}, anonymous: asked.name === undefined },
  }
  try {
    await records.volumes.add(volume)
    return volume
  } catch (error) {
    // Two containers may ask for one new volume at once: both get it.
    const made = await records.volumes.find(name)
    if (made) return made
    throw error
  }
}

export async function findVolume({ records }: Pick<Machinery, 'records'>, name: string): Promise<Volume> {
  const volume = await records.volumes.find(name)
  if (volume) return volume
  throw new BaleError('VOLUME_NOT_FOUND', `get ${printable(name)}: no such volume`, { next: { act: 'list-volumes' } })
}

export function listVolumes({ records }: Machinery): Promise<Volume[]> {
  return records.volumes.list()
}

/** Names of volumes and the IDs of the containers that mount them. */
export async function volumeUsers({ records }: Machinery): Promise<Map<string, string[]>> {
  const users = new Map<string, string[]>()
  for (const container of await records.containers.list())
    for (const mount of container.document.mounts)
      if (mount.name !== undefined) users.set(mount.name, [...(users.get(mount.name) ?? []), container.id])
  return users
}

/** Removes a volume with all its data. Throws CONFLICT while a container, stopped or not, mounts it. */
export async function removeVolume(
  machinery: Machinery,
  name: string,
  options: { force?: boolean } = {},
): Promise<void> {
  const { store, records } = machinery
  const known = await records.volumes.find(name)
  if (!known) {
    if (options.force) return
    await findVolume(machinery, name)
  }
  const users = (await volumeUsers(machinery)).get(name)
  if (users?.length)
    throw new BaleError('CONFLICT', `remove ${name}: volume is in use - [${users.join(', ')}]`, {
      next: { act: 'remove-container', names: users.map((id) => id.slice(0, 12)) },
    })
  // Files mounted there are not the volume's to delete.
  const directory = store.volumes.directory(name)
  while (isMounted(directory)) unmount(directory)
  // The data goes first: a record without data is an empty volume, data without a record could never be found.
  await removeTree(dirname(store.volumes.directory(name)))
  await records.volumes.remove(name)
}

/** Removes volumes that no container mounts; only anonymous ones unless `all`. Returns names and freed bytes. */
export async function pruneVolumes(
  machinery: Machinery,
  options: { all?: boolean; filter?: (volume: Volume) => boolean } = {},
): Promise<{ names: string[]; freed: number }> {
  const users = await volumeUsers(machinery)
  const pruned = { names: [] as string[], freed: 0 }
  for (const volume of await machinery.records.volumes.list()) {
    if (users.has(volume.name) || !(options.all || volume.document.anonymous) || options.filter?.(volume) === false)
      continue
    const size = treeSize(machinery.store.volumes.directory(volume.name))
    if (!(await removeUnused(() => removeVolume(machinery, volume.name)))) continue
    pruned.freed += size
    pruned.names.push(volume.name)
  }
  return pruned
}
