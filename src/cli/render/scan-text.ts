import { printable } from '#base'
import type { ScanFinding, ScannedImage, ScanResult } from '#engine'
import { alignColumns } from './align-columns.ts'
import { ellipsis } from './ellipsis.ts'

/** What a person reads first: how much was looked at, what was found, what brought it. Then a line for each finding. */
export function scanText(scanned: ScannedImage): string {
  return [...headLines(scanned), ...layerLines(scanned), '', ...tableLines(scanned.result)].join('\n').trimEnd()
}

function headLines({ name, result, summary }: ScannedImage): string[] {
  const { inventory, coverage, support } = result
  const { name: title, id = '', version = '' } = inventory.system ?? {}
  const system = inventory.system ? (title ?? `${id} ${version}`.trim()) : 'no known distribution'
  const covered = coverage === undefined ? '' : `, ${coverage} % covered`
  return [
    `${printable(name)}: ${printable(system)}, ${counted(summary.packages, 'package')}${covered}`,
    ...statusLines(result),
    vulnerabilityLine({ name, result, summary }),
    ...(support?.ended ? [endedLine(support)] : []),
    ...sourceLines(result),
  ]
}

/** Files that could not be read are named up to this number. */
const MOST_GAPS = 5

function statusLines({ status, reasons, inventory: { gaps } }: ScanResult): string[] {
  if (status === 'complete') return []
  const shown = gaps
    .slice(0, MOST_GAPS)
    .map(({ where, reason }) => `  ${printable(where, 120)}: ${printable(reason, 200)}`)
  const more = gaps.length > MOST_GAPS ? [`  and ${gaps.length - MOST_GAPS} more`] : []
  return [`${status.toUpperCase()}: ${reasons.join('; ')}`, ...shown, ...more]
}

function vulnerabilityLine({ result, summary }: ScannedImage): string {
  const { vulnerabilities, findings, fixable, exploited } = summary
  const ignored = total(summary.suppressed)
  const apart = ignored > 0 ? `; ${ignored} more do not count` : ''
  if (total(findings) === 0) {
    const covered = result.packages.filter((status) => status !== 'not covered').length
    if (covered === 0) return `nothing is known of ${counted(summary.packages, 'package')}${apart}`
    return `no vulnerabilities known in ${counted(covered, 'package')}${apart}`
  }
  const counts = Object.entries(findings).flatMap(([level, count]) => (count > 0 ? [`${count} ${level}`] : []))
  const noun = vulnerabilities === 1 ? 'vulnerability' : 'vulnerabilities'
  const known = exploited > 0 ? `, ${exploited} known to be exploited` : ''
  return `${vulnerabilities} ${noun} in ${counted(summary.vulnerable, 'package')}: ${counts.join(', ')}; ${fixable} with a fix${known}${apart}`
}

function endedLine({ endOfLife, extendedUntil }: NonNullable<ScanResult['support']>): string {
  const extended = extendedUntil ? `; extended support lasts until ${extendedUntil}` : ''
  return `WARNING: support of the distribution ended on ${endOfLife}${extended}`
}

function sourceLines({ sources }: ScanResult): string[] {
  return sources.map(({ ecosystem, source, knows, asOf, remark }) => {
    const what = knows === 'fixed' ? 'vulnerabilities that an update fixes' : 'vulnerabilities'
    return `data: ${ecosystem} from ${source}, ${what}, as of ${asOf.slice(0, 10)}${remark ? ` (${remark})` : ''}`
  })
}

const STEP_WIDTH = 80

/** Which layers brought what, with the steps that made them. */
function layerLines({ summary }: ScannedImage): string[] {
  const lines = summary.layers
    .map(({ layer, step, findings }) => ({ layer, step, count: total(findings) }))
    .filter(({ count }) => count > 0)
    .map(({ layer, step, count }) => `  ${layer}\t${count}\t${stepText(step)}`)
  return lines.length === 0 ? [] : ['', alignColumns(['  LAYER\tFOUND\tSTEP', ...lines].join('\n'))]
}

const stepText = (step: string | undefined) =>
  step === undefined ? '(not in the history)' : ellipsis(printable(step, 500), STEP_WIDTH)

function tableLines({ findings }: ScanResult): string[] {
  if (findings.length === 0) return []
  const rows = findings.map((finding) => {
    const { severity, id, fixedVersion, advisory } = finding
    const { name, version, layer } = finding.package
    const fix = fixedVersion === undefined ? `(${advisory.state})` : printable(fixedVersion)
    return [
      severity.toUpperCase(),
      printable(id),
      printable(name),
      printable(version),
      fix,
      layer,
      noteOf(finding),
    ].join('\t')
  })
  return [alignColumns(['SEVERITY\tID\tPACKAGE\tINSTALLED\tFIXED\tLAYER\tNOTE', ...rows].join('\n'))]
}

function noteOf({ suppressed, advisory }: ScanFinding): string {
  if (suppressed) return `does not count (${whoseWord(suppressed)}): ${printable(suppressed.reason, 200)}`
  return advisory.exploited ? 'exploited' : ''
}

/** `exception by user:ann, until 2026-12-31` */
function whoseWord({ by, author, expires }: NonNullable<ScanFinding['suppressed']>): string {
  const said = author === undefined ? by : `${by} by ${printable(author, 100)}`
  return expires === undefined ? said : `${said}, until ${expires}`
}

const total = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((sum, count) => sum + count, 0)

const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`
