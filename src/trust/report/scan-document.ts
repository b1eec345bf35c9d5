import type { Coverage, FixState, Severity } from '#trust/advisories'
import type { Gap, InventoryLayer, InventoryPackage, OperatingSystem } from '#trust/inventory'
import type { Finding, PackageStatus, ScanResult, ScanStatus, Suppression } from '#trust/match'
import { jsonDocument } from '#trust/sbom'
import { purlsIn } from './purls-in.ts'
import { packageIndex, type ScanSummary } from './summary/index.ts'

/**
 * bale's own JSON of a scan. Members are only added within a version of the schema; one that has no value is missing. The same
 * result gives the same document, with its members in this order.
 */
interface ScanDocument {
  readonly schemaVersion: 1
  readonly image: {
    /** What the image is called where it was scanned. */
    readonly name: string
    /** Digest of the manifest. */
    readonly manifest: string
    readonly system?: OperatingSystem
    /** From the bottom up. */
    readonly layers: readonly InventoryLayer[]
  }
  /** `complete`, `partial` or `failed`: only of a complete scan it means something that nothing was found. */
  readonly status: ScanStatus
  /** Why it is not complete, in words. */
  readonly reasons: readonly string[]
  /** Packages with data per hundred packages, 0 to 100; missing for an image without packages. */
  readonly coverage?: number
  readonly summary: ScanSummary
  /** Of the distribution; dates are YYYY-MM-DD. */
  readonly support?: { readonly endOfLife?: string; readonly ended: boolean; readonly extendedUntil?: string }
  readonly advisories: {
    /** Of all the data. */
    readonly version: string
    readonly sources: readonly Coverage[]
  }
  /** The worst first. */
  readonly findings: readonly FindingDocument[]
  /** All packages, sorted by type, name, version and path. */
  readonly packages: readonly PackageDocument[]
  /** What of the image could not be looked at. */
  readonly gaps: readonly Gap[]
}

/** A package of a scan's document. */
interface PackageDocument extends InventoryPackage {
  /** Missing where it can have none. */
  readonly purl?: string
  /** `vulnerable`, `none known` or `not covered`. */
  readonly status: PackageStatus
}

/** A finding of a scan's document. */
interface FindingDocument {
  readonly id: string
  /** Other ids of the same vulnerability. */
  readonly aliases: readonly string[]
  readonly severity: Severity
  /** Who rated it, and how; missing if nobody did. */
  readonly rating?: { readonly level: Severity; readonly by: string; readonly score?: number; readonly vector?: string }
  readonly package: {
    /** In `packages`. */
    readonly index?: number
    readonly purl?: string
    readonly type: string
    readonly name: string
    readonly version: string
    /** The file that proves the package. */
    readonly path: string
  }
  /** In `image.layers`: which one brought the package. */
  readonly layer: number
  readonly state: FixState
  /** The lowest version with a fix that is above the installed one. */
  readonly fixedVersion?: string
  /** Known to be exploited. */
  readonly exploited: boolean
  /** That it is exploited within 30 days, 0 to 1. */
  readonly exploitProbability?: number
  readonly summary?: string
  readonly url?: string
  /** RFC 3339. */
  readonly published?: string
  readonly modified?: string
  /** Where it is known from, and the ecosystem there. */
  readonly source: string
  readonly ecosystem: string
  /** How sure the match is, if less than certain. */
  readonly remark?: string
  /** Why it does not count. */
  readonly suppressed?: Suppression
}

/** A scan as JSON; `name` is what the image is called, `summary` the figures of the result. */
export function scanDocument(
  result: ScanResult,
  { name, summary }: { name: string; summary: ScanSummary },
): ScanDocument {
  const { inventory } = result
  const indexOf = packageIndex(inventory)
  const purlOf = purlsIn(inventory)
  const document: ScanDocument = {
    schemaVersion: 1,
    image: {
      name,
      manifest: inventory.manifest,
      system: inventory.system && inOrder(inventory.system, ['id', 'version', 'codename', 'name', 'like']),
      layers: inventory.layers.map((layer) => inOrder(layer, ['digest', 'diffId', 'createdBy'])),
    },
    status: result.status,
    reasons: result.reasons,
    coverage: result.coverage,
    summary,
    support: result.support && inOrder(result.support, ['endOfLife', 'ended', 'extendedUntil']),
    advisories: {
      version: result.advisories,
      sources: result.sources.map((source) =>
        inOrder(source, ['ecosystem', 'source', 'knows', 'asOf', 'advisories', 'remark']),
      ),
    },
    findings: result.findings.map((one) => findingDocument(one, indexOf(one.package), purlOf(one.package))),
    packages: inventory.packages.map((one, at) => ({
      purl: purlOf(one),
      status: result.packages[at] ?? 'not covered',
      ...inOrder(one, PACKAGE),
      source: one.source && inOrder(one.source, ['name', 'version']),
    })),
    gaps: inventory.gaps.map((gap) => inOrder(gap, ['where', 'reason'])),
  }
  return jsonDocument(document) as unknown as ScanDocument
}

const PACKAGE = [
  'type',
  'name',
  'version',
  'architecture',
  'source',
  'licences',
  'vendor',
  'modularity',
  'path',
  'layer',
] as const

/** The same members in this order, whoever made the object, and no others. */
function inOrder<T extends object, K extends keyof T>(value: T, names: readonly K[]): Pick<T, K> {
  return Object.fromEntries(names.map((name) => [name, value[name]])) as Pick<T, K>
}

function findingDocument(finding: Finding, index: number | undefined, purl: string | undefined) {
  const { id, aliases, severity, advisory, fixedVersion, suppressed } = finding
  const { type, name, version, path, layer } = finding.package
  return {
    id,
    aliases,
    severity,
    rating: advisory.severity && inOrder(advisory.severity, ['level', 'by', 'score', 'vector']),
    package: { index, purl, type, name, version, path },
    layer,
    state: advisory.state,
    fixedVersion,
    exploited: advisory.exploited ?? false,
    exploitProbability: advisory.exploitProbability,
    summary: advisory.summary,
    url: advisory.url,
    published: advisory.published,
    modified: advisory.modified,
    source: advisory.source,
    ecosystem: advisory.ecosystem,
    remark: advisory.remark,
    suppressed: suppressed && inOrder(suppressed, ['by', 'reason', 'expires', 'author']),
  }
}
