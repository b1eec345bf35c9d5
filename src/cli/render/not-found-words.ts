import { BaleError, isBaleError, printable } from '#base'

const WORDS = { VOLUME_NOT_FOUND: 'No such volume', NETWORK_NOT_FOUND: 'No such network' } as const

/** docker's client has its own messages for things named on the command line that do not exist. */
export function notFoundWords(thrown: unknown, name: string): unknown {
  if (!isBaleError(thrown, 'VOLUME_NOT_FOUND') && !isBaleError(thrown, 'NETWORK_NOT_FOUND')) return thrown
  const { code, hint, next, details } = thrown
  const words = WORDS[code as keyof typeof WORDS]
  return new BaleError(code, `${words}: ${printable(name, 300)}`, { cause: thrown, hint, next, details })
}
