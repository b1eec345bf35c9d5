import { asError, BaleError, printable } from '#base'

/** The error for a file that is no bundle, or a damaged one. */
export function damagedBundle(path: string, reason: string, cause?: unknown): BaleError {
  return new BaleError(
    'INVALID_ARCHIVE',
    `${printable(path)} is no bundle of advisories, or a damaged one: ${printable(reason)}`,
    {
      cause,
      hint: 'install a bundle again, or build one',
    },
  )
}

/** The error for a bundle with another schema than this bale's. */
export function unknownSchema(what: string, found: number, known: number): BaleError {
  const newer = found > known
  return new BaleError(
    'UNSUPPORTED',
    `${printable(what)} has schema ${found}, but this version of bale reads only schema ${known}`,
    {
      ...(newer ? { next: { act: 'use-newer-bale' as const } } : { hint: 'get a bundle that a newer bale has built' }),
      details: { found, known },
    },
  )
}

/** What Node throws for a damaged file, and for a text that it cannot hold. */
const OF_FILES = new Set<unknown>(['ERR_SQLITE_ERROR', 'ERR_STRING_TOO_LONG'])

/** Runs what reads a file; SQLite's errors, and those of values that are too large, become those of a damaged bundle. */
export function readingBundle<T>(path: string, act: () => T): T {
  try {
    return act()
  } catch (error) {
    // What is too large for a text or for the memory may have no code.
    if (!(error instanceof RangeError) && !OF_FILES.has((error as { code?: unknown }).code)) throw error
    throw damagedBundle(path, asError(error).message, error)
  }
}
