/** How far something that is being written has come, for those who read it meanwhile. */
export interface Growth {
  /** So many bytes can be read now. */
  grown(size: number): void
  /** It is whole; or with `failure`, it never will be. Only the first call counts. */
  end(failure?: { error: unknown }): void
  /** How many bytes there are, as soon as there are more than `size`; `size` itself when it is whole. Throws the failure. */
  beyond(size: number): Promise<number>
}

/** Nothing of it is there yet. */
export function createGrowth(): Growth {
  let current = 0
  let ended: { failure?: { error: unknown } } | undefined
  const waiting: (() => void)[] = []
  const wake = () => {
    for (const resume of waiting.splice(0)) resume()
  }
  return {
    grown(size) {
      current = size
      wake()
    },
    end(failure) {
      ended ??= failure ? { failure } : {}
      wake()
    },
    async beyond(size) {
      while (current <= size && !ended) await new Promise<void>((resolve) => waiting.push(resolve))
      if (ended?.failure) throw ended.failure.error
      return current
    },
  }
}
