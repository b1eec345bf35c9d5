import type { Progress, ProgressEvent } from '#base'
import { humanSize, type StatusLine, statusLines } from '#docker'
import type { Terminal } from '../terminal/terminal.ts'

/**
 * Draws progress events: moving bars on a terminal, one plain line per change of state in a pipe, nothing when quiet. Warnings are
 * for people: without a terminal they go to standard error, quiet or not.
 */
interface ProgressView extends Disposable {
  readonly report: Progress
  /** A line of the verb itself, between those of the events. */
  say(text: string): void
}

/** The stream is opened at the first event: opening it takes a fiftieth of a `run`, which usually has nothing to report. */
export function createProgressView(io: Terminal, options: ViewOptions = {}): ProgressView {
  let view: ProgressView | undefined
  const opened = () => (view ??= openView(io, options))
  return {
    report: (event) => opened().report(event),
    say: (text) => opened().say(text),
    [Symbol.dispose]: () => view?.[Symbol.dispose](),
  }
}

interface ViewOptions {
  quiet?: boolean
  to?: 'stdout' | 'stderr'
}

function openView(io: Terminal, options: ViewOptions): ProgressView {
  const stream = options.to === 'stderr' ? io.stderr : io.stdout
  if (options.quiet) {
    const nothing = () => undefined
    return { report: (event) => warn(io, event), say: nothing, [Symbol.dispose]: nothing }
  }
  const moves = stream.isTTY && io.environment['TERM'] !== 'dumb'
  return moves ? terminalView(stream) : plainView(io, stream)
}

function warn(io: Terminal, event: ProgressEvent): void {
  if (event.kind === 'warning') io.warn(`WARNING: ${event.text}`)
}

type Output = Terminal['stdout']

function plainView(io: Terminal, stream: Output): ProgressView {
  const last = new Map<string, string>()
  const say = (text: string) => void stream.write(`${text}\n`)
  const show = ({ id, status, current }: StatusLine) => {
    if (current !== undefined) return
    if (id === undefined) return say(status)
    if (last.get(id) === status) return
    last.set(id, status)
    say(`${id}: ${status}`)
  }
  const report = (event: ProgressEvent) => {
    switch (event.kind) {
      case 'warning':
        return warn(io, event)
      case 'output':
        return void stream.write(event.bytes)
      case 'step':
        return say(stepWords(event))
      default:
        return statusLines(event).forEach(show)
    }
  }
  return { report, say, [Symbol.dispose]: () => undefined }
}

function stepWords({ state, name }: Extract<ProgressEvent, { kind: 'step' }>): string {
  return `${state === 'start' ? '' : `${state.toUpperCase()} `}${name}`
}

/** Redraws at most ten times a second: moves the cursor up over the lines of this view and writes them again. */
function terminalView(stream: Output): ProgressView {
  const lines = new Map<string, (columns: number) => string>()
  let drawn: string[] = []
  let timer: NodeJS.Timeout | undefined

  const columnsNow = () => Math.max(20, stream.columns || 80)
  /** To the first line of this view. A window that was made narrower has folded lines that were longer. */
  const back = () => {
    const columns = columnsNow()
    const rows = drawn.reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / columns)), 0)
    return rows > 0 ? `\x1b[${rows}A\x1b[J` : ''
  }
  const draw = (all = false) => {
    if (timer) clearTimeout(timer)
    timer = undefined
    const columns = columnsNow()
    // More lines than the screen has cannot be moved over: the last ones move, and all are shown at the end.
    const rows = all ? lines.size : Math.max(3, (stream.rows || 24) - 1)
    const shown = [...lines]
      .slice(-rows)
      .map(([id, text]) => `${id}: ${text(columns - id.length - 3)}`.slice(0, columns - 1))
    stream.write(`${back()}${shown.map((line) => `${line}\n`).join('')}`)
    drawn = shown
  }
  const later = () => {
    timer ??= setTimeout(() => draw(), 100)
  }
  const above = (text: string) => {
    stream.write(`${back()}${text}`)
    drawn = []
    if (lines.size > 0) draw()
  }
  /** What moved so far stays where it is, and the text follows it. */
  const below = (text: string) => {
    if (lines.size > 0) draw(true)
    lines.clear()
    drawn = []
    stream.write(text)
  }
  const show = ({ id, status, current, total }: StatusLine) => {
    if (id === undefined) return below(`${status}\n`)
    const draws = (width: number) => `${status} ${bar(current!, total, width - status.length - 1)}`
    lines.set(id, current === undefined ? () => status : draws)
    later()
  }
  const report = (event: ProgressEvent) => {
    switch (event.kind) {
      case 'warning':
        return above(`WARNING: ${event.text}\n`)
      case 'output':
        return above(Buffer.from(event.bytes).toString())
      case 'step':
        return above(`${stepWords(event)}\n`)
      default:
        return statusLines(event).forEach(show)
    }
  }
  return {
    report,
    say: (text) => below(`${text}\n`),
    [Symbol.dispose]() {
      if (timer) clearTimeout(timer)
      if (lines.size > 0) draw(true)
    },
  }
}

const WIDEST_BAR = 40
const NARROWEST_BAR = 6

/** `[====>    ]  3MB/9MB` in the given number of columns; without the bar where there is no room for it. */
function bar(current: number, total: number | undefined, columns: number): string {
  if (!total) return bytes(current)
  const numbers = `${bytes(current)}/${bytes(total)}`
  const width = Math.min(WIDEST_BAR, columns - numbers.length - 5)
  if (width < NARROWEST_BAR) return numbers
  const filled = Math.min(width, Math.floor((current / total) * width))
  const arrow = filled < width ? `${'='.repeat(filled)}>${' '.repeat(width - filled)}` : '='.repeat(width + 1)
  return `[${arrow}]  ${numbers}`
}

const bytes = (count: number) => humanSize(count, 4)
