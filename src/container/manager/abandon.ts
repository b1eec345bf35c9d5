import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { errnoOf } from '#base'
import { deleteNetworkNamespace, removeCgroup } from '#host'
import { removeTree, temporaryDirectory } from '#host/file'
import { firewall, netavark, openBridges } from '../network/index.ts'
import { openRuntime, type Programs, programs } from '../runtime/index.ts'
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
  await takeDownOrphans(found, place.run)
}

/**
 * netavark needs a directory for its state. Where the store's is gone, it is one that nobody else uses: of two clean-ups in a
 * path that both made, one would find it removed by the other, and make it again.
 */
async function takeDownOrphans(found: Programs, run: string): Promise<void> {
  const within = (directory: string, namespaces: string) =>
    openBridges({
      programs: found,
      driver: netavark(found, directory),
      walls: firewall(found),
      namespaces,
    }).takeDownOrphans()
  try {
    if (existsSync(join(run, 'network'))) return void (await within(join(run, 'network'), join(run, 'netns')))
  } catch (error) {
    // It went meanwhile.
    if (errnoOf(error) !== 'ENOENT') throw error
  }
  await using scratch = await temporaryDirectory(tmpdir(), 'bale-abandoned-')
  await within(join(scratch.path, 'network'), join(scratch.path, 'netns'))
}
