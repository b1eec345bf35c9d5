import { type BaleError, type Clock, isBaleError } from '#base'
import { digestMismatch } from '#blob'
import { algorithmOf, type Digest } from '#spec'
import type { MetaStore, Upload } from '../meta/index.ts'
import type { ObjectAppender, ObjectStore, Progress } from '../objects/index.ts'
import type { HashThread } from './hash-thread.ts'
import type { HasherCache } from './hasher-cache.ts'
import { createReservation, lost } from './reservation.ts'
import { createUploadHasher, type UploadHasher } from './upload-hasher.ts'

export interface UploadsParts {
  meta: MetaStore
  objects: ObjectStore
  clock: Clock
  /** Milliseconds that a finished blob stays without a manifest. */
  lease: number
  /** Milliseconds that an object stays for running downloads when another takes its place. */
  grace: number
  /** Hashes what is large; without it everything is hashed here. */
  hashThread?: HashThread
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
  /** With what is not safe yet. */
  #offset: number
  #progress: Progress
  /** What the row says. */
  #recorded: Progress & { digest?: Digest }
  #appender: ObjectAppender | undefined
  /** Undefined when the beginning was hashed by another process. */
  #hasher: UploadHasher | undefined
  #status: 'open' | 'failed' | 'done' = 'open'

  constructor(parts: SessionParts) {
    this.#parts = parts
    const { offset, state, digest } = parts.upload
    this.#offset = offset
    this.#progress = { offset, state }
    this.#recorded = { offset, state, digest }
  }

  get offset(): number {
    return this.#offset
  }

  /** To be called once, first. False when another writer is active. */
  async lock(): Promise<boolean> {
    const { meta, upload, token, hashers, hashThread } = this.#parts
    if (!(await meta.lockUpload(upload.id, { token, offset: upload.offset, lock: LOCK }))) return false
    this.#hasher = hashers.take(upload.id, upload.offset)
    if (upload.offset === 0) this.#hasher = createUploadHasher(hashThread, upload.algorithm)
    return true
  }

  /**
   * Appends a stream, of which `length` bytes are expected. When it breaks, what came before stays; QUOTA_EXCEEDED throws the
   * upload away, so that nothing of it is counted.
   */
  async append(stream: AsyncIterable<Uint8Array>, { length = 0 }: { length?: number } = {}): Promise<void> {
    const { meta, upload, token } = this.#parts
    const reservation = createReservation({ meta, upload, token })
    if (length > 0) await this.#withinQuota(() => reservation.cover(this.#offset + length))
    const appender = await this.#openAppender()
    const isDue = this.#everySoOften()
    for await (const chunk of stream) {
      await this.#withinQuota(() => reservation.cover(this.#offset + chunk.byteLength))
      await this.#hasher?.update(chunk)
      await this.#guard(() => appender.write(chunk))
      this.#offset += chunk.byteLength
      if (isDue()) await this.#writeDown(LOCK, () => appender.checkpoint())
    }
  }

  /** Verifies the digest and makes the bytes a blob of the repository. DIGEST_MISMATCH and QUOTA_EXCEEDED throw the upload away. */
  async commit(expected: Digest): Promise<void> {
    const { meta, upload, token, objects, lease, grace } = this.#parts
    const algorithm = algorithmOf(expected)
    const appender = await this.#openAppender()
    this.#progress = await this.#guard(() => appender.sync())
    const known = await this.#knownDigest(algorithm)
    if (known !== undefined && known !== expected) throw await this.#giveUp(expected, known)
    // What is not complete yet is on record before it is, so that nothing of it stays behind when this process dies.
    if (this.#progress.state !== this.#recorded.state) await this.#record(LOCK)
    const key = await this.#guard(() => objects.complete(upload.key, this.#progress))
    const digest = known ?? (await this.#guard(() => this.#hashAgain(key, algorithm)))
    if (digest !== expected) throw await this.#giveUp(expected, digest)
    const finish = { token, digest, size: this.#offset, key, lease, keep: REMEMBER_DONE, grace }
    const outcome = await this.#withinQuota(() => meta.finishUpload(upload.id, finish))
    if (outcome === 'lost') throw lost(upload.id)
    this.#status = 'done'
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { upload, hashers } = this.#parts
    try {
      const appender = this.#appender
      if (this.#status === 'open' && appender) {
        await this.#writeDown(0, () => appender.sync())
        if (this.#hasher) hashers.keep(upload.id, this.#hasher)
        this.#hasher = undefined
      } else if (this.#status !== 'done') await this.#release()
    } finally {
      this.#hasher?.[Symbol.dispose]()
      await this.#appender?.[Symbol.asyncDispose]()
    }
  }

  /** Records what is safe; `lock` 0 gives the lock back. */
  async #writeDown(lock: number, makeSafe: () => Promise<Progress>): Promise<void> {
    this.#progress = await this.#guard(makeSafe)
    await this.#record(lock)
  }

  async #record(lock: number): Promise<void> {
    const isAll = this.#progress.offset === this.#offset
    const digest = isAll ? await this.#knownDigest(this.#parts.upload.algorithm) : undefined
    await this.#save({ ...this.#progress, digest }, lock)
  }

  async #save(recorded: Progress & { digest?: Digest }, lock: number): Promise<void> {
    const { meta, upload, token, expires } = this.#parts
    if (await meta.advanceUpload(upload.id, { token, ...recorded, lock, keep: expires })) {
      this.#recorded = recorded
      return
    }
    this.#status = 'failed'
    throw lost(upload.id)
  }

  /** Gives the lock back; the row says what it said. */
  async #release(): Promise<void> {
    const { meta, upload, token, expires } = this.#parts
    await meta.advanceUpload(upload.id, { token, ...this.#recorded, lock: 0, keep: expires })
  }

  async #giveUp(expected: Digest, digest: Digest): Promise<BaleError> {
    await this.#throwAway()
    return digestMismatch(expected, digest)
  }

  async #throwAway(): Promise<void> {
    const { meta, upload } = this.#parts
    this.#status = 'failed'
    await meta.cancelUpload(upload.id)
  }

  async #withinQuota<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (isBaleError(error, 'QUOTA_EXCEEDED')) await this.#throwAway()
      throw error
    }
  }

  async #openAppender(): Promise<ObjectAppender> {
    const { objects, upload } = this.#parts
    const note = ({ state }: Progress) => this.#save({ ...this.#recorded, state }, LOCK)
    this.#appender ??= await this.#guard(() => objects.append(upload.key, this.#progress, note))
    return this.#appender
  }

  /** From the bytes that came here, or what a process before this one wrote down. */
  async #knownDigest(algorithm: 'sha256' | 'sha512'): Promise<Digest | undefined> {
    const { upload } = this.#parts
    const running = (await this.#hasher?.digest()) ?? (this.#offset === upload.offset ? upload.digest : undefined)
    return running !== undefined && algorithmOf(running) === algorithm ? running : undefined
  }

  async #hashAgain(
    key: string,
    algorithm: 'sha256' | 'sha512',
    thread: HashThread | undefined = this.#parts.hashThread,
  ): Promise<Digest> {
    using hasher = createUploadHasher(thread, algorithm)
    const isDue = this.#everySoOften()
    for await (const chunk of this.#parts.objects.read(key, { reuse: true })) {
      await hasher.update(chunk)
      if (isDue()) await this.#record(LOCK)
    }
    return (await hasher.digest()) ?? (await this.#hashAgain(key, algorithm, undefined))
  }

  /** True when the lock is to be renewed. */
  #everySoOften(): () => boolean {
    const { clock } = this.#parts
    let last = clock.now()
    return () => {
      if (clock.now() - last < RENEW) return false
      last = clock.now()
      return true
    }
  }

  /** After a failure of the storage nothing more is written down: the row keeps the offset of before. */
  async #guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      this.#status = 'failed'
      throw error
    }
  }
}
