import { BaleError } from '#base'
import { askSecret, readSecret } from './ask.ts'
import type { Terminal } from './terminal.ts'

/** The password of before and a new one: two lines of standard input, or prompted for. */
export async function changedPassword(
  io: Terminal,
  options: { fromInput: boolean | undefined; signal: AbortSignal },
): Promise<{ old: string; password: string }> {
  if (!options.fromInput && io.stdin.isTTY) {
    return { old: await askSecret(io, 'Old password: ', options.signal), password: await newPassword(io, options) }
  }
  const text = await newPassword(io, options)
  const [, old, password] = /^([^\r\n]*)\r?\n([^\r\n]*)$/.exec(text) ?? []
  if (old !== undefined && password !== undefined) return { old, password }
  throw new BaleError(
    'INVALID_ARGUMENT',
    'standard input must have the old password on its first line, and the new one on the second',
  )
}

/** A new password: all of standard input, or prompted for twice on a terminal. Never from the command line. */
export async function newPassword(
  io: Terminal,
  { fromInput, signal }: { fromInput: boolean | undefined; signal: AbortSignal },
): Promise<string> {
  if (fromInput) return await readSecret(io)
  const password = await askSecret(io, 'Password: ', signal)
  if (password === (await askSecret(io, 'Password again: ', signal))) return password
  throw new BaleError('INVALID_ARGUMENT', 'the two passwords differ')
}
