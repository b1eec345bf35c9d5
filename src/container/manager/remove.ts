import { BaleError, isBaleError } from '#base'
import { isAlive, treeSize } from '#host'
import { removeTree } from '#host/file'
import {
  findContainer,
  lockContainer,
  type Machinery,
  pathsOf,
  removeUnused,
  type SeenContainer,
  see,
  seeAll,
} from '../state/index.ts'
import { forget, settle } from './finalize.ts'
import { killContainer } from './stop.ts'

/** How a container is removed. */
export interface RemoveOptions {
  /** Kills it first when it runs. */
  force?: boolean
  /** Its anonymous volumes too. */
  volumes?: boolean
}

/** Removes a container with its own layer and nothing else. Throws CONFLICT while it runs, unless forced. */
export async function removeContainer(
  machinery: Machinery,
  idOrName: string,
  options: RemoveOptions = {},
): Promise<void> {
  const record = await findContainer(machinery, idOrName)
  const seen = await see(machinery, record)
  if (['running', 'paused', 'restarting'].includes(seen.status)) {
    if (!options.force) throw inUse(seen)
    await endNow(machinery, seen)
  }
  const paths = pathsOf(machinery, record.id)
  await using _ = await lockContainer(machinery, record.id)
  try {
    await settle(machinery, record.id)
    const now = await findContainer(machinery, record.id)
    const last = await see(machinery, now)
    if (last.status === 'running' || last.status === 'paused') throw inUse(last)
    // The record last: after a kill in between, the removal can be repeated.
    await removeTree(paths.bundle)
    await forget(machinery, now, { volumes: options.volumes ?? false })
    await machinery.rootfs.releaseUnused()
  } catch (error) {
    // --rm was faster.
    if (!isBaleError(error, 'CONTAINER_NOT_FOUND')) throw error
  }
}

function inUse({ record, status }: SeenContainer): BaleError {
  const [state, advice] = status === 'paused' ? ['paused', 'Unpause and then stop'] : [status, 'Stop']
  return new BaleError(
    'CONFLICT',
    `You cannot remove a ${state} container ${record.id}. ${advice} the container before attempting removal or force remove`,
  )
}

async function endNow(machinery: Machinery, { record, status }: SeenContainer): Promise<void> {
  try {
    if (status === 'restarting') await machinery.records.containers.update(record.id, stopping)
    else await killContainer(machinery, record.id)
  } catch (error) {
    if (!isBaleError(error, 'CONTAINER_NOT_RUNNING') && !isBaleError(error, 'CONTAINER_NOT_FOUND')) throw error
  }
}

function stopping<R extends { document: unknown }>(record: R): R {
  const document = record.document as { state: object }
  return { ...record, document: { ...document, state: { ...document.state, status: 'exited', stopRequested: true } } }
}

/** Removes containers that do not run; returns their IDs and the bytes of their own layers. */
export async function pruneContainers(
  machinery: Machinery,
  filter: (container: SeenContainer) => boolean = () => true,
): Promise<{ ids: string[]; freed: number }> {
  const pruned = { ids: [] as string[], freed: 0 }
  for (const container of await seeAll(machinery)) {
    const { record, status } = container
    if ((status !== 'exited' && status !== 'created') || isAboutToStart(container) || !filter(container)) continue
    const size = await writtenSize(machinery, record.id)
    if (!(await removeUnused(() => removeContainer(machinery, record.id)))) continue
    pruned.ids.push(record.id)
    pruned.freed += size
  }
  return pruned
}

/** `run` has made it and comes to its start: between the two nothing else says that it is in use. */
function isAboutToStart({ status, state }: SeenContainer): boolean {
  return status === 'created' && state.owner !== undefined && isAlive(state.owner)
}

/** Bytes a container has written to its own layer. */
export async function writtenSize(machinery: Machinery, id: string): Promise<number> {
  return treeSize(pathsOf(machinery, id).upper)
}
