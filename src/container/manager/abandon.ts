import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { deleteNetworkNamespace, removeCgroup } from '#host'
import { removeTree } from '#host/file'
import { firewall, netavark, openBridges } from '../network/index.ts'
import { openRuntime, programs } from '../runtime/index.ts'
import { cgroupPath } from '../spec/index.ts'

/**
 * Removes what a container left on the machine when its store was deleted meanwhile, so that no record exists. Makes and
 * reads nothing of a store.
 */
export async function abandonContainer(place: { run: string; path?: string }, id: string): Promise<void> {
  const found = programs(place.path)
  const stateDirectory = join(place.run, 'runtime')
  if (existsSync(join(stateDirectory, id)))
    await (await openRuntime({ programs: found, stateDirectory })).delete(id, { force: true })
  await removeCgroup(cgroupPath(id))
  const namespaces = join(place.run, 'netns')
  await deleteNetworkNamespace(join(namespaces, id.slice(0, 16)))
  await removeTree(join(place.run, 'c', id.slice(0, 16)))
  // netavark needs a directory for its state: the missing part of its path is made, and removed again.
  const driverDirectory = join(place.run, 'network')
  const made = await mkdir(driverDirectory, { recursive: true, mode: 0o700 })
  const driver = netavark(found, driverDirectory)
  try {
    await openBridges({ programs: found, driver, walls: firewall(found), namespaces }).takeDownOrphans()
  } finally {
    if (made) await removeTree(made)
  }
}
