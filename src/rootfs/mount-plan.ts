import { join } from 'node:path'
import { BaleError } from '#base'
import { hexOf } from '#spec'
import type { LayerRecord } from '#store'
import { IMAGE_NAME, TREE_NAME } from './layer-files.ts'

/** What has to be mounted, and what the overlay stacks. */
interface MountPlan {
  /** Layer images and where they are to appear; each once. */
  images: { source: string; target: string }[]
  /** Directories for the overlay, uppermost first. */
  lowers: string[]
}

/** Overlayfs takes 500 lower directories; one is kept for the root's own attributes. */
const MAX_LAYERS = 499

/**
 * Plans the mounts of an image. A layer that appears twice counts at its upper position: all it adds, replaces and hides
 * is decided there, and overlayfs refuses one directory twice.
 *
 * `fileNumber` identifies the file that a path names now (its inode number): a layer that was damaged and written again is another
 * file, and must not share the mount of the old one.
 */
export function planMounts(
  layers: readonly LayerRecord[],
  layersDirectory: string,
  fileNumber: (path: string) => number,
): MountPlan {
  const upward = layers.toReversed()
  const unique = upward.filter((layer, index) => upward.findIndex((other) => other.diffId === layer.diffId) === index)
  if (unique.length > MAX_LAYERS)
    throw new BaleError(
      'MOUNT_FAILED',
      `an image of ${unique.length} layers cannot be mounted: the limit is ${MAX_LAYERS}`,
    )
  const images: MountPlan['images'] = []
  const lowers = unique.map((layer) => {
    if (layer.format === 'extract') return join(layer.directory, TREE_NAME)
    const source = join(layer.directory, IMAGE_NAME)
    // Short, since the kernel without `lowerdir+` wants all names on one page.
    const name = `${hexOf(layer.diffId).slice(0, 12)}-${fileNumber(source).toString(36)}`
    const target = join(layersDirectory, name)
    images.push({ source, target })
    return target
  })
  return { images, lowers }
}

/** An overlay needs one lower directory, and two if read-only: empty ones fill in. */
export function enoughLowers(lowers: readonly string[], layersDirectory: string, readOnly: boolean): string[] {
  const missing = ['empty-1', 'empty-2'].slice(lowers.length, readOnly ? 2 : 1)
  return [...lowers, ...missing.map((name) => join(layersDirectory, name))]
}
