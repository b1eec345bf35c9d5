import { readdirSync } from 'node:fs'
import { openRoot } from '#host'
import { packPath, unpackTar } from '../archive/index.ts'
import type { ContainerMount } from '../model/index.ts'
import type { Machinery } from '../state/index.ts'
import { mountVolume, releaseVolumes } from './volume-mount.ts'

/**
 * Fills an empty volume with what the image has at its mount point, owners, modes and attributes kept, those of the
 * directory itself too. The image's directory is found inside the root file system, so no link of the image leads to the
 * host's files; nothing in the volume is followed, since another container may be writing there by now (R20).
 */
export async function fillVolume(machinery: Machinery, rootfs: string, mount: ContainerMount): Promise<void> {
  using root = openRoot(rootfs)
  if (!isDirectory(root, mount.destination)) return
  await mountVolume(machinery, mount.name!)
  try {
    if (readdirSync(mount.source).length > 0) return
    using volume = openRoot(mount.source, { links: 'refused' })
    await unpackTar(volume, packPath(root, `${mount.destination}/`, 'x'), { directory: '/', ownDirectory: true })
  } finally {
    await releaseVolumes(machinery, [mount])
  }
}

function isDirectory(root: ReturnType<typeof openRoot>, path: string): boolean {
  try {
    return root.statIfThere(path)?.isDirectory() === true
  } catch (error) {
    if ((error as { code?: string }).code === 'ELOOP') return false
    throw error
  }
}
