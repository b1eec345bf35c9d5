import { BaleError, createLimiter, firstError } from '#base'
import { algorithmOf, type Digest } from '#spec'
import type { Repository } from '#transport'
import type { StoredBlob } from '../meta/index.ts'
import { canReadUnfinished } from '../objects/index.ts'
import { askUpstream } from './ask-upstream.ts'
import { actorOf, type CacheParts } from './cache-parts.ts'
import { GrowingBlob } from './growing-blob.ts'
import { upstreamError } from './upstream-failure.ts'
import type { UpstreamName } from './upstream-names.ts'

/** `stored`: it has come meanwhile. Undefined: the upstream has none. */
type Fetching = GrowingBlob | 'stored' | undefined
type Begun = (fetching: Fetching) => void

const AT_ONCE = 32

/** Blobs of upstreams that are not here. A process fetches one once, however many ask for it, and to its end, whoever goes away. */
export class CachedBlobs {
  readonly #parts: CacheParts
  readonly #fetching = new Map<string, Promise<Fetching>>()
  /** Each has some megabytes in memory. */
  readonly #limited = createLimiter(AT_ONCE)
  readonly #running = new Set<Promise<void>>()

  constructor(parts: CacheParts) {
    this.#parts = parts
  }

  /** Begins to fetch a blob, or joins those who wait for it. Throws as `upstreamError` when nothing of it comes. */
  bring(name: UpstreamName, digest: Digest): Promise<Fetching> {
    const key = `${name.here}@${digest}`
    const known = this.#fetching.get(key)
    if (known) return known
    const begun = Promise.withResolvers<Fetching>()
    this.#fetching.set(key, begun.promise)
    const running = this.#run(name, digest, begun.resolve)
      .catch(begun.reject)
      .finally(() => {
        this.#fetching.delete(key)
        this.#running.delete(running)
      })
    this.#running.add(running)
    return begun.promise
  }

  /** Undefined when the upstream has none. */
  async size(name: UpstreamName, digest: Digest): Promise<number | undefined> {
    return await askUpstream(this.#parts, name, (repository) => repository.blobSize(digest))
  }

  /** Fulfilled when all that was being fetched has ended. */
  async settled(): Promise<void> {
    await Promise.all(this.#running)
  }

  async #run(name: UpstreamName, digest: Digest, begun: Begun): Promise<void> {
    if (await this.#whole(name, digest)) return begun('stored')
    const expected = await this.#parts.meta.expectedSize(name.here, digest)
    const ask = async (repository: Repository) => {
      const size = expected ?? (await repository.blobSize(digest))
      await this.#store(name, { digest, size, repository, begun })
      return 'fetched'
    }
    const outcome = await this.#limited(() => askUpstream(this.#parts, name, ask))
    if (outcome === undefined) begun(undefined)
  }

  /** Once the upstream has begun to send, readers are told of failures, and not those who asked. */
  async #store(
    name: UpstreamName,
    { digest, size, repository, begun }: { digest: Digest; size: number; repository: Repository; begun: Begun },
  ): Promise<void> {
    const { meta, uploads, report, signal } = this.#parts
    const upload = await uploads.begin({
      repository: name.here,
      principal: actorOf(name),
      algorithm: algorithmOf(digest),
    })
    const stopping = new AbortController()
    let blob: GrowingBlob | undefined
    try {
      const stream = await repository.blob(
        { digest, size, mediaType: 'application/octet-stream' },
        { signal: AbortSignal.any([signal, stopping.signal]) },
      )
      blob = this.#growing(name, { digest, size, key: upload.key })
      begun(blob)
      await using session = await uploads.open(upload)
      if (!session) throw new BaleError('LOCKED', `another writer has the upload ${upload.id}`)
      await session.append(along(stream, blob))
      await session.commit(digest)
      await meta.linkExpected(name.here, digest)
      blob.finish()
    } catch (thrown) {
      // A stream that nobody has begun to read ends with its request.
      stopping.abort()
      await uploads.cancel(upload)
      if (!blob) throw thrown
      const error = upstreamError(firstError(thrown), name)
      blob.fail(error)
      if (!signal.aborted) report(error, `fetching ${digest} for ${name.here}`)
    }
  }

  #growing(name: UpstreamName, { digest, size, key }: { digest: Digest; size: number; key: string }): GrowingBlob {
    const { objects } = this.#parts
    return new GrowingBlob({
      ...{ size, key },
      unfinished: canReadUnfinished(objects) ? objects.readUnfinished : undefined,
      stored: async (start) => {
        const blob = await this.#whole(name, digest)
        if (!blob) throw new BaleError('STORE_DAMAGED', `the blob ${digest} went while it was read`)
        return objects.read(blob.key, { start, end: blob.size, reuse: true })
      },
    })
  }

  /** The blob, if all its bytes are here. */
  async #whole(name: UpstreamName, digest: Digest): Promise<StoredBlob | undefined> {
    const { meta, objects } = this.#parts
    const blob = await meta.findBlob(name.here, digest)
    return blob && (await objects.size(blob.key)) === blob.size ? blob : undefined
  }
}

/** The stream as it is; what passes can be read along. */
async function* along(stream: AsyncIterable<Uint8Array>, blob: GrowingBlob): AsyncGenerator<Uint8Array> {
  for await (const chunk of stream) {
    blob.add(chunk)
    yield chunk
  }
}
