import type { Digest } from '#spec'

/** What was copied, or would be. */
export interface Promoted {
  digest: Digest
  /** False when the target had all of it already. */
  changed: boolean
  /** Manifests of the image, with those of its platforms and referrers. */
  manifests: number
  /** What it added to the target. */
  bytes: number
}

export interface PromotionMeta {
  /** Digests of all manifests that `promoteImage` would copy. Undefined when the source is not there, MANIFEST_NOT_FOUND when something of it is not. */
  promotedManifests(
    source: { repository: string; digest: Digest },
    options: { referrers: boolean },
  ): Promise<Digest[] | undefined>
  /**
   * Copies an image with all that is in it, by rows alone, and points a tag of the target to it, as one push would: TAG_IMMUTABLE,
   * POLICY_VIOLATED and QUOTA_EXCEEDED as for that. All of it or nothing; nothing with `dryRun`. With `referrers` what
   * refers to it comes along, also by tags such as `sha256-….sig`. Undefined when the source is not there,
   * MANIFEST_NOT_FOUND when something of it is not.
   */
  promoteImage(
    source: { repository: string; tag: string } | { repository: string; digest: Digest },
    target: { repository: string; tag?: string },
    options: { lease: number; referrers?: boolean; dryRun?: boolean },
  ): Promise<Promoted | undefined>
}
