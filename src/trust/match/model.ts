import type { Advisory, Coverage, Severity } from '#trust/advisories'
import type { Inventory, InventoryPackage } from '#trust/inventory'

/** A vulnerability of one package of an image. */
export interface Finding {
  /** The advisory's id; CVE ids are preferred among those that name the same vulnerability. */
  readonly id: string
  readonly aliases: readonly string[]
  readonly package: InventoryPackage
  readonly advisory: Advisory
  readonly severity: Severity
  /** The lowest version with a fix that is above the installed one; undefined when there is none. */
  readonly fixedVersion?: string
  /** Why this finding does not count; it stays visible. */
  readonly suppressed?: Suppression
}

/** Who said that a finding does not count, and why. */
export interface Suppression {
  /** `ignore file`, `VEX`, `exception`. */
  readonly by: string
  readonly reason: string
  /** YYYY-MM-DD: the day from which on it counts again. */
  readonly expires?: string
  readonly author?: string
}

/**
 * What is known of a package. `not covered`: nothing can be said, since no source has data on it, or since no advisory
 * is known to affect it and at least one cannot be compared with its version.
 */
export type PackageStatus = 'vulnerable' | 'none known' | 'not covered'

/** `partial`: some of the image could not be read, or some packages not judged. `failed`: no layer could be read. */
export type ScanStatus = 'complete' | 'partial' | 'failed'

/** What a scan of one image found. */
export interface ScanResult {
  readonly inventory: Inventory
  readonly status: ScanStatus
  /** Why it is not complete: sentences with numbers, such as `2 packages have no advisory data`. */
  readonly reasons: readonly string[]
  /** How many packages of a hundred are covered: 0 to 100, rounded down; undefined for an image without packages. */
  readonly coverage?: number
  /** By the index of the package in the inventory. */
  readonly packages: readonly PackageStatus[]
  /** Worst first, then by package and id. Those that are suppressed are among them. */
  readonly findings: readonly Finding[]
  /** The data that was used. */
  readonly sources: readonly Coverage[]
  /** Of the distribution: its end of life, if known. */
  readonly support?: { readonly endOfLife?: string; readonly ended: boolean; readonly extendedUntil?: string }
  /** `Advisories.version` of the data. */
  readonly advisories: string
}
