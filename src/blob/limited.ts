import { createLimiter } from '#base'
import type { BlobStore, BlobWriter } from './blob-store.ts'

/** The same store with at most `limit` reads and writers open at once; the rest wait in order. */
export function limited(store: BlobStore, limit: number): BlobStore {
  const limiter = createLimiter(limit)
  /** Takes a place and gives back the function that frees it. */
  const enter = () =>
    new Promise<() => void>((entered) => {
      void limiter(() => new Promise<void>((left) => entered(left)))
    })
  return {
    stat: (digest) => store.stat(digest),
    list: () => store.list(),
    delete: (digest) => store.delete(digest),
    async read(digest, range) {
      const stream = await store.read(digest, range)
      return (async function* () {
        const leave = await enter()
        try {
          yield* stream
        } finally {
          leave()
        }
      })()
    },
    async writer(key, options) {
      const leave = await enter()
      try {
        return leaving(await store.writer(key, options), leave)
      } catch (error) {
        leave()
        throw error
      }
    },
  }
}

function leaving(writer: BlobWriter, leave: () => void): BlobWriter {
  return {
    get offset() {
      return writer.offset
    },
    write: (chunk) => writer.write(chunk),
    reset: () => writer.reset(),
    commit: (expected) => writer.commit(expected).finally(leave),
    discard: () => writer.discard().finally(leave),
    async [Symbol.asyncDispose]() {
      try {
        await writer[Symbol.asyncDispose]()
      } finally {
        leave()
      }
    },
  }
}
