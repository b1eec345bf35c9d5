import type { Descriptor, Digest, ImageConfig, ImageManifest, Platform } from '#spec'

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
  /** Full names that point to it (directly, or to an index that holds it), sorted. */
  names: string[]
  /** `docker.io/library/x@sha256:…` under which it was pulled or pushed, sorted. */
  repoDigests: string[]
  /** Milliseconds since 1970 of the last tag, or undefined. */
  lastTagged?: number
  platform: Platform
  /** Bytes of the layers' content, as docker's Size. */
  size: number
}
