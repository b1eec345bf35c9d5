import { once } from 'node:events'
import type { Terminal } from './verb.ts'

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
