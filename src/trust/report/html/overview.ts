import type { ScanResult } from '#trust/match'
import { type ScanSummary, WORST_FIRST, type WorstFinding, worstFindings } from '../summary/index.ts'
import { dataTable, layerOf, linked, marks, shown } from './finding-table.ts'
import { type Content, html, type Markup } from './markup.ts'

/** What a person reads first: whether the scan means something, what it found, and where to begin. */
export function overview(result: ScanResult, figures: ScanSummary): Markup {
  return html`<section aria-labelledby="summary">
<h2 id="summary">Summary</h2>
<p class="status">${statusSentence(result, figures)}</p>
<p>${findingsSentence(result, figures)}</p>
${tiles(figures)}${supportNotice(result)}${gapsNotice(result, figures)}</section>
${worstSection(worstFindings(result, 10))}${layersSection(result, figures)}`
}

const plural = (count: number, one: string, many = `${one}s`) => `${count} ${count === 1 ? one : many}`

function statusSentence({ status, coverage }: ScanResult, { packages }: ScanSummary): string {
  if (status === 'failed') return 'The scan failed: nothing can be said about this image.'
  const covered =
    coverage === undefined
      ? 'the image has no packages'
      : `${coverage} % of ${plural(packages, 'package')} ${packages === 1 ? 'is' : 'are'} covered`
  return status === 'complete' ? `The scan is complete: ${covered}.` : `The scan is partial: ${covered}.`
}

function findingsSentence({ status }: ScanResult, figures: ScanSummary): string {
  const { vulnerabilities, vulnerable, fixable, exploited } = figures
  const hidden = sum(Object.values(figures.suppressed))
  const apart = hidden === 0 ? '' : ` ${hidden} more ${hidden === 1 ? 'finding is' : 'findings are'} suppressed.`
  if (vulnerabilities === 0) {
    if (status === 'failed') return apart.trim()
    return `No vulnerabilities are known in the packages${status === 'complete' ? '' : ' that are covered'}.${apart}`
  }
  const known = exploited === 0 ? '' : ` ${plural(exploited, 'finding is', 'findings are')} known to be exploited.`
  const fixed = ` Updates fix ${plural(fixable, 'finding')}.`
  return `${plural(vulnerabilities, 'vulnerability', 'vulnerabilities')} in ${plural(vulnerable, 'package')}.${known}${fixed}${apart}`
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0)

function tiles({ findings }: ScanSummary): Markup {
  return html`<ul class="tiles">
${WORST_FIRST.map((severity) => html`<li class="${findings[severity] > 0 ? severity : 'none'}"><b>${findings[severity]}</b> ${severity}</li>\n`)}</ul>
`
}

function supportNotice({ support }: ScanResult): Content {
  if (!support?.ended) return undefined
  const since = support.endOfLife === undefined ? '' : ` on ${shown(support.endOfLife, 20)}`
  const paid =
    support.extendedUntil === undefined
      ? ''
      : ` Extended support by others lasts until ${shown(support.extendedUntil, 20)}.`
  return html`<div class="notice"><h3>The distribution is no longer supported</h3>
<p>Its support ended${since}: vulnerabilities that were found later may be missing here, and will not be fixed.${paid}</p></div>
`
}

/** How many gaps are listed by name. */
const MOST_GAPS = 100

function gapsNotice({ reasons, inventory: { gaps } }: ScanResult, { notCovered }: ScanSummary): Content {
  if (reasons.length + gaps.length + notCovered.length === 0) return undefined
  const uncovered = notCovered.map(({ type, packages }) => `${plural(packages, 'package')} of type ${type}: no data`)
  const looked = gaps
    .slice(0, MOST_GAPS)
    .map(({ where, reason }) => [html`<code>${shown(where)}</code>`, `: ${shown(reason)}`])
  const more = gaps.length > MOST_GAPS ? [`and ${gaps.length - MOST_GAPS} more that could not be looked at`] : []
  const items: Content[] = [...reasons.map((reason) => shown(reason)), ...uncovered, ...looked, ...more]
  return html`<div class="notice"><h3>What is not covered</h3>
<ul>
${items.map((item) => html`<li>${item}</li>\n`)}</ul></div>
`
}

function worstSection(worst: readonly WorstFinding[]): Content {
  if (worst.length === 0) return undefined
  const rows = worst.map(
    ({ finding, packages }) => html`<tr>
<th scope="row">${linked(finding)}${marks(finding)}</th>
<td class="severity ${finding.severity}">${finding.severity}</td>
<td>${namesOf(packages)}</td>
<td>${finding.fixedVersion === undefined ? html`<span class="quiet">none</span>` : shown(finding.fixedVersion)}</td>
</tr>
`,
  )
  const caption = worst.length === 1 ? 'The worst vulnerability' : `The worst ${worst.length} vulnerabilities`
  return html`<section aria-labelledby="worst">
<h2 id="worst">Where to begin</h2>
${dataTable({ caption, heads: ['Vulnerability', 'Severity', 'Packages', 'Fixed in'], rows })}</section>
`
}

function namesOf(packages: readonly string[]): string {
  const more = packages.length > 4 ? ` and ${packages.length - 4} more` : ''
  return (
    packages
      .slice(0, 4)
      .map((name) => shown(name, 100))
      .join(', ') + more
  )
}

/** Only layers that brought a package; those without are steps that changed settings or files. */
function layersSection({ inventory }: ScanResult, { layers }: ScanSummary): Content {
  const bringing = layers.filter(({ packages }) => packages > 0)
  if (bringing.length === 0) return undefined
  const shownSeverities = WORST_FIRST.filter((severity) => bringing.some(({ findings }) => findings[severity] > 0))
  const rows = bringing.map(
    ({ layer, packages, findings }) => html`<tr>
<th scope="row">${layerOf(layer, inventory)}</th>
<td class="number">${packages}</td>
${shownSeverities.map((severity) => html`<td class="number">${findings[severity]}</td>`)}
</tr>
`,
  )
  const heads = ['Layer and step', ...['packages', ...shownSeverities].map((number) => ({ number }))]
  return html`<section aria-labelledby="layers">
<h2 id="layers">Which layer brought what</h2>
${dataTable({ caption: `The ${plural(bringing.length, 'layer')} that brought packages, of ${inventory.layers.length}; findings by severity`, heads, rows })}</section>
`
}
