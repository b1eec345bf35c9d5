import type { BlobStore, BlobWriter } from './blob-store.ts'

/** The `at`-th call (from 1) of an operation throws `error`; `read` counts chunks, `write` the calls of all writers. */
export interface Fault {
  on: 'stat' | 'read' | 'writer' | 'write' | 'commit' | 'delete'
  at: number
  error: Error
}

/** The same store, failing as planned: for tests of what stands on a store. */
export function faulty(store: BlobStore, plan: readonly Fault[]): BlobStore {
  const calls = new Map<Fault['on'], number>()
  const pass = (on: Fault['on']) => {
    const count = (calls.get(on) ?? 0) + 1
    calls.set(on, count)
    const fault = plan.find((one) => one.on === on && one.at === count)
    if (fault) throw fault.error
  }
  const failing = (writer: BlobWriter): BlobWriter => ({
    get offset() {
      return writer.offset
    },
    async write(chunk) {
      pass('write')
      await writer.write(chunk)
    },
    async commit(expected) {
      pass('commit')
      await writer.commit(expected)
    },
    reset: () => writer.reset(),
    discard: () => writer.discard(),
    [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose](),
  })
  return {
    list: () => store.list(),
    async stat(digest) {
      pass('stat')
      return await store.stat(digest)
    },
    async read(digest, range) {
      const stream = await store.read(digest, range)
      return (async function* () {
        for await (const chunk of stream) {
          pass('read')
          yield chunk
        }
      })()
    },
    async writer(key, options) {
      pass('writer')
      return failing(await store.writer(key, options))
    },
    async delete(digest) {
      pass('delete')
      await store.delete(digest)
    },
  }
}
