import { excessive } from './bytes.ts'
import type { ZipMeter } from './zip-archive.ts'

/** Counts the work that one file causes, including the archives inside it. */
export interface UnpackingMeter extends ZipMeter {
  /** True once a limit was exceeded: the rest of the file must not be read. */
  isSpent(): boolean
}

const MOST_ENTRIES = 500_000
/** Wanted entries are kept in memory; a large application has some thousand. */
const MOST_WANTED = 50_000
const MOST_BYTES = 512 << 20
/**
 * How many bytes may be inflated for each byte of the file, after the allowance. Archives inside archives are
 * compressed already.
 */
const MOST_RATIO = 64
/** Bytes that any file may inflate to. */
const ALLOWANCE = 16 << 20
/**
 * Bytes of the file for each entry, after the allowance. An entry takes 76 bytes and twice its name, and about a fifth
 * of that in a compressed archive inside the file.
 */
const LEAST_PER_ENTRY = 16
/** Entries that any file may have. */
const ENTRY_ALLOWANCE = 1000

/** A meter for a file of `size` bytes. Its methods throw LIMIT_EXCEEDED when the file causes more work than is allowed. */
export function createMeter(size: number): UnpackingMeter {
  const limits = {
    entries: Math.min(MOST_ENTRIES, ENTRY_ALLOWANCE + Math.floor(size / LEAST_PER_ENTRY)),
    wanted: MOST_WANTED,
    bytes: Math.min(MOST_BYTES, ALLOWANCE + MOST_RATIO * size),
  }
  const counts = { entries: 0, wanted: 0, bytes: 0 }
  const units = { entries: 'entries', wanted: 'archives and descriptions', bytes: 'bytes to unpack' }
  let spent = false

  function count(what: keyof typeof counts, by: number): void {
    counts[what] += by
    if (counts[what] <= limits[what]) return
    spent = true
    throw excessive(`with the archives in it, it has more than ${limits[what]} ${units[what]}`)
  }

  return {
    countEntry(isWanted) {
      count('entries', 1)
      if (isWanted) count('wanted', 1)
    },
    countBytes: (bytes) => count('bytes', bytes),
    isSpent: () => spent,
  }
}
