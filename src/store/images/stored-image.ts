import type { Descriptor, Digest, ImageConfig, ImageManifest, ImageName, Platform, RepoDigest } from '#spec'

/** An image of the store: one manifest with its config. */
export interface StoredImage {
  /** Config digest: the image ID. */
  id: Digest
  /** Of the manifest. */
  descriptor: Descriptor
  manifest: ImageManifest
  config: ImageConfig
  /** The config's raw bytes (unknown members included). */
  rawConfig: Uint8Array
  /** Names that point to it (directly, or to an index that holds it), sorted by their full text. */
  names: ImageName[]
  /** Where it was pulled from or pushed to, sorted by the full text. */
  repoDigests: RepoDigest[]
  /** Milliseconds since 1970 of the last tag, or undefined. */
  lastTagged?: number
  platform: Platform
  /** Bytes of the layers' content, as docker's Size. */
  size: number
}
