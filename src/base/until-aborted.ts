/**
 * The items of a source until `signal` is aborted; then its reason is thrown, also while the source is silent, as an idle
 * terminal is. The source is asked to end, but is not waited for while it is busy.
 */
export async function* untilAborted<T>(items: AsyncIterable<T>, signal: AbortSignal | undefined): AsyncGenerator<T> {
  if (!signal) {
    yield* items
    return
  }
  signal.throwIfAborted()
  // One promise for each item: a race with one for all items would hold something of each of them to the end.
  let giveUp: (reason: unknown) => void = () => undefined
  const abort = () => giveUp(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  const source = items[Symbol.asyncIterator]()
  let busy = false
  try {
    for (;;) {
      busy = true
      const next = await new Promise<IteratorResult<T>>((resolve, reject) => {
        giveUp = reject
        source.next().then(resolve, reject)
      })
      busy = false
      if (next.done) return
      yield next.value
      signal.throwIfAborted()
    }
  } finally {
    signal.removeEventListener('abort', abort)
    const ending = source.return?.()
    // A source that is still busy ends when it can; how that went is of no more interest.
    if (busy) ending?.catch(() => undefined)
    else await ending
  }
}
