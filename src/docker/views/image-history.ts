import type { Digest } from '#spec'
import { unixSeconds } from './go-time.ts'
import type { ImageFacts } from './image-facts.ts'
import { familiarNames } from './image-inspect.ts'

/** One row of docker's `/images/NAME/history`. */
export interface HistoryRow {
  /** The image ID in the newest row, `<missing>` below: what an image was made from is not kept. */
  Id: Digest | '<missing>'
  /** Seconds since 1970; ZERO_TIME_SECONDS when the image does not say. */
  Created: number
  CreatedBy: string
  Tags: string[] | null
  /** Bytes of the step's layer; 0 for a step without one. */
  Size: number
  Comment: string
}

/**
 * The steps that made an image, newest first. `layerSize` gives the content size of a layer in bytes. An image whose
 * history describes more layers than it has keeps those rows, with size 0.
 */
export async function imageHistory(
  image: ImageFacts,
  layerSize: (diffId: Digest) => Promise<number>,
): Promise<HistoryRow[]> {
  const entries = image.config.history ?? []
  const layers = [...image.config.rootfs.diff_ids]
  const sizes: number[] = []
  for (const entry of entries) {
    const layer = entry.empty_layer ? undefined : layers.shift()
    sizes.push(layer === undefined ? 0 : await layerSize(layer))
  }
  const rows = entries.map((entry, index): HistoryRow => {
    const isNewest = index === entries.length - 1
    return {
      Id: isNewest ? image.id : '<missing>',
      Created: unixSeconds(entry.created),
      CreatedBy: entry.created_by ?? '',
      Tags: isNewest && image.names.length > 0 ? familiarNames(image.names) : null,
      Size: sizes[index]!,
      Comment: entry.comment ?? '',
    }
  })
  return rows.reverse()
}
