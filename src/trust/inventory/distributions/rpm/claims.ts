import { damaged, ENDS_EARLY, USED_TWICE } from './damaged.ts'

/** Which pages of a database were used. */
export interface Claims {
  /** Throws when the database does not have the page (0 is none), or when it was claimed before. */
  claim(page: number): void
}

/** Claims of pages up to the number `last`. They take no more memory than the database has pages. */
export function createClaims(last: number): Claims {
  const claimed = new Set<number>()
  return {
    claim(page) {
      if (page === 0 || page > last) throw damaged(ENDS_EARLY)
      if (claimed.has(page)) throw damaged(USED_TWICE)
      claimed.add(page)
    },
  }
}
