import { asError, printable } from '#base'

/** What became of the records of a source: a malformed one is left out and counted here, and the others are read. */
export interface Tally {
  /** Records that were read, withdrawn ones included. */
  readonly records: number
  readonly skipped: number
  /** What was wrong with some of those that were skipped. */
  readonly reasons: readonly string[]
  /** What reading a record gives; undefined when that throws, and then it is skipped. `what` is the record in messages. */
  read<T>(what: string, act: () => T): T | undefined
  skip(what: string, reason: unknown): void
}

const REASONS_AT_MOST = 10
const REASON_LENGTH = 300

export function createTally(): Tally {
  const reasons: string[] = []
  let records = 0
  let skipped = 0
  const skip = (what: string, reason: unknown) => {
    skipped++
    if (reasons.length < REASONS_AT_MOST) reasons.push(printable(`${what}: ${asError(reason).message}`, REASON_LENGTH))
  }
  return {
    reasons,
    get records() {
      return records
    },
    get skipped() {
      return skipped
    },
    read(what, act) {
      try {
        const result = act()
        records++
        return result
      } catch (error) {
        skip(what, error)
        return undefined
      }
    },
    skip,
  }
}
