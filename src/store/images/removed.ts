import type { StoredImage } from './stored-image.ts'

/** What docker answers when an image is removed, in order. */
export type RemovedRecord = { Untagged: string } | { Deleted: string }

export interface RemoveImageOptions {
  /** Also when a stopped container uses it, or several names point to it (by ID). Never while a container runs. */
  force?: boolean
}

export interface PruneImagesOptions {
  /** All images that no container uses; otherwise only those without a name. */
  all?: boolean
  /** False keeps the image (`until`, `label` filters). */
  filter?: (image: StoredImage) => boolean
}

export interface Removed {
  records: RemovedRecord[]
  /** Bytes of disk that became free. */
  freed: number
}
