import type { Models } from '@cyclonedx/cyclonedx-library'
import { SEVERITIES, type Severity } from '#trust/advisories'
import type { Finding, ScanResult, Suppression } from '#trust/match'
import { type Bill, billOf, type JsonDocument, type SbomOptions } from '#trust/sbom'
import { packageIndex } from './summary/index.ts'
import { webAddress } from './web-address.ts'

/**
 * A scan as CycloneDX 1.6: the bill of materials of the image with the vulnerabilities of its packages. What is suppressed has an
 * analysis; where that is true of only some packages, the vulnerability is listed once with and once without.
 */
export async function cycloneDxWithVulnerabilities(result: ScanResult, options: SbomOptions): Promise<JsonDocument> {
  const { inventory, findings, advisories } = result
  const marks = findings.map(({ id, suppressed }) => [id, suppressed])
  const bill = await billOf(inventory, options, ['vulnerabilities', advisories, JSON.stringify(marks)])
  const indexOf = packageIndex(inventory)
  const refOf = (finding: Finding) => bill.refs[indexOf(finding.package) ?? -1]
  const { Property } = bill.library.Models
  for (const [name, value] of scanProperties(result)) bill.bom.metadata.properties.add(new Property(name, value))
  const groups = Map.groupBy(findings, ({ id, suppressed }) => JSON.stringify([id, suppressed]))
  for (const group of groups.values()) bill.bom.vulnerabilities.add(vulnerabilityOf(group, refOf, bill))
  return bill.library.write(bill.bom)
}

type Properties = [name: string, value: string][]

function scanProperties({ status, coverage, reasons, advisories }: ScanResult): Properties {
  return [
    ['bale:scan:status', status],
    ...(coverage === undefined ? [] : ([['bale:scan:coverage', String(coverage)]] satisfies Properties)),
    ...reasons.map((reason): Properties[number] => ['bale:scan:reason', reason]),
    ['bale:scan:advisories', advisories],
  ]
}

/** All findings are of one vulnerability, and all or none are suppressed. */
function vulnerabilityOf(
  findings: readonly Finding[],
  refOf: (finding: Finding) => Models.BomRef | undefined,
  { library }: Bill,
): Models.Vulnerability.Vulnerability {
  const { Vulnerability, Property, PropertyRepository } = library.Models
  const { id, aliases, advisory, suppressed } = findings[0]!
  const url = webAddress(advisory.url)
  return new Vulnerability.Vulnerability({
    id,
    source: new Vulnerability.Source({ name: advisory.source, url }),
    references: new Vulnerability.ReferenceRepository(
      aliases.map(
        (alias) => new Vulnerability.Reference(alias, new Vulnerability.Source({ name: publisherOf(alias) })),
      ),
    ),
    ratings: ratingsOf(findings, library),
    description: advisory.summary,
    recommendation: recommendationOf(findings),
    advisories: new Vulnerability.AdvisoryRepository(url === undefined ? [] : [new Vulnerability.Advisory(url)]),
    published: dateOf(advisory.published),
    updated: dateOf(advisory.modified),
    analysis: suppressed && analysisOf(suppressed, library),
    affects: affectsOf(findings, refOf, library),
    properties: new PropertyRepository(propertiesOf(advisory).map(([name, value]) => new Property(name, value))),
  })
}

function affectsOf(
  findings: readonly Finding[],
  refOf: (finding: Finding) => Models.BomRef | undefined,
  { Models, Enums }: Bill['library'],
) {
  const { Affect, AffectRepository, AffectedSingleVersion, AffectedVersionRepository } = Models.Vulnerability
  const status = Enums.Vulnerability.AffectStatus.Affected
  const affected = new Map(findings.map((finding) => [refOf(finding), finding]))
  affected.delete(undefined)
  const affects = [...affected].map(([ref, { package: found, suppressed }]) => {
    const versions = suppressed ? [] : [new AffectedSingleVersion(found.version, { status })]
    return new Affect(ref!, { versions: new AffectedVersionRepository(versions) })
  })
  return new AffectRepository(affects)
}

/** What the severity is called there; there is nothing below low but remarks. */
function severityOf(severity: Severity, { Enums }: Bill['library']) {
  const { Severity } = Enums.Vulnerability
  return {
    critical: Severity.Critical,
    high: Severity.High,
    medium: Severity.Medium,
    low: Severity.Low,
    negligible: Severity.Info,
    unknown: Severity.Unknown,
  }[severity]
}

/** Different ratings, the worst first: one vulnerability may be worse in one package than in another. */
function ratingsOf(findings: readonly Finding[], library: Bill['library']) {
  const { Rating, RatingRepository, Source } = library.Models.Vulnerability
  const ranked = findings.toSorted(
    (one, other) => SEVERITIES.indexOf(other.severity) - SEVERITIES.indexOf(one.severity),
  )
  const ratings = new Map(
    ranked.map(({ severity, advisory: { severity: rated } }) => {
      const score = rated?.score !== undefined && Number.isFinite(rated.score) ? rated.score : undefined
      const rating = new Rating({
        source: rated && new Source({ name: rated.by }),
        score,
        severity: severityOf(severity, library),
        method: methodOf(rated?.vector, library),
        vector: rated?.vector,
      })
      return [JSON.stringify([severity, rated?.by, score, rated?.vector]), rating]
    }),
  )
  return new RatingRepository(ratings.values())
}

function methodOf(vector: string | undefined, { Enums }: Bill['library']) {
  const { RatingMethod } = Enums.Vulnerability
  if (vector === undefined) return undefined
  if (vector.startsWith('CVSS:4.0/')) return RatingMethod.CVSSv4
  if (vector.startsWith('CVSS:3.1/')) return RatingMethod.CVSSv31
  if (vector.startsWith('CVSS:3.0/')) return RatingMethod.CVSSv3
  return vector.startsWith('AV:') ? RatingMethod.CVSSv2 : RatingMethod.Other
}

function recommendationOf(findings: readonly Finding[]): string | undefined {
  const updates = findings.flatMap(({ package: { name }, fixedVersion }) =>
    fixedVersion === undefined ? [] : [`update ${name} to ${fixedVersion}`],
  )
  return updates.length === 0 ? undefined : [...new Set(updates)].join('; ')
}

/** An ignore file says that a finding does not count, which is no statement on whether it can be exploited. */
function analysisOf({ by, reason, author }: Suppression, { Models, Enums }: Bill['library']) {
  const { AnalysisState, AnalysisResponse, AnalysisResponseRepository } = Enums.Vulnerability
  const { Analysis } = Models.Vulnerability
  const detail = author === undefined ? reason : `${reason} (${author})`
  if (by !== 'VEX')
    return new Analysis({ detail, response: new AnalysisResponseRepository([AnalysisResponse.WillNotFix]) })
  const isFixed = reason === 'fixed' || reason.startsWith('fixed:')
  return new Analysis({ detail, state: isFixed ? AnalysisState.Resolved : AnalysisState.NotAffected })
}

function propertiesOf({ exploited, exploitProbability, remark }: Finding['advisory']): Properties {
  return [
    ...(exploited ? ([['bale:exploited', 'true']] satisfies Properties) : []),
    ...(exploitProbability === undefined
      ? []
      : ([['bale:exploit-probability', String(exploitProbability)]] satisfies Properties)),
    ...(remark === undefined ? [] : ([['bale:remark', remark]] satisfies Properties)),
  ]
}

/** Who gives out ids that begin so. The format wants a publisher for each id. */
function publisherOf(id: string): string {
  return PUBLISHERS.find(([start]) => id.startsWith(start))?.[1] ?? 'unknown'
}

const PUBLISHERS: readonly (readonly [start: string, publisher: string])[] = [
  ['CVE-', 'CVE'],
  ['GHSA-', 'GitHub'],
  ['GO-', 'Go'],
  ['PYSEC-', 'PyPA'],
  ['RUSTSEC-', 'RustSec'],
  ['DSA-', 'Debian'],
  ['DLA-', 'Debian'],
  ['RHSA-', 'Red Hat'],
  ['USN-', 'Ubuntu'],
]

/** Undefined for a text from outside that is no date of four digits' years. */
function dateOf(text: string | undefined): Date | undefined {
  const date = new Date(text ?? Number.NaN)
  const year = date.getUTCFullYear()
  return year >= 0 && year <= 9999 ? date : undefined
}
