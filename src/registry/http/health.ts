import type { Clock } from '#base'
import type { ObjectStore } from '../objects/index.ts'

/** Whether requests should come to this process. */
export interface Health {
  /** It is being stopped. */
  draining: boolean
  /** What failed when the object store was asked the last time. */
  storeFailure(): unknown
}

/** A key that nothing has. */
const PROBE = '0'.repeat(32)
const ASK_AGAIN = 10_000

/**
 * The object store is asked beside the answers, and not for each of them: a balancer asks several times a second, and a store
 * that is slow must not look like a replica that is gone.
 */
export function createHealth({ objects, clock }: { objects: ObjectStore; clock: Clock }): Health {
  let asked = Number.NEGATIVE_INFINITY
  let failure: unknown
  const ask = async () => {
    asked = clock.now()
    failure = await objects.size(PROBE).then(
      () => undefined,
      (error: unknown) => error,
    )
  }
  return {
    draining: false,
    storeFailure() {
      if (clock.now() - asked >= ASK_AGAIN) void ask()
      return failure
    },
  }
}
