import { BaleError } from '#base'

/** What a reader of a database throws when it cannot go on; the words become the reason of a gap. */
export function damaged(words: string): BaleError {
  return new BaleError('INVALID_ARCHIVE', words)
}

export const ENDS_EARLY = 'the rpm database ends early'
export const USED_TWICE = 'a part of the rpm database is used twice'

/** Receives the reason why a part of a database is left out. */
export type Miss = (reason: string) => void

/** What `read` gives; undefined, with the reason noted, when it meets damage. */
export async function orMiss<T>(miss: Miss, read: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    if (!(error instanceof BaleError) || error.code !== 'INVALID_ARCHIVE') throw error
    miss(error.message)
    return undefined
  }
}
