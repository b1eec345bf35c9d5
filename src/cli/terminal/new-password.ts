import { BaleError } from '#base'
import { askSecret, readSecret } from './ask.ts'
import type { Terminal } from './terminal.ts'

/** A new password: all of standard input, or prompted for twice on a terminal. Never from the command line. */
export async function newPassword(
  io: Terminal,
  { fromInput, signal }: { fromInput: boolean | undefined; signal: AbortSignal },
): Promise<string> {
  if (fromInput) return await readSecret(io)
  if (!io.stdin.isTTY) {
    throw new BaleError('INVALID_ARGUMENT', 'standard input is not a terminal, so the password cannot be asked for', {
      hint: 'use --password-stdin to read it from there',
    })
  }
  const password = await askSecret(io, 'Password: ', signal)
  if (password === (await askSecret(io, 'Password again: ', signal))) return password
  throw new BaleError('INVALID_ARGUMENT', 'the two passwords differ')
}
