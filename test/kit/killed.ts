import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import type { TestBale } from './bale.ts'
import { until } from './until.ts'

export interface Killing {
  /** Whether the moment has come: asked all the time, with what the command has written until then. */
  when: (output: string) => boolean
  /** Written to its standard input, which stays open. */
  input?: Uint8Array
}

/** Runs `bale ARGS` and kills it by SIGKILL at a moment; false when it had ended before. */
export async function killed(bale: TestBale, args: readonly string[], { when, input }: Killing): Promise<boolean> {
  const child = spawn(resolve(import.meta.dirname, '../../bin/bale'), [...args], {
    env: bale.environment,
    stdio: 'pipe',
  })
  // Killed while it reads: the pipe is cut.
  child.stdin.on('error', () => undefined)
  if (input) child.stdin.write(input)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
  }
  let isOver = false
  const ended = once(child, 'exit') as Promise<[number | null, string | null]>
  ended.then(() => {
    isOver = true
  })
  try {
    await until(`${args.join(' ')} can be killed`, () => isOver || when(output), { every: 1 })
  } finally {
    child.kill('SIGKILL')
  }
  return (await ended)[1] === 'SIGKILL'
}
