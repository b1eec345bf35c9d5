/**
 * How bad a vulnerability is, as its source says or as its CVSS score means. `negligible` is what distributions call
 * unimportant; `unknown`: nobody rated it.
 */
export const SEVERITIES = ['unknown', 'negligible', 'low', 'medium', 'high', 'critical'] as const
export type Severity = (typeof SEVERITIES)[number]

/** What the maintainers of an affected package say of a fix. */
export type FixState = 'fixed' | 'not fixed' | 'will not fix' | 'deferred' | 'under investigation'

/** Where an ecosystem's vulnerable versions lie. Source: OSV schema 1.7, affected[].ranges[].events. */
export interface VersionRange {
  readonly events: readonly RangeEvent[]
}

/**
 * One of: versions from here on are affected; from here on they no longer are; up to and including this one they are; from here on
 * nothing is known.
 */
export type RangeEvent =
  | { readonly introduced: string }
  | { readonly fixed: string }
  | { readonly lastAffected: string }
  | { readonly limit: string }

/** What an advisory says of one package of one ecosystem. */
export interface Advisory {
  /** `CVE-2024-3094`, `GHSA-…`, `DSA-…`, or what the source calls it. */
  readonly id: string
  /** Other ids of the same vulnerability. */
  readonly aliases: readonly string[]
  /** As the OSV schema names it: `Debian:12`, `Alpine:v3.19`, `npm`, `Go`, `Red Hat:enterprise_linux:9`. */
  readonly ecosystem: string
  /** The package in its ecosystem; for distributions the source package. */
  readonly name: string
  readonly ranges: readonly VersionRange[]
  /** Versions affected one by one, besides the ranges. */
  readonly versions?: readonly string[]
  readonly state: FixState
  /** Undefined: not rated. */
  readonly severity?: {
    readonly level: Severity
    readonly by: string
    readonly score?: number
    readonly vector?: string
  }
  readonly summary?: string
  readonly url?: string
  /** RFC 3339. */
  readonly published?: string
  readonly modified?: string
  /** Name of the source that it came from: `osv`, `debian-tracker`, `debian-index`. */
  readonly source: string
  /** Known to be exploited, by the list of CISA. */
  readonly exploited?: boolean
  /** Probability of being exploited within 30 days, 0 to 1. Source: EPSS of FIRST. */
  readonly exploitProbability?: number
  /** How sure the match of id and package is, if less than certain, in words. */
  readonly remark?: string
}

/** What is known of an ecosystem: without this a package is not covered, and that none is listed says nothing. */
export interface Coverage {
  readonly ecosystem: string
  readonly source: string
  /** `all`: vulnerabilities with and without a fix. `fixed`: only those that an update fixes. */
  readonly knows: 'all' | 'fixed'
  /** When the data was taken, RFC 3339. */
  readonly asOf: string
  /** Number of advisories. */
  readonly advisories: number
  /** Parts of the ecosystem that are not covered, in words. */
  readonly remark?: string
}

/** When a release of a distribution ends. Dates are YYYY-MM-DD. */
export interface SupportStatus {
  readonly ecosystem: string
  readonly endOfLife?: string
  /** By others than the distribution, or for money. */
  readonly extendedUntil?: string
  /** Source packages without (full) security support, with the reason. */
  readonly unsupported?: ReadonlyMap<string, string>
}

/** Advisories that can be asked, whatever they are kept in. All of it is at hand: asking does not wait. */
export interface Advisories {
  coverage(ecosystem: string): readonly Coverage[]
  find(ecosystem: string, name: string): readonly Advisory[]
  support(ecosystem: string): SupportStatus | undefined
  /** True when the distribution does not have the package at all: it came from elsewhere, so nothing is known of it. */
  isForeign?(ecosystem: string, name: string): boolean
  /** Version of all the data: the same version gives the same answers. */
  readonly version: string
}
