import { BaleError } from '#base'
import { randomKey } from './object-key.ts'
import type { ObjectAppender, Progress, RecordProgress } from './object-store.ts'
import type { S3Client, S3Upload } from './s3-client.ts'
import { encodeState, type S3State } from './s3-state.ts'

/** Parts on their way; one more is being filled. */
const IN_FLIGHT = 2
/** Source: "Amazon S3 multipart upload limits". */
const MOST_PARTS = 10_000
const FIRST_BUFFER = 64 * 1024

interface S3AppenderParts {
  client: S3Client
  key: string
  /** What is recorded; its replaced tails are gone already. */
  state: S3State
  progress: Progress
  record: RecordProgress
  readTail(): Promise<Uint8Array>
}

/**
 * Cuts a stream into parts of one size, which go up while the next one is filled. What is less than a part is kept in
 * memory and made an object of its own by each sync. The first failure ends it: it is thrown by all that follows.
 */
export class S3Appender implements ObjectAppender {
  readonly #client: S3Client
  readonly #key: string
  readonly #partSize: number
  readonly #record: RecordProgress
  readonly #readTail: () => Promise<Uint8Array>
  readonly #etags: string[]
  readonly #running = new Set<Promise<void>>()
  readonly #closed = new AbortController()
  /** Of parts that arrived. */
  readonly #spare: Buffer[] = []
  #upload: Promise<S3Upload> | undefined
  #buffer: Buffer = Buffer.alloc(0)
  #filled = 0
  #tail: S3State['tail']
  /** Parts before the tail. */
  #tailParts: number
  #isTailRead: boolean
  #replaced: string[] = []
  #parts: number
  #progress: Progress
  /** Of that progress. */
  #state: S3State
  #isChanged = false
  #failure: { error: unknown } | undefined

  constructor({ client, key, state, progress, record, readTail }: S3AppenderParts) {
    this.#client = client
    this.#key = key
    this.#partSize = state.partSize
    this.#record = record
    this.#readTail = readTail
    this.#etags = [...state.etags]
    this.#parts = state.etags.length
    this.#tail = state.tail
    this.#tailParts = state.etags.length
    this.#isTailRead = state.tail === undefined
    this.#progress = progress
    this.#state = state
    if (state.uploadId !== undefined) this.#upload = Promise.resolve({ key, id: state.uploadId })
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (chunk.byteLength === 0) return
    await this.#guard(async () => {
      if (!this.#isTailRead) await this.#takeTail()
      this.#isChanged = true
      await this.#gather(chunk)
    })
  }

  /** Whole parts: the bytes of the one that is being filled would be put again and again by a slow stream. */
  async checkpoint(): Promise<Progress> {
    await this.#guard(async () => {
      await Promise.all(this.#running)
      this.#throwFailure()
      // The tail is part of the next part from here on.
      if (this.#parts > this.#tailParts) await this.#proceed(undefined)
    })
    return this.#progress
  }

  async sync(): Promise<Progress> {
    await this.#guard(async () => {
      await Promise.all(this.#running)
      this.#throwFailure()
      if (this.#isChanged) await this.#proceed(await this.#putTail())
      this.#isChanged = false
    })
    return this.#progress
  }

  /** Waits for what is on its way, so that nothing appears in the bucket later; it is not tried again. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort()
    await Promise.all(this.#running)
  }

  /** The bytes of the tail become those of the next part. */
  async #takeTail(): Promise<void> {
    const bytes = await this.#readTail()
    this.#isTailRead = true
    await this.#gather(bytes)
  }

  async #gather(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.byteLength; ) {
      if (this.#parts === MOST_PARTS) throw tooLarge(this.#partSize)
      this.#reserve(chunk.byteLength - at)
      const piece = chunk.subarray(at, at + this.#buffer.byteLength - this.#filled)
      this.#buffer.set(piece, this.#filled)
      this.#filled += piece.byteLength
      at += piece.byteLength
      if (this.#filled === this.#partSize) await this.#flush()
    }
  }

  /** Most objects are small, so the buffer grows to the size of a part. */
  #reserve(bytes: number): void {
    const needed = Math.min(this.#filled + bytes, this.#partSize)
    if (needed <= this.#buffer.byteLength) return
    const size = Math.min(Math.max(needed, 2 * this.#buffer.byteLength, FIRST_BUFFER), this.#partSize)
    const grown = this.#spare.pop() ?? Buffer.allocUnsafeSlow(this.#parts > 0 ? this.#partSize : size)
    this.#buffer.copy(grown, 0, 0, this.#filled)
    this.#buffer = grown
  }

  /** Sends the full buffer as the next part, as soon as there is a place among those on their way. */
  async #flush(): Promise<void> {
    while (this.#running.size >= IN_FLIGHT) await Promise.race(this.#running)
    this.#throwFailure()
    const part = this.#send(this.#parts++, this.#buffer)
    this.#buffer = Buffer.alloc(0)
    this.#filled = 0
    this.#running.add(part)
    part.finally(() => this.#running.delete(part))
  }

  /** Never rejects. */
  async #send(index: number, bytes: Buffer): Promise<void> {
    const { signal } = this.#closed
    try {
      this.#upload ??= this.#begin()
      this.#etags[index] = await this.#client.putPart(await this.#upload, index + 1, bytes, { signal })
      this.#spare.push(bytes)
    } catch (error) {
      this.#failure ??= { error }
    }
  }

  /** No other upload of this object is recorded: such a one was left behind, or belongs to a writer that lost its place. */
  async #begin(): Promise<S3Upload> {
    for (const upload of await this.#client.uploadsOf(this.#key)) await this.#client.abortUpload(upload)
    return { key: this.#key, id: await this.#client.beginUpload(this.#key, { signal: this.#closed.signal }) }
  }

  /** Under a fresh key: the old tail is needed until this one is in a row. */
  async #putTail(): Promise<S3State['tail']> {
    if (this.#filled === 0) return undefined
    const tail = { key: randomKey(), size: this.#filled }
    // On record before it exists, as one to be deleted: whoever goes on here, or gives up, does so.
    const state = encodeState({ ...this.#state, replaced: [...this.#replaced, tail.key] })
    await this.#record({ offset: this.#progress.offset, state })
    await this.#client.put(tail.key, this.#buffer.subarray(0, this.#filled), { signal: this.#closed.signal })
    return tail
  }

  /** To all whole parts, and this tail in place of the one before. */
  async #proceed(tail: S3State['tail']): Promise<void> {
    if (this.#tail) this.#replaced.push(this.#tail.key)
    this.#tail = tail
    this.#tailParts = this.#parts
    const uploadId = (await this.#upload)?.id
    const etags = [...this.#etags]
    this.#state = { partSize: this.#partSize, uploadId, etags, tail, replaced: [...this.#replaced] }
    const offset = this.#parts * this.#partSize + (tail?.size ?? 0)
    this.#progress = { offset, state: encodeState(this.#state) }
  }

  async #guard(work: () => Promise<void>): Promise<void> {
    this.#throwFailure()
    try {
      await work()
    } catch (error) {
      this.#failure ??= { error }
      throw error
    }
  }

  #throwFailure(): void {
    if (this.#failure) throw this.#failure.error
  }
}

function tooLarge(partSize: number): BaleError {
  const size = `${((MOST_PARTS * partSize) / 1024 ** 3).toFixed(1)} GiB`
  return new BaleError('LIMIT_EXCEEDED', `an object is larger than ${size}, ${MOST_PARTS} parts of ${partSize} bytes`, {
    hint: 'larger parts make room for larger objects',
  })
}
