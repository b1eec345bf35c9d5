import { BaleError } from '#base'
import { textLengthOf } from '../collector.ts'
import type { AnalysedFile } from './analysed-file.ts'

/**
 * Packages, files and paths of packages; the largest images have some hundred thousand. A gap counts as ten, and so much
 * text of packages as one.
 */
const MOST = 10_000_000
/** Characters. Real packages have some 300. */
const TEXT_OF_ONE = 64

/** Bounds what is remembered of one image, in all its layers together. */
export interface MemoryBound {
  /** LIMIT_EXCEEDED when it would be too much; it is not counted then. */
  take(file: AnalysedFile): void
  give(file: AnalysedFile): void
}

export function createMemoryBound(most = MOST): MemoryBound {
  let taken = 0
  return {
    take(file) {
      const weight = weightOf(file)
      if (taken + weight > most)
        throw new BaleError('LIMIT_EXCEEDED', `the image has more than ${most} packages and paths of packages`)
      taken += weight
    },
    give(file) {
      taken -= weightOf(file)
    },
  }
}

function weightOf({ found: { packages = [], gaps = [] }, owned }: AnalysedFile): number {
  const text = packages.reduce((sum, one) => sum + textLengthOf(one), 0)
  return 1 + packages.length + Math.floor(text / TEXT_OF_ONE) + 10 * gaps.length + (owned?.size ?? 0)
}
