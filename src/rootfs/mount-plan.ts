import { join } from 'node:path'
import { BaleError } from '#base'
import { hexOf } from '#spec'
import type { LayerRecord } from '#store'
import { IMAGE_NAME } from './erofs-format.ts'
import { TREE_NAME } from './extract-format.ts'

/** What has to be mounted, and what the overlay stacks. */
export interface MountPlan {
  /** Layer images and where they are to appear; each once. */
  images: { source: string; target: string }[]
  /** Folders for the overlay, uppermost first; at least two when it is read-only, at least one otherwise. */
  lowers: string[]
}

/** Overlayfs takes 500 lower folders; one is kept for the root's own attributes. */
export const MAX_LAYERS = 499

/** Folder that stands in where an image has too few layers for an overlay. */
export const EMPTY_NAME = 'empty'

/**
 * Plans the mounts of an image. A layer that appears twice counts where it stands higher: all it adds, replaces and hides
 * is decided there, and overlayfs refuses one folder twice.
 */
export function planMounts(layers: readonly LayerRecord[], layersFolder: string, readOnly: boolean): MountPlan {
  const upward = layers.toReversed()
  const unique = upward.filter((layer, index) => upward.findIndex((other) => other.diffId === layer.diffId) === index)
  if (unique.length > MAX_LAYERS)
    throw new BaleError(
      'MOUNT_FAILED',
      `an image of ${unique.length} layers cannot be mounted: the limit is ${MAX_LAYERS}`,
    )
  const images: MountPlan['images'] = []
  const lowers = unique.map((layer) => {
    if (layer.format === 'extract') return join(layer.folder, TREE_NAME)
    const target = join(layersFolder, layerMountName(layer))
    images.push({ source: join(layer.folder, IMAGE_NAME), target })
    return target
  })
  if (lowers.length === 0) lowers.push(join(layersFolder, EMPTY_NAME))
  if (lowers.length === 1 && readOnly) lowers.push(join(layersFolder, `${EMPTY_NAME}-2`))
  return { images, lowers }
}

/** Short, since the kernel without `lowerdir+` wants all names on one page: 500 of these fit. */
export function layerMountName(layer: Pick<LayerRecord, 'diffId'>): string {
  return hexOf(layer.diffId).slice(0, 16)
}
