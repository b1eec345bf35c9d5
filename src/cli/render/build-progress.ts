import type { Progress, ProgressEvent } from '#base'
import { statusLines } from '#docker'
import type { Terminal } from '../terminal/terminal.ts'

const NOTHING = Buffer.alloc(0)
const NEWLINE = Buffer.from('\n')

/**
 * The steps of a build as docker's plain progress: `#4 [2/3] RUN make`, its output with the seconds since the step began,
 * `#4 DONE 1.2s` or `#4 CACHED`. A blank line separates the output of different steps. Goes to stderr: stdout is for results.
 */
export function createBuildProgress(
  io: Terminal,
  options: { quiet?: boolean } = {},
): { report: Progress; finish(): void } {
  if (options.quiet) return { report: () => undefined, finish: () => undefined }
  const stream = io.stderr
  const numbers = new Map<string, number>()
  const started = new Map<string, number>()
  /** Bytes, since a character may come in two pieces, and the output of a step need not be UTF-8. */
  const unfinished = new Map<string, Buffer>()
  let speaker: number | undefined
  const findings: Extract<ProgressEvent, { kind: 'finding' }>[] = []

  const say = (number: number | undefined, text: string, bytes: Uint8Array = NOTHING) => {
    if (speaker !== undefined && speaker !== number) stream.write('\n')
    speaker = number
    stream.write(Buffer.concat([Buffer.from(text), bytes, NEWLINE]))
  }
  const numberOf = (id: string) => {
    const number = numbers.get(id) ?? numbers.size + 1
    numbers.set(id, number)
    return number
  }
  const step = (event: Extract<ProgressEvent, { kind: 'step' }>) => {
    const isNew = !numbers.has(event.id)
    const number = numberOf(event.id)
    if (isNew) {
      started.set(event.id, performance.now())
      say(number, `#${number} ${event.name}`)
    }
    if (event.state !== 'start') flush(event.id)
    if (event.state === 'cached') say(number, `#${number} CACHED`)
    if (event.state === 'done') say(number, `#${number} DONE ${(event.seconds ?? 0).toFixed(1)}s`)
    if (event.state === 'failed') say(number, `#${number} ERROR`)
  }
  const line = (id: string, text: Uint8Array) => {
    const number = numberOf(id)
    const seconds = (performance.now() - (started.get(id) ?? performance.now())) / 1000
    say(number, `#${number} ${seconds.toFixed(3)} `, text)
  }
  const flush = (id: string) => {
    const rest = unfinished.get(id)
    unfinished.delete(id)
    if (rest && rest.length > 0) line(id, rest)
  }
  const output = (id: string, bytes: Uint8Array) => {
    let rest = Buffer.concat([unfinished.get(id) ?? NOTHING, bytes])
    for (let end = rest.indexOf(0x0a); end >= 0; end = rest.indexOf(0x0a)) {
      line(id, rest.subarray(0, end))
      rest = rest.subarray(end + 1)
    }
    unfinished.set(id, rest)
  }
  return {
    report(event) {
      switch (event.kind) {
        case 'step':
          return step(event)
        case 'output':
          return output(event.id, event.bytes)
        case 'finding':
          findings.push(event)
          return
        case 'warning':
          return say(undefined, `WARNING: ${event.text}`)
        default:
          return statusLines(event).forEach(({ id, status, current }) => {
            if (current === undefined) say(undefined, id === undefined ? status : `${id}: ${status}`)
          })
      }
    },
    finish() {
      for (const id of [...unfinished.keys()]) flush(id)
      if (findings.length > 0) stream.write(`\n${findingsText(findings.splice(0))}`)
    },
  }
}

/** The findings of the checks, by their place in the file. Source: docker/buildx, commands/build.go, printWarnings. */
function findingsText(findings: readonly Extract<ProgressEvent, { kind: 'finding' }>[]): string {
  const count = findings.length === 1 ? '1 warning' : `${findings.length} warnings`
  const sorted = findings.toSorted((one, other) => (one.lines[0] ?? 0) - (other.lines[0] ?? 0))
  const lines = sorted.map(({ rule, detail, lines: [line] }) => {
    return ` - ${rule}: ${detail}${line === undefined ? '' : ` (line ${line})`}\n`
  })
  return ` ${count} found (use bale build --check to expand):\n${lines.join('')}`
}
