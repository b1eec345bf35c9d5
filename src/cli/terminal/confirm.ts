import { BaleError } from '#base'
import { askLine } from './ask.ts'
import type { Terminal } from './terminal.ts'

/** Asks before something is deleted; without a terminal the answer must come by --force. */
export async function confirm(io: Terminal, warning: string, signal: AbortSignal): Promise<boolean> {
  if (!io.stdin.isTTY) {
    throw new BaleError(
      'INVALID_ARGUMENT',
      `${warning.split('\n')[0]} Standard input is not a terminal, so this cannot be confirmed.`,
      {
        hint: 'use --force to skip the question',
      },
    )
  }
  const answer = await askLine(io, `${warning}\nAre you sure you want to continue? [y/N] `, signal)
  return /^y(es)?$/i.test(answer.trim())
}
