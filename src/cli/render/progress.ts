import type { Progress, ProgressEvent } from '#base'
import type { Terminal } from '../verb.ts'

/** Draws progress events: moving bars on a terminal, one plain line per change of state in a pipe, nothing when quiet. */
export interface ProgressView extends Disposable {
  readonly report: Progress
}

export function createProgressView(
  io: Terminal,
  options: { quiet?: boolean; to?: 'stdout' | 'stderr' } = {},
): ProgressView {
  const stream = options.to === 'stderr' ? io.stderr : io.stdout
  if (options.quiet) return { report: () => undefined, [Symbol.dispose]: () => undefined }
  return stream.isTTY ? terminalView(stream) : plainView(stream)
}

type Output = Terminal['stdout']

function plainView(stream: Output): ProgressView {
  const last = new Map<string, string>()
  const report = (event: ProgressEvent) => {
    switch (event.kind) {
      case 'message':
        stream.write(`${event.text}\n`)
        break
      case 'warning':
        stream.write(`WARNING: ${event.text}\n`)
        break
      case 'status':
        if (last.get(event.id) === event.status) return
        last.set(event.id, event.status)
        stream.write(`${event.id}: ${event.status}\n`)
        break
      case 'output':
        stream.write(event.bytes)
        break
      case 'step':
        stream.write(`${event.state === 'start' ? '' : `${event.state.toUpperCase()} `}${event.name}\n`)
        break
      case 'advance':
        break
    }
  }
  return { report, [Symbol.dispose]: () => undefined }
}

/** Redraws at most ten times a second: moves the cursor up over the lines of this view and writes them again. */
function terminalView(stream: Output): ProgressView {
  const lines = new Map<string, string>()
  let drawn = 0
  let timer: NodeJS.Timeout | undefined

  const draw = () => {
    timer = undefined
    const columns = Math.max(20, stream.columns || 80)
    const rows = Math.max(3, (stream.rows || 24) - 1)
    // More lines than the screen has cannot be moved over: only the last ones move.
    const shown = [...lines].slice(-rows).map(([id, text]) => `${id}: ${text}`.slice(0, columns - 1))
    stream.write(`${drawn > 0 ? `\x1b[${drawn}A` : ''}${shown.map((line) => `\x1b[2K${line}\n`).join('')}`)
    drawn = shown.length
  }
  const later = () => {
    timer ??= setTimeout(draw, 100)
  }
  const above = (text: string) => {
    if (timer) clearTimeout(timer)
    if (drawn > 0) stream.write(`\x1b[${drawn}A\x1b[J`)
    drawn = 0
    stream.write(text)
    if (lines.size > 0) draw()
  }
  /** What moved so far stays where it is, and the text follows it. */
  const below = (text: string) => {
    if (timer) clearTimeout(timer)
    timer = undefined
    if (lines.size > 0) draw()
    lines.clear()
    drawn = 0
    stream.write(text)
  }
  const report = (event: ProgressEvent) => {
    switch (event.kind) {
      case 'message':
        below(`${event.text}\n`)
        break
      case 'warning':
        above(`WARNING: ${event.text}\n`)
        break
      case 'status':
        lines.set(event.id, event.status)
        later()
        break
      case 'advance':
        lines.set(event.id, `${event.status} ${bar(event.current, event.total)}`)
        later()
        break
      case 'output':
        above(Buffer.from(event.bytes).toString())
        break
      case 'step':
        above(`${event.state === 'start' ? '' : `${event.state.toUpperCase()} `}${event.name}\n`)
        break
    }
  }
  return {
    report,
    [Symbol.dispose]() {
      if (timer) clearTimeout(timer)
      if (lines.size > 0) draw()
    },
  }
}

function bar(current: number, total: number | undefined): string {
  if (!total) return bytes(current)
  const width = 40
  const filled = Math.min(width, Math.floor((current / total) * width))
  const arrow = filled < width ? `${'='.repeat(filled)}>${' '.repeat(width - filled)}` : '='.repeat(width + 1)
  return `[${arrow}]  ${bytes(current)}/${bytes(total)}`
}

function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = count
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${Number(value.toPrecision(4))}${units[unit]}`
}
