/** In which format a source writes. */
type PlaceKind = 'osv' | 'debian-tracker' | 'alpine-secdb' | 'redhat-vex' | 'rubysec' | 'kev' | 'epss'

/** A source of advisories, or of facts on vulnerabilities (`kev`, `epss`). */
export interface AdvisoryPlace {
  readonly kind: PlaceKind
  /** http(s) URL, or the path of a file; for `osv`, `redhat-vex` and `rubysec` also of a folder, and archives of records. */
  readonly address: string
  /** SPDX expression. */
  readonly licence?: string
  /**
   * `osv`: only advisories of this ecosystem count, `Debian` for all its releases. Without it all ecosystems in the source count as
   * covered, so it belongs to an export of one ecosystem: its records are also about a few packages of others.
   * `alpine-secdb`: what the packages are of, where the document does not say it (`Wolfi`).
   */
  readonly ecosystem?: string
}
