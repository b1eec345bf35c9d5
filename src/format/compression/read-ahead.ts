/**
 * The same stream, whose next piece is made while the caller works on one. An iteration that ends early waits for the piece that is
 * being made.
 */
export async function* readAhead<T>(stream: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
  const source = stream[Symbol.asyncIterator]()
  const ask = () => {
    const next = source.next()
    // It is awaited with the next piece; an iteration that ends before does not care.
    next.catch(() => undefined)
    return next
  }
  let ahead = ask()
  try {
    for (;;) {
      const { done, value } = await ahead
      if (done) return
      ahead = ask()
      yield value
    }
  } finally {
    await source.return?.()
  }
}
