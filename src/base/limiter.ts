/** Runs at most `limit` of the tasks given to it at the same time, the rest in order of arrival. */
export type Limiter = <T>(task: () => Promise<T>) => Promise<T>

/** Runs at most `limit` tasks at the same time; the others wait in order. */
export function createLimiter(limit: number): Limiter {
  let running = 0
  const waiting: (() => void)[] = []
  return async (task) => {
    if (running >= limit) await new Promise<void>((resolve) => waiting.push(resolve))
    else running++
    try {
      return await task()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else running--
    }
  }
}

/**
 * Applies `work` to all items, at most `limit` at once; results in the items' order. The first failure aborts the
 * signal passed to the others, and is thrown after all of them have ended, so no work outlives the call.
 */
export async function mapLimited<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T, context: { index: number; signal: AbortSignal }) => Promise<R>,
  options: { signal?: AbortSignal } = {},
): Promise<R[]> {
  const stop = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal
  const limited = createLimiter(limit)
  let failure: { error: unknown } | undefined
  const results = await Promise.all(
    items.map((item, index) =>
      limited(async () => {
        if (failure) return undefined as R
        try {
          signal.throwIfAborted()
          return await work(item, { index, signal })
        } catch (error) {
          failure ??= { error }
          stop.abort(error)
          return undefined as R
        }
      }),
    ),
  )
  if (failure) throw failure.error
  return results
}
