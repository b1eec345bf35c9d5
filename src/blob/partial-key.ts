import { BaleError, printable } from '#base'
import { algorithmOf, hexOf, isDigest } from '#spec'

/** The file name of a partial blob. Throws INVALID_ARGUMENT for anything that could be more than a plain name. */
export function partialName(key: string): string {
  if (isDigest(key)) return `${algorithmOf(key)}-${hexOf(key)}`
  if (/^[a-z0-9][a-z0-9-]{0,127}$/.test(key)) return key
  throw new BaleError('INVALID_ARGUMENT', `not a key of a partial blob: ${printable(key, 160)}`)
}
