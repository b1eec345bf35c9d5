const BREATH = 8 << 20

/**
 * For long work that is synchronous: called with the bytes that were worked on, it answers now and then with a promise that lets
 * timers and signals in, and rejects when the work was cancelled.
 */
export function breather(signal: AbortSignal | undefined): (bytes: number) => void | Promise<void> {
  let since = 0
  return (bytes) => {
    since += bytes
    if (since < BREATH) return
    since = 0
    return new Promise<void>((resolve) => setImmediate(resolve)).then(() => signal?.throwIfAborted())
  }
}
