import { table } from '#base'
import { alignColumns } from './align-columns.ts'
import { compileTemplate, GoMethod, rowJson, sortedKeys } from './go-template/index.ts'

/** How one kind of list looks. */
export interface ListFormat<Row extends Record<string, unknown>> {
  /** Titles by member; members without one have no title (they print as empty in the head of a table). */
  headers: Partial<Record<keyof Row & string, string>>
  /** Template of the table that is shown without `--format`, without the word `table`. */
  table: string
  /** Lines for each row that `--format raw` prints; without them `raw` is a template like any other. */
  raw?: string
  /** Go's name for a row, for docker's words about unknown members. */
  rowType: string
}

/**
 * Renders rows as `--format` asks: `table [TEMPLATE]` (aligned, with titles), `json` (one object a line), `raw`, or a template
 * for each row. `\t` and `\n` may be written with backslashes. Every line ends in a newline.
 */
export function renderList<Row extends Record<string, unknown>>(
  rows: readonly Row[],
  list: ListFormat<Row>,
  given?: string,
): string {
  const format = given || 'table'
  if (format === 'raw' && list.raw !== undefined) return renderList(rows, list, list.raw)
  if (format === 'json') return rows.map((row) => `${rowJson(row)}\n`).join('')
  const isTable = format.startsWith('table')
  const written = isTable ? format.slice('table'.length).trim() || list.table : format
  const text = written.replaceAll('\\t', '\t').replaceAll('\\n', '\n')
  const template = compileTemplate(text, { rowType: list.rowType })
  const lines = rows.map((row) => `${template(row)}\n`)
  if (!isTable) return lines.join('')
  const head = compileTemplate(text, { rowType: list.rowType, header: true })
  return alignColumns(`${head(titles(rows, list))}\n${lines.join('')}`)
}

/** `--quiet` applies to the list without `--format` only; a template decides itself what is shown. */
export function isQuiet(options: { quiet?: boolean; format?: string }): boolean {
  return options.quiet === true && (!options.format || options.format === 'table')
}

/** Every member that rows have, so that a template over one without title is no mistake in the head. */
function titles<Row extends Record<string, unknown>>(
  rows: readonly Row[],
  list: ListFormat<Row>,
): Record<string, unknown> {
  const none = Object.keys(rows[0] ?? {}).map((name) => [name, ''])
  return withLabel({ ...Object.fromEntries(none), ...list.headers }, titleOf)
}

/** `com.example.some-label` heads its column as `some label`. */
function titleOf(label: string): string {
  return label.split('.').at(-1)!.replaceAll(/[-_]/g, ' ')
}

/** Gives a row docker's method `.Label "name"`. */
export function withLabels<Row extends Record<string, unknown>>(
  row: Row,
  labels: Readonly<Record<string, string>> | null,
): Row {
  const own = table(labels ?? {})
  return withLabel(row, (name) => own[name] ?? '')
}

/** The method is no member of the row's JSON. */
function withLabel<Row extends Record<string, unknown>>(row: Row, of: (name: string) => string): Row {
  const value = new GoMethod('Label', of)
  return Object.defineProperty(row, 'Label', { value, enumerable: false })
}

/** A row among others in one document: members sorted, as docker writes them in JSON. */
export function sortedRow<Row extends Record<string, unknown>>(row: Row): Row {
  const sorted = Object.fromEntries(sortedKeys(row).map((key) => [key, row[key]]))
  const method = Object.getOwnPropertyDescriptor(row, 'Label')
  return (method ? Object.defineProperty(sorted, 'Label', method) : sorted) as Row
}

/** `a=1,b=2`, sorted: how lists show labels. */
export function labelsText(labels: Readonly<Record<string, string>> | undefined | null): string {
  return Object.entries(labels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(',')
}
