/** A line of an ignore file: findings that do not count, and why. */
export interface IgnoreEntry {
  /** `CVE-2024-3094`, or another name of the vulnerability. */
  readonly id: string
  /** Pattern of a package's name or its source's, or of its package URL if it begins with `pkg:`. All packages without it. */
  readonly package?: string
  readonly reason: string
  /** YYYY-MM-DD: the day from which on the findings count again. */
  readonly expires?: string
  readonly author?: string
  /** Where it stands: `ignore.yaml:3`. */
  readonly place: string
}
