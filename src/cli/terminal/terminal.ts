import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'

/** The three streams of a command, and its environment. */
export interface Terminal {
  stdin: Readable & { isTTY?: boolean; fd?: number; setRawMode?(raw: boolean): unknown }
  stdout: Writable & { isTTY?: boolean; columns?: number; rows?: number }
  stderr: Writable & { isTTY?: boolean; columns?: number; rows?: number }
  environment: Readonly<Record<string, string | undefined>>
  /** Writes one line to stdout, and waits when the reader is slow. */
  print(line: string): Promise<void>
  /** Writes one line to stderr. */
  warn(line: string): void
}

/**
 * The streams of this process. Standard input is opened when it is first asked for, which most verbs never do. When
 * `signal` is aborted it is closed: a verb that waits for input that never comes ends as well.
 */
export function processTerminal(environment: Terminal['environment'], signal: AbortSignal): Terminal {
  let stdin: typeof process.stdin | undefined
  signal.addEventListener('abort', () => stdin?.destroy(), { once: true })
  return {
    get stdin() {
      stdin ??= process.stdin
      return stdin
    },
    stdout: process.stdout,
    stderr: process.stderr,
    environment,
    async print(line) {
      if (!process.stdout.write(`${line}\n`)) await once(process.stdout, 'drain')
    },
    warn(line) {
      process.stderr.write(`${line}\n`)
    },
  }
}
