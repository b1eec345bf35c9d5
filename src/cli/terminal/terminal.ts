import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import type { Output } from './output.ts'

/** The three streams of a command, and its environment. */
export interface Terminal {
  stdin: Readable & { isTTY?: boolean; fd?: number; setRawMode?(raw: boolean): unknown }
  stdout: Writable & { isTTY?: boolean; columns?: number; rows?: number }
  stderr: Writable & { isTTY?: boolean; columns?: number; rows?: number }
  environment: Readonly<Record<string, string | undefined>>
  /** Writes to stdout, or to stderr, and waits when the reader is slow. */
  write(data: string | Uint8Array, to?: 'stdout' | 'stderr'): Promise<void>
  /** Writes one line to stdout, and waits when the reader is slow. */
  print(line: string): Promise<void>
  /** Writes one line to stderr. */
  warn(line: string): void
}

interface Outputs {
  stdout: Output
  stderr: Output
}

/**
 * The streams of this process, which are opened when they are first asked for. When `signal` is aborted standard input is closed: a
 * verb that waits for input that never comes ends as well.
 */
export function processTerminal(
  environment: Terminal['environment'],
  { stdout, stderr }: Outputs,
  signal: AbortSignal,
): Terminal {
  let stdin: typeof process.stdin | undefined
  signal.addEventListener('abort', () => stdin?.destroy(), { once: true })
  return {
    get stdin() {
      stdin ??= process.stdin
      return stdin
    },
    get stdout() {
      return stdout.stream
    },
    get stderr() {
      return stderr.stream
    },
    environment,
    write: (data, to = 'stdout') => write(to === 'stdout' ? stdout : stderr, data),
    print: (line) => write(stdout, `${line}\n`),
    warn: (line) => void stderr.write(`${line}\n`),
  }
}

async function write(to: Output, data: string | Uint8Array): Promise<void> {
  if (!to.write(data)) await once(to.stream, 'drain')
}
