import type { Digest } from '#spec'
import type { Coverage } from '../../advisory.ts'

/** Where a part of a bundle came from. */
export interface SourceInfo {
  /** `osv`, `debian-tracker`, `kev`. */
  readonly kind: string
  /** URL or path. */
  readonly address: string
  readonly licence?: string
  /** When the data was taken, RFC 3339. */
  readonly asOf: string
  /** Records that were read. */
  readonly records: number
  /** Malformed ones, which were left out. */
  readonly skipped: number
  /** In words: that it is an old copy, and why. */
  readonly remark?: string
}

/** What a bundle says of itself. */
export interface BundleInfo {
  readonly schema: number
  /** RFC 3339. */
  readonly created: string
  /** Digest of the content: `Advisories.version`. */
  readonly version: Digest
  readonly advisories: number
  readonly sources: readonly SourceInfo[]
  readonly coverage: readonly Coverage[]
}
