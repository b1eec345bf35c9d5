import { printable } from '#base'
import type { Inventory } from '#trust/inventory'
import type { Finding } from '#trust/match'
import { stepOf } from '../summary/index.ts'
import { webAddress } from '../web-address.ts'
import { type Content, html, type Markup } from './markup.ts'

/** Text from outside as one can see it: control characters and signs that turn the direction of writing are spelled out. */
export const shown = (text: string, limit = 300) => printable(text, limit)

/** A row for each finding. `caption` says what the table is. */
export function findingTable(findings: readonly Finding[], inventory: Inventory, caption: string): Markup {
  const rows = findings.map((finding) => {
    const { package: found, advisory } = finding
    return html`<tr>
<th scope="row">${linked(finding)}${marks(finding)}</th>
<td class="package">${shown(found.name)}<br><span class="quiet">${shown(found.path)}</span></td>
<td>${shown(found.version)}</td>
<td>${finding.fixedVersion === undefined ? html`<span class="quiet">none: ${shown(advisory.state)}</span>` : shown(finding.fixedVersion)}</td>
<td class="step">${layerOf(found.layer, inventory)}</td>
<td class="what">${advisory.summary === undefined ? undefined : shown(advisory.summary)}${remark(finding)}</td>
</tr>
`
  })
  const heads = ['Vulnerability', 'Package', 'Installed', 'Fixed in', 'Layer and step', 'What it is']
  return dataTable({ caption, heads, rows })
}

interface TableParts {
  caption: string
  /** Of columns of numbers as `number`. */
  heads: readonly (string | { readonly number: string })[]
  rows: readonly Markup[]
}

/** A table that can be scrolled sideways by keyboard where it is too wide for the window. */
export function dataTable({ caption, heads, rows }: TableParts): Markup {
  return html`<div class="table" role="region" tabindex="0" aria-label="${caption}"><table>
<caption>${caption}</caption>
<thead><tr>${heads.map(headCell)}</tr></thead>
<tbody>
${rows}</tbody>
</table></div>
`
}

function headCell(head: TableParts['heads'][number]): Markup {
  if (typeof head === 'string') return html`<th scope="col">${head}</th>`
  return html`<th scope="col" class="number">${head.number}</th>`
}

/** The id, as a link if the advisory's address is one of the web. */
export function linked({ id, advisory }: Finding): Markup {
  const address = webAddress(advisory.url)
  return address === undefined
    ? html`${shown(id, 100)}`
    : html`<a href="${address}" rel="noopener noreferrer">${shown(id, 100)}</a>`
}

export function marks({ advisory: { exploited, exploitProbability = 0 } }: Finding): Content {
  const likely = exploitProbability >= LIKELY ? `likely to be exploited: ${percent(exploitProbability)}` : undefined
  return [exploited ? 'exploited' : undefined, likely].map((mark) => mark && html` <span class="mark">${mark}</span>`)
}

/** From here on the probability is worth a mark. */
const LIKELY = 0.1

const percent = (probability: number) => `${Math.round(probability * 100)} %`

function remark({ advisory, severity }: Finding): Content {
  const { remark: sure, severity: rating } = advisory
  const by =
    rating && `rated ${severity} by ${shown(rating.by, 60)}${rating.score === undefined ? '' : ` (${rating.score})`}`
  return [by, sure && shown(sure)].map((text) => text && html`<br><span class="quiet">${text}</span>`)
}

/** `2: RUN npm ci`, counted from 1 as people do. */
export function layerOf(layer: number, { layers }: Inventory): Content {
  const step = stepOf(layers[layer]?.createdBy)
  return [`${layer + 1}`, step && [': ', html`<code>${shown(step, 200)}</code>`]]
}
