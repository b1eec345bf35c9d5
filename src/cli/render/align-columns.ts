/** Smallest width of a column, and the spaces behind its widest cell: those of docker's tables. */
const MINIMUM = 10
const PADDING = 3

/**
 * Lines whose cells end in tabs, as aligned columns. A column is a run of lines that have a cell there; what follows the
 * last tab of a line is not padded. Source: the documentation of Go's text/tabwriter.
 */
export function alignColumns(text: string): string {
  const lines = text.split('\n').map((line) => line.split('\t'))
  const widths = lines.map(() => [] as number[])
  measure(lines, widths, 0, lines.length, 0)
  return lines.map((cells, row) => cells.map((cell, column) => padded(cell, widths[row]![column])).join('')).join('\n')
}

/** Widths for column `column` of the lines [from, to), block by block. */
function measure(lines: string[][], widths: number[][], from: number, to: number, column: number): void {
  for (let row = from; row < to; ) {
    if (!hasCell(lines[row]!, column)) {
      row++
      continue
    }
    let end = row
    let width = MINIMUM
    while (end < to && hasCell(lines[end]!, column)) {
      width = Math.max(width, characters(lines[end]![column]!) + PADDING)
      end++
    }
    for (let line = row; line < end; line++) widths[line]![column] = width
    measure(lines, widths, row, end, column + 1)
    row = end
  }
}

/** The last cell of a line belongs to no column. */
function hasCell(cells: string[], column: number): boolean {
  return column < cells.length - 1
}

function padded(cell: string, width: number | undefined): string {
  return width === undefined ? cell : cell + ' '.repeat(width - characters(cell))
}

function characters(text: string): number {
  return [...text].length
}
