import type { StoredImage } from './stored-image.ts'

/** One step of a removal: a name as people type it, or the digest of an image or a layer. */
export type RemovalRecord = { untagged: string } | { deleted: string }

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
  records: RemovalRecord[]
  /** Bytes of disk that became free. */
  freed: number
}
