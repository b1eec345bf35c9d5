import { BaleError, type Clock } from '#base'
import { createHasher, digestMismatch, type Hasher } from '#blob'
import { algorithmOf, type Digest } from '#spec'
import type { MetaStore, Upload } from '../meta/index.ts'
import type { ObjectAppender, ObjectStore } from '../objects/index.ts'
import type { HasherCache } from './hasher-cache.ts'

export interface UploadsParts {
  meta: MetaStore
  objects: ObjectStore
  clock: Clock
  /** Milliseconds that a finished blob stays without a manifest. */
  lease: number
  /** Milliseconds that an object stays for running downloads when another takes its place. */
  grace: number
}

interface SessionParts extends UploadsParts {
  hashers: HasherCache
  upload: Upload
  token: string
  /** Milliseconds after which an abandoned upload is dropped. */
  expires: number
}

const LOCK = 30_000
const RENEW = 10_000
/** A finished upload is remembered so that a client that missed the answer may ask again. */
const REMEMBER_DONE = 3_600_000

/**
 * The exclusive writer of one upload. Rows refer only to synced bytes. Disposing records its progress,
 * also after a broken connection, so that the client can go on there.
 */
export class UploadSession implements AsyncDisposable {
  readonly #parts: SessionParts
  #offset: number
  #appender: ObjectAppender | undefined
  /** Undefined when the beginning was hashed by another process. */
  #hasher: Hasher | undefined
  #state: 'open' | 'failed' | 'done' = 'open'

  constructor(parts: SessionParts) {
    this.#parts = parts
    this.#offset = parts.upload.offset
  }

  get offset(): number {
    return this.#offset
  }

  /** To be called once, first. False when another writer is active. */
  async lock(): Promise<boolean> {
    const { meta, upload, token, clock, hashers } = this.#parts
    const now = clock.now()
    if (!(await meta.lockUpload(upload.id, { token, offset: upload.offset, now, until: now + LOCK }))) return false
    this.#hasher = hashers.take(upload.id, upload.offset)
    if (upload.offset === 0) this.#hasher = createHasher(upload.algorithm)
    return true
  }

  /** Appends a stream. When it breaks, what came before stays. */
  async append(stream: AsyncIterable<Uint8Array>): Promise<void> {
    const appender = await this.#openAppender()
    let renewed = this.#parts.clock.now()
    for await (const chunk of stream) {
      this.#hasher?.update(chunk)
      await this.#guard(() => appender.write(chunk))
      this.#offset += chunk.byteLength
      if (this.#parts.clock.now() - renewed < RENEW) continue
      renewed = this.#parts.clock.now()
      await this.#writeDown(renewed + LOCK)
    }
  }

  /** Verifies the digest and makes the bytes a blob of the repository. DIGEST_MISMATCH throws the upload away. */
  async commit(expected: Digest): Promise<void> {
    const { meta, upload, token, clock, lease, grace } = this.#parts
    const appender = await this.#openAppender()
    await this.#guard(() => appender.sync())
    const digest = await this.#digestBy(algorithmOf(expected))
    if (digest !== expected) {
      this.#state = 'failed'
      await meta.cancelUpload(upload.id, clock.now())
      throw digestMismatch(expected, digest)
    }
    const now = clock.now()
    const times = { now, lease: now + lease, expires: now + REMEMBER_DONE, replaced: now + grace }
    const result = await meta.finishUpload(upload.id, { token, digest, size: this.#offset, ...times })
    if (result === 'lost') throw lost(upload.id)
    this.#state = 'done'
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { meta, upload, token, clock, hashers, expires } = this.#parts
    try {
      if (this.#state === 'open' && this.#appender) {
        await this.#writeDown(0)
        if (this.#hasher) hashers.keep(upload.id, this.#hasher)
      } else if (this.#state !== 'done') {
        const { offset, digest } = upload
        await meta.advanceUpload(upload.id, { token, offset, digest, until: 0, expires: clock.now() + expires })
      }
    } finally {
      await this.#appender?.[Symbol.asyncDispose]()
    }
  }

  /** Syncs, then records the offset; `until` 0 gives the lock back. */
  async #writeDown(until: number): Promise<void> {
    const { meta, upload, token, clock, expires } = this.#parts
    await this.#guard(async () => await this.#appender?.sync())
    const digest = this.#hasher?.digest()
    const progress = { token, offset: this.#offset, digest, until, expires: clock.now() + expires }
    if (await meta.advanceUpload(upload.id, progress)) return
    this.#state = 'failed'
    throw lost(upload.id)
  }

  async #openAppender(): Promise<ObjectAppender> {
    this.#appender ??= await this.#guard(() => this.#parts.objects.append(this.#parts.upload.key, this.#offset))
    return this.#appender
  }

  async #digestBy(algorithm: 'sha256' | 'sha512'): Promise<Digest> {
    const { upload, objects } = this.#parts
    const running = this.#hasher?.digest() ?? (this.#offset === upload.offset ? upload.digest : undefined)
    if (running !== undefined && algorithmOf(running) === algorithm) return running
    const hasher = createHasher(algorithm)
    for await (const chunk of objects.read(upload.key)) hasher.update(chunk)
    return hasher.digest()
  }

  /** After a failure of the storage nothing more is written down: the row keeps the offset of before. */
  async #guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      this.#state = 'failed'
      throw error
    }
  }
}

function lost(id: string): BaleError {
  return new BaleError('LOCKED', `upload ${id} was taken over by another writer`)
}
