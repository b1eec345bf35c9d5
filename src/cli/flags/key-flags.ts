import { BaleError } from '#base'
import { askSecret, readSecret } from '../terminal/ask.ts'
import type { Terminal } from '../terminal/terminal.ts'

/** The flags of verbs that sign. */
export const KEY_OPTIONS = [
  { flags: '--key <FILE>', description: 'Private key (PEM), or env://NAME for one in a variable' },
  { flags: '--password-stdin', description: "Read the key's password from standard input" },
  { flags: '--password-prompt', description: "Ask for the key's password" },
] as const

interface KeyFlags {
  key?: string
  passwordStdin?: boolean
  passwordPrompt?: boolean
}

/** Variables that hold the password of a key; the second is cosign's. */
const PASSWORD_VARIABLES = ['BALE_KEY_PASSWORD', 'COSIGN_PASSWORD']

/** The key and its password: from standard input, asked for, or from the environment. Never from the command line. */
export async function keyOf(
  { key, passwordStdin, passwordPrompt }: KeyFlags,
  io: Terminal,
  signal: AbortSignal,
): Promise<{ key: string; password?: string }> {
  if (key === undefined) {
    throw new BaleError('INVALID_ARGUMENT', 'no key to sign with is given', {
      hint: 'name it with --key; bale key generate makes one',
    })
  }
  if (passwordStdin) return { key, password: await readSecret(io) }
  if (passwordPrompt) return { key, password: await askSecret(io, `Password of ${key}: `, signal) }
  const name = PASSWORD_VARIABLES.find((one) => io.environment[one] !== undefined)
  return { key, password: name === undefined ? undefined : io.environment[name] }
}
