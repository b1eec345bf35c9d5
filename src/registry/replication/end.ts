import type { ImageSource, ImageTarget, RawManifest } from '#image'
import type { Descriptor, Digest } from '#spec'

/** How a replication goes on. */
export interface Going {
  signal: AbortSignal
  /** Grows with what moves. */
  moved: { bytes: number; blobs: number }
}

/** A repository at one end of a replication: of this registry, or of another one. */
export interface End {
  readonly source: ImageSource
  readonly target: ImageTarget
  /** What a tag points to; undefined when there is no such tag, or the registry does not say: `resolve` tells. */
  current(tag: string): Promise<Digest | undefined>
  /** Undefined when there is no such thing. */
  resolve(reference: string): Promise<RawManifest | undefined>
  /**
   * Throws when it is not certain that a tag is gone: a registry that does not show a repository shows that it has nothing.
   * MANIFEST_NOT_FOUND then.
   */
  checkGone(tag: string): Promise<void>
  /** What refers to a manifest. */
  referrers(digest: Digest): Promise<Descriptor[]>
  /** Tags under which clients that know no referrers keep them: `sha256-….sig`. */
  referrerTags(digest: Digest): Promise<string[]>
  /** Has those who ask for what refers to a manifest find these, where the end does not by itself. */
  listReferrers(digest: Digest, referrers: readonly Descriptor[]): Promise<void>
  /** False when there was none. */
  deleteTag(tag: string): Promise<boolean>
}
