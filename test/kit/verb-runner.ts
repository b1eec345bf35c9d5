import { Readable, Writable } from 'node:stream'
import { renderFailure } from '../../src/cli/render/failure.ts'
import type { Terminal } from '../../src/cli/terminal/terminal.ts'
import { HelpWanted, parseArguments, UsageError } from '../../src/cli/verb/parse-arguments.ts'
import type { Verb } from '../../src/cli/verb/verb.ts'
import { VERBS } from '../../src/cli/verb-table.ts'
import type { Engine } from '../../src/engine/index.ts'

export interface VerbOutcome {
  code: number
  stdout: string
  /** What people would see of a failure, with its stack. */
  stderr: string
}

export interface VerbRunner {
  engine: Engine
  environment?: Record<string, string>
  /** On standard input; none by default. */
  input?: string
  /** False: failures are as people see them, without their stack. */
  stacks?: boolean
}

/** Runs a verb in this process, as run-verb does it, with the output kept: no start of a program for each command line. */
export async function runVerbHere(
  verb: Verb,
  argv: string[],
  { engine, environment, input, stacks = true }: VerbRunner,
): Promise<VerbOutcome> {
  const out: string[] = []
  const complaints: string[] = []
  const io: Terminal = {
    stdin: Readable.from(input === undefined ? [] : [Buffer.from(input)]),
    stdout: keeper(out),
    stderr: keeper(complaints),
    environment: environment ?? { HOME: '/none' },
    write: async (data, to = 'stdout') => void (to === 'stdout' ? out : complaints).push(Buffer.from(data).toString()),
    print: async (line) => void out.push(`${line}\n`),
    warn: (line) => complaints.push(`${line}\n`),
  }
  const outcome = (code: number): VerbOutcome => ({ code, stdout: out.join(''), stderr: complaints.join('') })
  try {
    const parsed = parseArguments(verb, argv)
    const signal = AbortSignal.timeout(300_000)
    const signals = { signal, takeSignals: () => undefined, onHangup: () => undefined }
    return outcome((await verb.run({ ...parsed, engine, io, ...signals })) ?? 0)
  } catch (error) {
    if (error instanceof HelpWanted) return outcome(0)
    const stack = stacks ? `\n${(error as Error).stack}` : ''
    complaints.push(error instanceof UsageError ? error.message : `${renderFailure(error)}${stack}`)
    if (error instanceof UsageError) return outcome(error.exitCode)
    return outcome(verb.failureCodeOf?.(error) ?? verb.failureCode ?? 1)
  }
}

/** The same for a whole command line: `['network', 'ls', '-q']`. */
export async function runLineHere(line: readonly string[], runner: VerbRunner): Promise<VerbOutcome> {
  for (const length of [3, 2, 1]) {
    const entry = VERBS.find(({ names }) => names.includes(line.slice(0, length).join(' ')))
    if (entry) return runVerbHere((await entry.load()).verb, line.slice(length), runner)
  }
  throw new Error(`no such verb: ${line.join(' ')}`)
}

function keeper(words: string[]): Writable {
  return new Writable({
    write(chunk, _encoding, done) {
      words.push(String(chunk))
      done()
    },
  })
}
