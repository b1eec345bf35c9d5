import { barText, bestPeer, judge, peak, type Samples, secondsOf, type Verdict, YARDSTICK } from './bars.ts'
import type { Results } from './results.ts'
import type { Row, Section } from './row.ts'
import { median, type Timing } from './timed.ts'

export interface TableOptions {
  readonly results: Results
  /** Names of the tools, bale first. */
  readonly tools: readonly string[]
  /** See `judge`. */
  readonly slowness: number
}

/** Two tables of one section: seconds against the bars, and what else it took. Columns in which nothing stands are left out. */
export function sectionText({ title, rows }: Section, options: TableOptions): string {
  return [`### ${title}`, secondsTable(rows, options), costsTable(rows, options)].filter(Boolean).join('\n\n')
}

function secondsTable(rows: readonly Row[], { results, tools, slowness }: TableOptions): string {
  const names = [...tools, YARDSTICK].filter((name) => rows.some((row) => shown(results, row, name)))
  return markdown([
    ['seconds', ...names, 'bale / best', 'bars', ''],
    ...rows.map((row) => {
      const samples = results.of(row.name)
      const verdicts = verdictsOf(row, samples, slowness)
      return [
        row.name,
        ...names.map((name) => cell(results, row, name, () => seconds(secondsOf(samples, name)!))),
        ratioToBest(samples),
        (row.bars ?? []).map((bar) => barText(bar, slowness)).join('; '),
        verdicts.map(verdictText).join('; '),
      ]
    }),
  ])
}

/** Processor, memory and bytes; nothing for rows whose clock runs inside a container. */
function costsTable(rows: readonly Row[], { results, tools }: TableOptions): string {
  const measured = (row: Row, name: string) =>
    results
      .of(row.name)
      .get(name)
      ?.some((one) => one.peakMegabytes !== undefined)
  const names = [...tools, YARDSTICK].filter((name) => rows.some((row) => measured(row, name)))
  const lines = rows.filter((row) => names.some((name) => measured(row, name)))
  if (lines.length === 0) return ''
  return markdown([
    ['CPU s, peak MB, MB read / written', ...names],
    ...lines.map((row) => [
      row.name,
      ...names.map((name) => (measured(row, name) ? costs(results.of(row.name).get(name)!) : '')),
    ]),
  ])
}

function costs(timings: readonly Timing[]): string {
  const of = (member: 'processorSeconds' | 'bytesRead' | 'bytesWritten') =>
    median(timings.map((one) => one[member] ?? 0))
  const megabytes = (bytes: number) => Math.round(bytes / 1e6)
  return `${seconds(of('processorSeconds'))}, ${Math.round(peak(timings))}, ${megabytes(of('bytesRead'))} / ${megabytes(of('bytesWritten'))}`
}

export function verdictsOf(row: Row, samples: Samples, slowness: number): Verdict[] {
  return (row.bars ?? []).map((bar) => judge(bar, samples, slowness))
}

/** Why cells say `failed`, or a yardstick has no figure. */
export function failuresText({ failures }: Results): string {
  return failures
    .map(({ row, tool, reason }) => `- ${row}, ${tool}: ${reason.replaceAll(/\s+/g, ' ').slice(0, 300)}`)
    .join('\n')
}

/** What each row does. */
export function legend(rows: readonly Row[]): string {
  return rows
    .map(
      ({ name, does, yardstick }) => `- **${name}**: ${does}${yardstick ? ` (yardstick: \`${yardstick.name}\`)` : ''}`,
    )
    .join('\n')
}

function verdictText({ state, share, lack }: Verdict): string {
  if (state === 'met') return 'met'
  if (lack) return `${state}: ${lack}`
  return state === 'close' ? `close (${share!.toFixed(2)} of the bar)` : `**missed** (${share!.toFixed(2)} of the bar)`
}

function shown(results: Results, row: Row, name: string): boolean {
  return results.of(row.name).has(name) || results.hasFailed(row.name, name)
}

function cell(results: Results, row: Row, name: string, text: () => string): string {
  if (results.hasFailed(row.name, name)) return name === YARDSTICK ? 'none' : 'failed'
  return results.of(row.name).has(name) ? text() : ''
}

function ratioToBest(samples: Samples): string {
  const [own, best] = [secondsOf(samples, 'bale'), bestPeer(samples)]
  return own === undefined || !best ? '' : `${(own / best.seconds).toFixed(2)} (${best.name})`
}

const seconds = (value: number) => value.toFixed(value < 1 ? 3 : 2)

export function markdown([header, ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(header!), line(header!.map(() => '---')), ...rows.map(line)].join('\n')
}
