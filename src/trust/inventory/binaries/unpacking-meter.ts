import { excessive } from './bytes.ts'
import type { ZipMeter } from './zip-archive.ts'

/** Counts what one file at all costs, with the archives inside it. */
export interface UnpackingMeter extends ZipMeter {
  /** True from the first LIMIT_EXCEEDED on: nothing more of the file is to be read. */
  isSpent(): boolean
}

const MOST_ENTRIES = 500_000
/** Those take memory; an application has some thousand. */
const MOST_WANTED = 50_000
const MOST_BYTES = 512 << 20
/** Inflated bytes for one of the file, beyond an allowance: archives inside of one are compressed already. */
const MOST_RATIO = 64
const ALLOWANCE = 16 << 20
/** An entry takes 76 bytes and its name twice, a fifth of that where archives in archives are compressed. */
const LEAST_PER_ENTRY = 16
const ENTRY_ALLOWANCE = 1000

/** For a file of `size` bytes. What is more than it may cost is LIMIT_EXCEEDED. */
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
