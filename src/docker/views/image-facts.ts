import type { Digest, ImageConfig, ImageName, RepoDigest } from '#spec'

/** What docker's views of an image are made of; the store's images are such. */
export interface ImageFacts {
  /** Digest of the config. */
  id: Digest
  config: ImageConfig
  /** The config's bytes: docker shows members that only its own documents have. */
  rawConfig: Uint8Array
  /** With tags. */
  names: readonly ImageName[]
  repoDigests: readonly RepoDigest[]
  /** Milliseconds since 1970 of the last tag. */
  lastTagged?: number
  /** Bytes of the layers' content. */
  size: number
}
