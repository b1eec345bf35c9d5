import type { CheckReport } from '#engine'

/** The report of the checks, as docker's `build --check` prints it. Source: docker/buildx, commands/build.go, and BuildKit's lint.go. */
export function checkReportText({ findings, source }: CheckReport): string {
  const count = findings.length === 1 ? '1 warning has been found!' : `${findings.length} warnings have been found!`
  const head = findings.length > 0 ? `Check complete, ${count}\n` : ''
  const sorted = findings.toSorted((one, other) => (one.lines[0] ?? 0) - (other.lines[0] ?? 0))
  const bodies = sorted.map(({ rule, url, detail, lines }) => {
    const title = url === undefined ? rule : `${rule} - ${url}`
    return `\nWARNING: ${title}\n${detail}\n${excerpt(source, lines)}`
  })
  return head + bodies.join('')
}

/** The error of a Dockerfile that cannot be built, with the lines it occurs in. */
export function checkErrorText({ source }: CheckReport, error: NonNullable<CheckReport['error']>): string {
  return `${error.message}\n${excerpt(source, error.lines)}`.trimEnd()
}

/** The same as `--call check,format=json` prints it. */
export function checkReportJson({ findings, source, error }: CheckReport): string {
  const document = {
    // Go's nil slice.
    warnings: findings.length === 0 ? null : findings.map(warning),
    sources: [{ filename: source.name, data: Buffer.from(source.text).toString('base64'), language: 'Dockerfile' }],
    ...(error && { buildError: { message: error.message, location: location(error.lines) } }),
  }
  return JSON.stringify(document, undefined, 2)
}

function warning({ rule, description, url, detail, lines }: CheckReport['findings'][number]) {
  return { ruleName: rule, description, url, detail, location: location(lines) }
}

/** One range for each line; there is one source, whose index 0 is left out. */
function location(lines: readonly number[]) {
  return lines.length === 0 ? {} : { ranges: lines.map((line) => ({ start: { line }, end: { line } })) }
}

/** The lines with a few around them. */
function excerpt({ name, text }: CheckReport['source'], marked: readonly number[]): string {
  const lines = text.split('\n')
  const first = Math.min(...marked)
  if (marked.length === 0 || first > lines.length) return ''
  const { start, end } = padded(first, Math.min(Math.max(...marked), lines.length), lines.length)
  const shown = lines.slice(start - 1, end).map((line, index) => {
    const number = start + index
    return ` ${String(number).padStart(3)} | ${marked.includes(number) ? '>>>' : '   '} ${line}\n`
  })
  return `${name}:${first}\n--------------------\n${shown.join('')}--------------------\n`
}

/** Source: BuildKit, solver/errdefs/source.go. */
function padded(first: number, last: number, count: number): { start: number; end: number } {
  let [start, end] = [first, last]
  const most = first === last ? 4 : 2
  for (let padding = 0; padding < most; padding++) {
    if (start > 1) {
      start--
      padding++
    }
    if (end !== count) {
      end++
      padding++
    }
  }
  return { start, end }
}
