/** Work that a server does every now and then. Disposing it aborts a run and waits for its end. */
interface RegularWork extends AsyncDisposable {
  /** Has it done in a moment, or once more when it is being done. Calls in quick succession count as one. */
  soon(): void
}

const MOMENT = 50

/** Works `every` so many milliseconds, one run at a time; `failed` is told of what a run throws that was not aborted. */
export function workRegularly(
  work: (signal: AbortSignal) => Promise<void>,
  { every, failed }: { every: number; failed: (error: unknown) => void },
): RegularWork {
  const stopping = new AbortController()
  const { signal } = stopping
  let running: Promise<void> | undefined
  let again = false
  const run = async () => {
    do {
      again = false
      try {
        await work(signal)
      } catch (error) {
        if (!signal.aborted) failed(error)
      }
    } while (again && !signal.aborted)
    running = undefined
  }
  const begin = () => {
    if (!signal.aborted) running ??= run()
  }
  let soon: NodeJS.Timeout | undefined
  const timer = setInterval(begin, every)
  timer.unref()
  return {
    soon() {
      soon ??= setTimeout(() => {
        soon = undefined
        again = true
        begin()
      }, MOMENT).unref()
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      clearTimeout(soon)
      stopping.abort()
      await running
    },
  }
}
