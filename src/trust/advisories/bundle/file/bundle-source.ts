import type { Advisory, Coverage } from '../../advisory.ts'
import type { SourceInfo } from './bundle-info.ts'

/** A source whose advisories go into a bundle. */
export interface BundleSource extends Pick<SourceInfo, 'kind' | 'address' | 'licence' | 'asOf' | 'remark'> {
  readonly advisories: AsyncIterable<Advisory> | Iterable<Advisory>
  /** Whether the source knows all vulnerabilities of an ecosystem or only those with a fix. */
  knows(ecosystem: string): Coverage['knows']
  /** What became of its records; read when `advisories` has ended. Told of advisories that are too large for a bundle. */
  readonly tally?: { readonly records: number; readonly skipped: number; skip(what: string, reason: unknown): void }
}

/** Facts on vulnerabilities that go to all advisories of them, by CVE id. */
export interface Overlays {
  readonly exploited?: { has(id: string): boolean }
  readonly probabilities?: { get(id: string): number | undefined }
  /** Where they are from. */
  readonly sources?: readonly SourceInfo[]
}
