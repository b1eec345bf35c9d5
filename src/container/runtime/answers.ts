/**
 * What monitors and runtimes say. They are other programs, of other versions, and may be killed while they write: a line
 * that is not as expected never hides why something failed.
 */
import { BaleError, printable, table } from '#base'
import { parseJson } from '#spec'

/** One line of the monitor's sync pipe. */
export interface MonitorAnswer {
  /** A process ID or an exit code; negative when the process could not be started. */
  data: number
  /** Why. */
  message?: string
}

/** A monitor's answers, to the end of its pipe. A line that is none, or was cut, is passed over. */
export async function* monitorAnswers(chunks: AsyncIterable<Uint8Array | string>): AsyncGenerator<MonitorAnswer> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of chunks) {
    rest += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })
    const lines = rest.split('\n')
    rest = lines.pop()!
    for (const line of lines) {
      const { data, message } = membersOf(line)
      if (typeof data === 'number') yield { data, ...(typeof message === 'string' && { message }) }
    }
  }
}

/** The last error in a runtime's log of JSON lines. */
export function lastLoggedError(log: string): string | undefined {
  const last = log
    .split('\n')
    .map(membersOf)
    .findLast(({ level, msg }) => (level === 'error' || level === 'fatal') && typeof msg === 'string')
  return last && String(last.msg)
}

/**
 * The reason in what a runtime wrote to stderr. runc's lines are logrus' (`time=… level=error msg="…"`), where the message
 * is quoted as Go does it.
 */
export function stderrReason(stderr: string): string {
  const messages = [...stderr.matchAll(/level=(?:error|fatal) msg=("(?:[^"\\]|\\.)*"|\S+)/g)].map((match) => match[1]!)
  const last = messages.at(-1)
  if (last === undefined) return stderr.trim()
  return last.startsWith('"') ? unquoted(last.slice(1, -1)) : last
}

/** Why netavark failed: the error in its answer, which comes after lines of its log, or whatever it said. */
export function netavarkReason({ stdout, stderr }: { stdout: string; stderr: string }): string {
  const [, literal] = /"error":\s*("(?:[^"\\]|\\.)*")/.exec(stdout) ?? []
  const error = literal === undefined ? undefined : parseJson(literal)
  return printable((typeof error === 'string' ? error : stderr || stdout).trim(), 1000)
}

const STATES = ['creating', 'created', 'running', 'paused', 'stopped'] as const

export interface RuntimeState {
  status: (typeof STATES)[number]
  /** Of the container's first process; 0 when stopped. */
  pid: number
}

/** What `state` of a runtime printed for a container. Throws RUNTIME_FAILED when it is no state. */
export function runtimeState(printed: string, id: string): RuntimeState {
  const { status: name, pid } = membersOf(printed)
  const status = STATES.find((state) => state === name)
  if (status && typeof pid === 'number') return { status, pid }
  const text = printable(printed.trim(), 200) || 'nothing'
  throw new BaleError(
    'RUNTIME_FAILED',
    `cannot tell the state of container ${id.slice(0, 12)}: the runtime said ${text}`,
  )
}

/** The members of a line that is a JSON object; none for any other line. */
function membersOf(line: string): Record<string, unknown> {
  return (parseJson(line) ?? {}) as Record<string, unknown>
}

const CONTROLS = table<string>({ a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' })

/** The inside of a Go string literal. More than JSON's escapes: `\x1b`, `\a`, `\v`, `\U0001f600`. */
function unquoted(literal: string): string {
  return literal.replaceAll(
    /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|(.))/gs,
    (_, x, u, long, other) => {
      const code = Number.parseInt(x ?? u ?? long ?? '', 16)
      if (code <= 0x10ffff) return String.fromCodePoint(code)
      return CONTROLS[other] ?? other ?? '\uFFFD'
    },
  )
}
