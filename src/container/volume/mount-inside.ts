import { closeSync, realpathSync } from 'node:fs'
import { errnoOf } from '#base'
import { bindMountAt, O_PATH, type RootDirectory } from '#host'
import type { ContainerMount } from '../model/index.ts'

const GONE = ['ENOENT', 'ENOTDIR', 'ELOOP']

/**
 * Mounts one of a container's volumes or binds into its root file system while it does not run; it goes with the root file
 * system. A missing source or target is skipped: the next start reports it.
 */
export function mountInside(root: RootDirectory, mount: ContainerMount): void {
  if (mount.type === 'tmpfs') return
  let place: number | undefined
  try {
    const source = realpathSync(mount.source)
    place = root.open(mount.destination, O_PATH)
    bindMountAt(source, place, { readOnly: mount.readOnly })
  } catch (error) {
    if (!GONE.includes(errnoOf(error) ?? '')) throw error
  } finally {
    if (place !== undefined) closeSync(place)
  }
}
