import type { Descriptor, Digest, Platform } from '#spec'
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

/** What a text of the user stands for. */
export interface FoundImage {
  image: StoredImage
  /** The index or manifest that was named; the image's own manifest when an ID was given. */
  target: Descriptor
  /** The full name, when it was a name. */
  name?: string
}

export interface Images {
  /** Every image once (by ID), newest first; parts of an index that are no images (attestations) are left out. */
  list(): Promise<StoredImage[]>
  /** By config, manifest or index digest; an index stands for its best part for `platform`. */
  get(digest: Digest, options?: { platform?: Platform }): Promise<StoredImage | undefined>
  /**
   * From what a user typed: full or familiar name (`latest` by default), name@digest, manifest, index or config digest,
   * unique ID prefix. Throws IMAGE_NOT_FOUND in docker's words, AMBIGUOUS_ID, NO_MATCHING_PLATFORM.
   */
  find(text: string, options?: { platform?: Platform }): Promise<FoundImage>
  /** As `find`, the image alone. */
  resolve(text: string, options?: { platform?: Platform }): Promise<StoredImage>
  /** Stores an image made here, whose layers are in the store. Both are raw JSON; the media types are OCI's by default. */
  putImage(image: { config: Uint8Array; manifest: Uint8Array }): Promise<StoredImage>
  /** All names and what they point to, sorted. */
  names(): Promise<{ name: string; descriptor: Descriptor; tagged: number }[]>
  /** Points a full name at a manifest or index of the store; what it pointed to before stays, without this name. */
  setName(name: string, descriptor: Pick<Descriptor, 'digest'>): Promise<void>
  /** True when the name was there. What it pointed to stays. */
  removeName(name: string): Promise<boolean>
  /** Remembers that `repository` (full: `docker.io/library/debian`) holds this manifest or index. */
  addRepoDigest(repository: string, digest: Digest): Promise<void>
  /** docker's rmi: untags first, then deletes what has no name left, with all that nobody else needs. CONFLICT. */
  remove(text: string, options?: RemoveImageOptions): Promise<Removed>
  prune(options?: PruneImagesOptions): Promise<Removed>
}
