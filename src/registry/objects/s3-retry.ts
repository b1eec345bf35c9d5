import type { Clock } from '#base'
import { isPassing, rootOf, S3Failure } from './s3-failure.ts'

interface S3RetryOptions {
  clock: Clock
  retries: number
  /** Ends the pauses. */
  signal?: AbortSignal
}

const FIRST_PAUSE = 100
const LONGEST_PAUSE = 5000
/** A server that asks for a longer pause is not waited for. */
const LONGEST_ASKED = 30_000

/** Runs a request again while it fails for the moment. Throws the last failure, as `rootOf` gives it. */
export async function retried<T>(request: () => Promise<T>, options: S3RetryOptions): Promise<T> {
  const { clock, retries, signal } = options
  for (let attempt = 0; ; attempt++) {
    try {
      return await request()
    } catch (thrown) {
      const error = rootOf(thrown)
      const asked = error instanceof S3Failure ? error.retryAfter : undefined
      if (attempt === retries || !isPassing(error) || (asked ?? 0) > LONGEST_ASKED) throw error
      await clock.sleep(pause(attempt, asked), { signal })
    }
  }
}

/** Spread, so that the clients of one failure do not come back together; never shorter than what was asked for. */
function pause(attempt: number, asked: number | undefined): number {
  const backoff = Math.min(FIRST_PAUSE * 2 ** attempt, LONGEST_PAUSE)
  return asked === undefined ? backoff * (0.5 + Math.random()) : asked + FIRST_PAUSE * Math.random()
}
