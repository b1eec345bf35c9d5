import { createHash } from 'node:crypto'
import type { ScanResult } from '#trust/match'
import type { ReportOptions } from '../sarif.ts'
import { type ScanSummary, WORST_FIRST } from '../summary/index.ts'
import { dataTable, findingTable, linked, shown } from './finding-table.ts'
import { type Content, html, Markup } from './markup.ts'
import { overview } from './overview.ts'
import { STYLE } from './style.ts'

/** What the page says besides the result. */
interface HtmlOptions extends ReportOptions {
  /** The figures of the result. */
  readonly summary: ScanSummary
}

/** Rows of one table; nobody reads more, and browsers become slow. */
const MOST_ROWS = 5000

/**
 * A scan as one page of HTML that needs nothing else: no script, no file beside it, no network. All that an image or an advisory
 * says is text there; a policy in the page forbids scripts even if some of it were not.
 */
export function htmlReport(result: ScanResult, { name, version, summary: figures }: HtmlOptions): string {
  const { inventory } = result
  const system = inventory.system?.name ?? inventory.system?.id
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy()}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>Vulnerabilities of ${shown(name)}</title>
<style>${new Markup(STYLE)}</style>
</head>
<body>
<header>
<h1>Vulnerabilities of ${shown(name)}</h1>
<p class="quiet">${system === undefined ? 'No operating system was found' : shown(system)}, manifest <code>${inventory.manifest}</code></p>
</header>
<main>
${overview(result, figures)}${bySeverity(result, figures)}${suppressedSection(result)}${sourcesSection(result)}</main>
<footer><p>Made by bale${version && ` ${shown(version, 40)}`} from advisories of version ${shown(result.advisories, 100)}.</p></footer>
</body>
</html>
`
  return page.text.toWellFormed()
}

/** The page's only style is allowed by its hash. Source: CSP Level 3 §2.3.1. */
function policy(): string {
  const hash = createHash('sha256').update(STYLE).digest('base64')
  return `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`
}

/** The worst are open. */
function bySeverity({ findings, inventory }: ScanResult, figures: ScanSummary): Content {
  const counting = findings.filter(({ suppressed }) => !suppressed)
  if (counting.length === 0) return undefined
  const tables = WORST_FIRST.filter((severity) => figures.findings[severity] > 0).map((severity) => {
    const all = counting.filter((finding) => finding.severity === severity)
    const rows = all.slice(0, MOST_ROWS)
    const caption = `Findings of severity ${severity}${cutNote(rows.length, all.length)}`
    const open = severity === 'critical' || severity === 'high' ? new Markup(' open') : undefined
    return html`<details${open}>
<summary><h3 class="severity ${severity}">${severity}: ${all.length}</h3></summary>
${findingTable(rows, inventory, caption)}</details>
`
  })
  return html`<section aria-labelledby="findings">
<h2 id="findings">All findings</h2>
${tables}</section>
`
}

const cutNote = (shownRows: number, all: number) =>
  shownRows === all ? '' : `: the first ${shownRows} of ${all}; the other formats have all`

function suppressedSection({ findings }: ScanResult): Content {
  const hidden = findings.filter(({ suppressed }) => suppressed)
  if (hidden.length === 0) return undefined
  const rows = hidden.slice(0, MOST_ROWS).map((finding) => {
    const { by, reason, author, expires } = finding.suppressed!
    return html`<tr>
<th scope="row">${linked(finding)}</th>
<td class="severity ${finding.severity}">${finding.severity}</td>
<td class="package">${shown(finding.package.name)} ${shown(finding.package.version)}</td>
<td>${shown(reason, 1000)}</td>
<td>${shown([by, author].filter(Boolean).join(', '))}</td>
<td>${expires && shown(expires, 20)}</td>
</tr>
`
  })
  const heads = ['Vulnerability', 'Severity', 'Package', 'Reason', 'By', 'Counts again on']
  const caption = `Findings that do not count${cutNote(rows.length, hidden.length)}`
  return html`<section aria-labelledby="suppressed">
<h2 id="suppressed">Suppressed</h2>
<details>
<summary><h3>suppressed: ${hidden.length}</h3></summary>
${dataTable({ caption, heads, rows })}</details>
</section>
`
}

function sourcesSection({ sources }: ScanResult): Content {
  if (sources.length === 0) return undefined
  const rows = sources.map(
    ({ ecosystem, source, knows, asOf, advisories, remark }) => html`<tr>
<th scope="row">${shown(ecosystem)}</th>
<td>${shown(source)}</td>
<td>${knows === 'all' ? 'with and without a fix' : 'only those that an update fixes'}${remark && html`<br><span class="quiet">${shown(remark)}</span>`}</td>
<td class="number">${advisories}</td>
<td>${shown(asOf, 40)}</td>
</tr>
`,
  )
  const heads = ['Ecosystem', 'Source', 'Which vulnerabilities', { number: 'Advisories' }, 'As of']
  return html`<section aria-labelledby="sources">
<h2 id="sources">Where the data is from</h2>
${dataTable({ caption: 'Sources of advisories that were asked', heads, rows })}</section>
`
}
