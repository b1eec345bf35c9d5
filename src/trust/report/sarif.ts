import { printable } from '#base'
import { digestOf } from '#blob'
import { hexOf } from '#spec'
import type { Severity } from '#trust/advisories'
import type { Inventory } from '#trust/inventory'
import type { Finding, ScanResult } from '#trust/match'
import { type JsonDocument, jsonDocument } from '#trust/sbom'
import { purlsIn } from './purls-in.ts'
import { securitySeverity } from './security-severity.ts'
import { stepOf, WORST_FIRST } from './summary/index.ts'
import { webAddress } from './web-address.ts'

/** What a report says besides the result. */
export interface ReportOptions {
  /** What the image is called. */
  readonly name: string
  /** Of bale: `0.1.0`. */
  readonly version?: string
}

/**
 * A scan as SARIF 2.1.0, for code hosts: a rule for each vulnerability, a result for each finding. The artifact of a result is the
 * file that proves the package, below the name of the image. Source: OASIS SARIF 2.1.0, errata 01; `security-severity` is GitHub's.
 */
export function sarif(result: ScanResult, { name, version }: ReportOptions): JsonDocument {
  const byId = Map.groupBy(result.findings, ({ id }) => id)
  const ruleIndexes = new Map([...byId.keys()].map((id, index) => [id, index]))
  const { inventory, status, coverage } = result
  const purlOf = purlsIn(inventory)
  return jsonDocument({
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'bale', semanticVersion: version, rules: [...byId.values()].map(ruleOf) } },
        automationDetails: { id: `bale/${encodeName(name)}/` },
        columnKind: 'utf16CodeUnits',
        invocations: [
          { executionSuccessful: status !== 'failed', toolExecutionNotifications: notificationsOf(result) },
        ],
        properties: { image: name, manifest: inventory.manifest, status, coverage, advisories: result.advisories },
        results: result.findings.map((finding) => ({
          ruleId: finding.id,
          ruleIndex: ruleIndexes.get(finding.id),
          ...resultOf(finding, purlOf(finding.package), inventory, name),
        })),
      },
    ],
  })
}

const LEVELS: Readonly<Record<Severity, 'error' | 'warning' | 'note'>> = {
  critical: 'error',
  high: 'error',
  medium: 'warning',
  low: 'note',
  negligible: 'note',
  unknown: 'warning',
}

/** A rule has the worst severity that its vulnerability has in any package. */
function ruleOf(findings: readonly Finding[]) {
  const worst = WORST_FIRST.map((severity) => findings.find((one) => one.severity === severity)).find((one) => one)!
  const { id, advisory, severity } = worst
  const summary = plain(advisory.summary ?? `Vulnerability ${id}`)
  const url = webAddress(advisory.url)
  return {
    id,
    name: 'VulnerablePackage',
    shortDescription: { text: summary },
    fullDescription: { text: summary },
    help: { text: [summary, ...(url === undefined ? [] : [url])].join('\n') },
    helpUri: url,
    defaultConfiguration: { level: LEVELS[severity] },
    properties: {
      'security-severity': securitySeverity(worst),
      severity,
      tags: ['security', 'vulnerability', ...(findings.some((one) => one.advisory.exploited) ? ['exploited'] : [])],
    },
  }
}

function resultOf(finding: Finding, purl: string | undefined, inventory: Inventory, name: string) {
  const { package: found, severity, suppressed } = finding
  return {
    level: LEVELS[severity],
    message: { text: messageOf(finding, inventory) },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: `${encodeName(name)}/${encodeName(found.path)}` },
          // Code hosts show nothing without a line; the file is no text of lines.
          region: { startLine: 1 },
        },
        logicalLocations: [{ name: found.name, fullyQualifiedName: purl ?? found.name, kind: 'package' }],
      },
    ],
    partialFingerprints: { 'vulnerabilityOfPackage/v1': fingerprintOf(finding) },
    // The standard wants the member in all results or in none.
    suppressions: suppressed
      ? [{ kind: 'external', status: 'accepted', justification: justificationOf(suppressed) }]
      : [],
    properties: {
      severity,
      package: purl,
      layer: inventory.layers[found.layer]?.digest,
      fixedVersion: finding.fixedVersion,
      exploited: finding.advisory.exploited,
    },
  }
}

function messageOf({ id, package: found, fixedVersion, advisory }: Finding, { layers }: Inventory): string {
  const layer = layers[found.layer]
  const step = stepOf(layer?.createdBy)
  const fix = fixedVersion === undefined ? `there is no fix (${advisory.state})` : `fixed in ${plain(fixedVersion)}`
  const brought = layer ? [`Brought by layer ${found.layer + 1}${step === undefined ? '' : `: ${plain(step)}`}`] : []
  return [`${plain(found.name)} ${plain(found.version)} has ${plain(id)}; ${fix}`, ...brought].join('\n')
}

/** The same for the next image made from the same package, so that a code host knows it again. */
function fingerprintOf({ id, package: { type, name, version, path } }: Finding): string {
  return hexOf(digestOf(JSON.stringify([id, type, name, version, path])))
}

function justificationOf({ by, reason, author, expires }: NonNullable<Finding['suppressed']>): string {
  const who = author === undefined ? by : `${by}, ${author}`
  return plain(`${reason} (${who}${expires === undefined ? '' : `, until ${expires}`})`, 2000)
}

/** Why the scan is not complete: without this, a list that is short because little was looked at would look good. */
function notificationsOf({ status, reasons, inventory }: ScanResult) {
  const level = status === 'failed' ? 'error' : 'warning'
  const gaps = inventory.gaps.map(({ where, reason }) => `${where}: ${reason}`)
  return [...reasons, ...gaps].map((text) => ({ level, message: { text: plain(text) } }))
}

/** Text of a message: brackets would make a link of it, and braces a placeholder. Source: SARIF 2.1.0, 3.11.5 and 3.11.6. */
function plain(text: string, limit?: number): string {
  return printable(text, limit)
    .replaceAll(/[[\]\\]/g, '\\$&')
    .replaceAll(/[{}]/g, '$&$&')
}

/** As part of a relative URI; a colon in front would make a scheme of what is before it. Source: RFC 3986 §4.2. */
function encodeName(text: string): string {
  return text
    .toWellFormed()
    .split('/')
    .map((part) => (/^\.+$/.test(part) ? part.replaceAll('.', '%2E') : encodeURIComponent(part)))
    .join('/')
}
