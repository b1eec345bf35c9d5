import { existsSync } from 'node:fs'
import { join, posix } from 'node:path'
import { errnoOf } from '#base'
import { isAlive, openRoot, type RootDirectory } from '#host'
import { mountContainer } from '../manager/index.ts'
import type { Container, ContainerMount } from '../model/index.ts'
import { type Machinery, mustBeVisible, pathsOf, seeContainer } from '../state/index.ts'
import { mountInside, mountVolume, releaseVolumes } from '../volume/index.ts'

/** A container's files as its processes see them, all mounts in place. */
export interface ContainerFiles extends AsyncDisposable {
  record: Container
  root: RootDirectory
  /** The root filesystem was requested read-only; this does not cover volumes. */
  readOnlyRoot: boolean
}

/**
 * For a running container that is its own root. For one that does not run, its layers with its volumes and binds are
 * mounted for as long as this is held; its lock is held as well, so nobody starts it meanwhile. A tmpfs is empty at each
 * start: below its mount point a stopped container shows the files of its layers.
 */
export async function openFiles(machinery: Machinery, idOrName: string): Promise<ContainerFiles> {
  const seen = await seeContainer(machinery, idOrName)
  if (seen.status === 'running' || seen.status === 'paused') {
    const { process } = mustBeVisible(seen).state
    const root = rootOf(process!.pid)
    // The pid may have been reused between the check and the opening.
    if (root && isAlive(process!))
      return {
        record: seen.record,
        root,
        readOnlyRoot: false,
        [Symbol.asyncDispose]: async () => root[Symbol.dispose](),
      }
    root?.[Symbol.dispose]()
    for (let turn = 0; turn < 200 && isAlive(process!); turn++) await machinery.clock.sleep(5)
  }
  return stoppedFiles(machinery, idOrName)
}

/** Undefined for a process that is ending: it has no root any more, a moment before it stops looking alive. */
function rootOf(pid: number): RootDirectory | undefined {
  try {
    return openRoot(`/proc/${pid}/root`)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' && errnoOf(error) !== 'ESRCH') throw error
    return undefined
  }
}

async function stoppedFiles(machinery: Machinery, idOrName: string): Promise<ContainerFiles> {
  const stack = new AsyncDisposableStack()
  try {
    // Undone last: they are mounted inside the root file system.
    let mounts: readonly ContainerMount[] = []
    stack.defer(() => releaseVolumes(machinery, mounts))
    const mounted = stack.use(await mountContainer(machinery, idOrName))
    const { record } = mounted.seen
    const root = stack.use(openRoot(mounted.path))
    mounts = record.document.mounts
    for (const { type, name } of mounts) if (type === 'volume') await mountVolume(machinery, name!)
    for (const mount of [...etcMounts(pathsOf(machinery, record.id).directory), ...mounts]) mountInside(root, mount)
    return {
      record,
      root,
      readOnlyRoot: record.document.host.readOnly ?? false,
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

/** The files of /etc that the last start wrote. */
function etcMounts(directory: string): ContainerMount[] {
  return ['resolv.conf', 'hostname', 'hosts']
    .map((name) => ({ source: join(directory, name), destination: posix.join('/etc', name) }))
    .filter(({ source }) => existsSync(source))
    .map((mount) => ({ ...mount, type: 'bind', readOnly: false, propagation: '', anonymous: false, options: [] }))
}
