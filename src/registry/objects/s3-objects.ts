import { mapLimited } from '#base'
import { checkedKey } from './object-key.ts'
import type { ObjectStore, Presigner, Progress } from './object-store.ts'
import { S3Appender } from './s3-appender.ts'
import type { S3Client } from './s3-client.ts'
import { completeSmall, completeUpload, readTail } from './s3-complete.ts'
import { type S3Options, s3Settings } from './s3-settings.ts'
import { parseState, recordedState } from './s3-state.ts'

/** Objects in a bucket. Dispose it to close its connections. */
export interface S3Objects extends ObjectStore, Presigner, AsyncDisposable {
  /**
   * Whether the bucket answers, by one small request. Throws UNAVAILABLE, DENIED, or INVALID_ARGUMENT for a bucket that
   * does not exist.
   */
  checkAccess(options?: { signal?: AbortSignal }): Promise<void>
}

/**
 * Objects in a bucket of an S3 server, as `<prefix><key>`. An object of a part or more is a multipart upload under the key
 * of its writing; what is less is an object under a key of its own, the tail, from one piece to the next. A tail that is
 * all there is becomes the object as it is. Nothing is ever copied or renamed.
 */
export function createS3Objects(options: S3Options): S3Objects {
  const settings = s3Settings(options)
  let opened: Promise<S3Client> | undefined
  // Loaded when it is used first: a registry on files starts without it (80 ms).
  const connect = () => {
    opened ??= import('./s3-client.ts').then(({ createS3Client }) => createS3Client(settings))
    return opened
  }
  const stateOf = (key: string, progress: Progress) => {
    checkedKey(key)
    return recordedState(progress, settings.partSize)
  }
  return {
    async append(key, progress, record) {
      const state = stateOf(key, progress)
      const client = await connect()
      await removeAll(client, state.replaced)
      return new S3Appender({ client, key, state, progress, record, readTail: () => readTail(client, state) })
    },
    async complete(key, progress) {
      const state = stateOf(key, progress)
      const client = await connect()
      const completed =
        state.uploadId === undefined
          ? await completeSmall(client, key, state)
          : await completeUpload(client, { key, id: state.uploadId }, state)
      await removeAll(client, state.replaced)
      return completed
    },
    async *read(key, { start = 0, end = Number.POSITIVE_INFINITY } = {}) {
      checkedKey(key)
      yield* (await connect()).read(key, start, end)
    },
    size: async (key) => await (await connect()).size(checkedKey(key)),
    async delete(key, text) {
      checkedKey(key)
      const state = text === undefined ? undefined : parseState(text)
      const client = await connect()
      await abortAll(client, key, state?.uploadId)
      const tail = state?.tail ? [state.tail.key] : []
      await removeAll(client, [key, ...tail, ...(state?.replaced ?? [])])
    },
    async *list() {
      yield* (await connect()).list()
    },
    presign: async (key, seconds) => await (await connect()).presign(checkedKey(key), seconds),
    checkAccess: async ({ signal } = {}) => await (await connect()).probe(signal),
    [Symbol.asyncDispose]: async () => await (await opened)?.[Symbol.asyncDispose](),
  }
}

async function removeAll(client: S3Client, keys: readonly string[]): Promise<void> {
  await mapLimited(keys, AT_ONCE, (key) => client.remove(key))
}

const AT_ONCE = 8

/** Also uploads that no state names: their writer was killed before it recorded them. */
async function abortAll(client: S3Client, key: string, recorded: string | undefined): Promise<void> {
  const found = (await client.uploadsOf(key)).map(({ id }) => id)
  const ids = new Set(recorded === undefined ? found : [recorded, ...found])
  for (const id of ids) await client.abortUpload({ key, id })
}
