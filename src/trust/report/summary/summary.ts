import { bytewise } from '#base'
import { SEVERITIES, type Severity } from '#trust/advisories'
import type { PackageType } from '#trust/inventory'
import type { Finding, ScanResult } from '#trust/match'
import { packageIndex } from './package-index.ts'
import { stepOf } from './step.ts'

/** Severities as people read them: the worst first. */
export const WORST_FIRST: readonly Severity[] = SEVERITIES.toReversed()

/** A number for each severity, the worst first. */
type SeverityCounts = Readonly<Record<Severity, number>>

/** What one layer brought. */
interface LayerSummary {
  /** Its index in the inventory. */
  readonly layer: number
  /** The step that made it, without what all steps begin with; undefined when the image has no history. */
  readonly step: string | undefined
  readonly packages: number
  /** Of its packages, without what is suppressed. */
  readonly findings: SeverityCounts
}

/** The figures of a scan. A finding is a vulnerability of one package, so that one vulnerability may be several findings. */
export interface ScanSummary {
  readonly packages: number
  /** Packages with a finding that counts. */
  readonly vulnerable: number
  /** Different vulnerabilities that count. */
  readonly vulnerabilities: number
  /** Findings that count. */
  readonly findings: SeverityCounts
  readonly suppressed: SeverityCounts
  /** Findings that count and that an update ends. */
  readonly fixable: number
  /** Findings that count and are known to be exploited. */
  readonly exploited: number
  /** Packages that no source has data on, by their type, most of them first. */
  readonly notCovered: readonly { readonly type: PackageType; readonly packages: number }[]
  /** Of all layers, from the bottom up. */
  readonly layers: readonly LayerSummary[]
}

/** The figures that people ask for first. Suppressed findings are counted apart from all others. */
export function summary({ inventory, findings, packages }: ScanResult): ScanSummary {
  const counting = findings.filter(({ suppressed }) => !suppressed)
  const indexOf = packageIndex(inventory)
  const byLayer = Map.groupBy(counting, (finding) => finding.package.layer)
  const packagesByLayer = Map.groupBy(inventory.packages, ({ layer }) => layer)
  return {
    packages: inventory.packages.length,
    vulnerable: new Set(counting.map((finding) => indexOf(finding.package))).size,
    vulnerabilities: new Set(counting.map(({ id }) => id)).size,
    findings: countsOf(counting),
    suppressed: countsOf(findings.filter(({ suppressed }) => suppressed)),
    fixable: counting.filter(({ fixedVersion }) => fixedVersion !== undefined).length,
    exploited: counting.filter(({ advisory }) => advisory.exploited).length,
    notCovered: notCoveredOf(inventory.packages.filter((_one, at) => packages[at] === 'not covered')),
    layers: inventory.layers.map(({ createdBy }, layer) => ({
      layer,
      step: stepOf(createdBy),
      packages: packagesByLayer.get(layer)?.length ?? 0,
      findings: countsOf(byLayer.get(layer) ?? []),
    })),
  }
}

/** Findings that count, one for each vulnerability, with the names of all packages that have it. */
export interface WorstFinding {
  readonly finding: Finding
  readonly packages: readonly string[]
}

/** The vulnerabilities to look at first: by severity, then those that are exploited, or will most likely be. */
export function worstFindings({ findings }: ScanResult, count: number): WorstFinding[] {
  const groups = [
    ...Map.groupBy(
      findings.filter(({ suppressed }) => !suppressed),
      ({ id }) => id,
    ).values(),
  ]
  return groups
    .map((group) => group.toSorted(worstFirst))
    .sort(([one], [other]) => worstFirst(one!, other!))
    .slice(0, count)
    .map((group) => ({ finding: group[0]!, packages: [...new Set(group.map((finding) => finding.package.name))] }))
}

function worstFirst(one: Finding, other: Finding): number {
  return (
    SEVERITIES.indexOf(other.severity) - SEVERITIES.indexOf(one.severity) ||
    Number(other.advisory.exploited ?? false) - Number(one.advisory.exploited ?? false) ||
    (other.advisory.exploitProbability ?? 0) - (one.advisory.exploitProbability ?? 0) ||
    bytewise(one.id, other.id)
  )
}

function countsOf(findings: readonly Finding[]): SeverityCounts {
  const counts = Object.fromEntries(WORST_FIRST.map((severity) => [severity, 0])) as Record<Severity, number>
  for (const { severity } of findings) counts[severity]++
  return counts
}

function notCoveredOf(packages: readonly { type: PackageType }[]) {
  return [...Map.groupBy(packages, ({ type }) => type)]
    .map(([type, those]) => ({ type, packages: those.length }))
    .sort((one, other) => other.packages - one.packages || bytewise(one.type, other.type))
}
