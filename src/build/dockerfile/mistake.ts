/**
 * An error in the words of an instruction, found where only the words are known. The caller that knows the instruction turns
 * it into an error with file, line and column (`explainAt`).
 */
export class Mistake extends Error {
  /** The word as written in the file, and the offset in it. Undefined: it concerns the whole instruction. */
  readonly word: string | undefined
  readonly offset: number

  constructor(message: string, { word, offset = 0, cause }: { word?: string; offset?: number; cause?: unknown } = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'Mistake'
    this.word = word
    this.offset = offset
  }
}

/** Runs `act` on a word of an instruction: a mistake without a place is one in that word. */
export function inWord<T>(word: string, act: () => T): T {
  try {
    return act()
  } catch (error) {
    if (!(error instanceof Mistake) || error.word !== undefined) throw error
    throw new Mistake(error.message, { word, cause: error.cause })
  }
}
