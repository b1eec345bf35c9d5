import type { MetaStore } from '../meta/index.ts'

const EVERY = 5_000

/** Folds what pushes and deletions appended, every few seconds until it is disposed. Any number of processes may do so. */
export function foldUsageRegularly(parts: {
  meta: MetaStore
  report: (failure: unknown, what: string) => void
}): AsyncDisposable {
  const { meta, report } = parts
  let folding: Promise<void> | undefined
  const fold = async () => {
    try {
      await meta.foldUsage()
    } catch (error) {
      report(error, 'adding up what repositories use')
    }
    folding = undefined
  }
  const timer = setInterval(() => {
    folding ??= fold()
  }, EVERY).unref()
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await folding
    },
  }
}
