import { BaleError } from '#base'
import { quoted } from './tar-error.ts'

/** Archives of layers have an entry for nearly every directory. These take some 400 MB of memory. */
const MOST_IMPLIED = 1_000_000
/**
 * Parts of paths, and characters of links on the way. A million directories of twenty parts, each behind two links of
 * ten characters, take 40 million.
 */
const MOST_STEPS = 100_000_000

/**
 * Bounds what the entries of one layer make a reader do beyond their number, which the scanner bounds: a path of 4 KB
 * implies two thousand directories, and each of forty links may send the reader through as many parts.
 */
export interface WalkBound {
  /** Counts a directory that no entry describes. Throws LIMIT_EXCEEDED. */
  implied(name: string): void
  /** Counts parts of a path that are walked, or characters of a link that is followed. Throws LIMIT_EXCEEDED. */
  walked(steps: number, name: string): void
}

export function createWalkBound(): WalkBound {
  let implied = 0
  let steps = 0
  return {
    implied(name) {
      if (++implied > MOST_IMPLIED)
        throw tooMuch(name, `the archive has more than ${MOST_IMPLIED} directories without an entry of their own`)
    },
    walked(more, name) {
      steps += more
      if (steps > MOST_STEPS) throw tooMuch(name, 'the paths and symbolic links of the archive take too long to follow')
    },
  }
}

function tooMuch(name: string, what: string): BaleError {
  return new BaleError('LIMIT_EXCEEDED', `tar entry ${quoted(name)}: ${what}`, {
    hint: 'the archive may be crafted to exhaust memory or time',
    details: { entry: name },
  })
}
