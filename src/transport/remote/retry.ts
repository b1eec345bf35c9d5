import { BaleError, type Clock, type OperationOptions } from '#base'
import type { Digest } from '#spec'
import { isTransient } from '#transport/http'
import type { RemoteLimits } from './limits.ts'

export interface RetryOptions extends OperationOptions {
  clock: Clock
  limits: RemoteLimits
  attempts?: number
  /** The blob of the progress events. */
  digest?: Digest
}

/**
 * Runs a task again, after a pause, while it fails for temporary reasons. The pause doubles, or is what the registry
 * asked for with Retry-After; asked for longer than `longestRetryAfter`, the failure is final at once.
 */
export async function withRetries<T>(task: (attempt: number) => Promise<T>, options: RetryOptions): Promise<T> {
  const attempts = options.attempts ?? options.limits.attempts
  for (let attempt = 0; ; attempt++) {
    try {
      return await task(attempt)
    } catch (error) {
      if (attempt + 1 >= attempts || !isTransient(error)) throw error
      await pause(error, attempt, options)
    }
  }
}

/** Waits before try number `attempt + 1`, or throws the error when the wait would be too long. */
export async function pause(error: unknown, attempt: number, options: RetryOptions): Promise<void> {
  const { limits, clock, signal, progress, digest } = options
  const asked = error instanceof BaleError ? (error.details['retryAfter'] as number | undefined) : undefined
  if (asked !== undefined && asked > limits.longestRetryAfter) throw error
  const backoff = Math.min(limits.firstDelay * 2 ** attempt, limits.longestDelay)
  // Spread by up to a half, so that clients of one failure do not come back together.
  const delay = asked ?? backoff * (0.75 + Math.random() / 2)
  if (digest && delay >= 1000) progress?.({ kind: 'blob', digest, phase: 'retrying', seconds: Math.ceil(delay / 1000) })
  await clock.sleep(delay, { signal })
}
