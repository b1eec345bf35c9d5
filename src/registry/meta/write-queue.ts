import { isBaleError } from '#base'
import type { Sqlite } from '#host/sqlite'

/** A transaction that waits for its turn. */
interface Waiting {
  file: Sqlite
  work: () => Promise<unknown>
  durable: boolean
  done(outcome: Outcome): void
}

type Outcome = { value: unknown } | { error: unknown }

/** Transactions that are written to the disk together, at most. */
const MOST = 64

/**
 * Runs transactions one after another. Those that wait when the file is free are written down by one commit, so that they wait
 * for the disk once: each has all or nothing of its own in it, and is done when the commit is.
 */
export class WriteQueue {
  readonly #unused: () => void
  readonly #waiting: Waiting[] = []
  #running: Promise<void> | undefined
  openings = 0

  /** Calls `unused` when its last opening is closed. */
  constructor(unused: () => void) {
    this.#unused = unused
  }

  add<T>(file: Sqlite, work: () => Promise<T>, durable: boolean): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const done = (outcome: Outcome) => ('error' in outcome ? reject(outcome.error) : resolve(outcome.value as T))
      this.#waiting.push({ file, work, durable, done })
      this.#running ??= this.#run()
    })
  }

  /** Closes one opening, after what it has under way. */
  async end(): Promise<void> {
    await this.#running
    if (--this.openings === 0) this.#unused()
  }

  async #run(): Promise<void> {
    // Requests that came at the same time get here in this turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#waiting.length > 0) {
      const { file } = this.#waiting[0]!
      const others = this.#waiting.findIndex((one) => one.file !== file)
      await runTogether(file, this.#waiting.splice(0, Math.min(MOST, others < 0 ? MOST : others)))
    }
    this.#running = undefined
  }
}

async function runTogether(file: Sqlite, batch: readonly Waiting[]): Promise<void> {
  if (batch.length === 1) return await runAlone(batch[0]!)
  const outcomes: Outcome[] = []
  try {
    await file.transactionLater(
      async () => {
        for (const { work } of batch) outcomes.push(await within(file, work))
      },
      { unsynced: batch.every(({ durable }) => !durable) },
    )
  } catch (error) {
    // A full disk undoes all of them: some fit, and each is told of itself. What else ends all of them would end each.
    if (isBaleError(error, 'NO_SPACE')) for (const one of batch) await runAlone(one)
    else for (const { done } of batch) done({ error })
    return
  }
  for (const [index, { done }] of batch.entries()) done(outcomes[index]!)
}

/** What it throws is the failure of this one alone, unless it ended the transaction of all. */
async function within(file: Sqlite, work: () => Promise<unknown>): Promise<Outcome> {
  try {
    return { value: await file.transactionLater(work) }
  } catch (error) {
    if (!file.inTransaction) throw error
    return { error }
  }
}

async function runAlone({ file, work, durable, done }: Waiting): Promise<void> {
  try {
    done({ value: await file.transactionLater(work, { unsynced: !durable }) })
  } catch (error) {
    done({ error })
  }
}
