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

export function processTerminal(environment: Terminal['environment']): Terminal {
  return {
    stdin: process.stdin,
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
