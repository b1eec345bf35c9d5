import { createHasher, type Hasher } from '#blob'
import type { Digest } from '#spec'
import { BLOCK, type HashThread, type RunningHash } from './hash-thread.ts'

/** Hashes the bytes of an upload: few of them here, many on a thread of their own. */
export interface UploadHasher extends Disposable {
  /** Bytes given so far. */
  readonly size: number
  /** The chunk may be used again once this is fulfilled. */
  update(chunk: Uint8Array): Promise<void>
  /** Of all bytes so far; undefined when that is not known any more. May be called repeatedly. */
  digest(): Promise<Digest | undefined>
}

export function createUploadHasher(
  thread: HashThread | undefined,
  algorithm: 'sha256' | 'sha512' = 'sha256',
): UploadHasher {
  return thread ? new ThreadedHasher(thread, algorithm) : new OwnHasher(createHasher(algorithm))
}

class OwnHasher implements UploadHasher {
  readonly #hasher: Hasher

  constructor(hasher: Hasher) {
    this.#hasher = hasher
  }

  get size(): number {
    return this.#hasher.size
  }

  async update(chunk: Uint8Array): Promise<void> {
    this.#hasher.update(chunk)
  }

  async digest(): Promise<Digest> {
    return this.#hasher.digest()
  }

  [Symbol.dispose](): void {
    // It holds nothing.
  }
}

/** Whether there are many bytes is known when a block is full; one that is asked for its digest before stays here. */
class ThreadedHasher implements UploadHasher {
  readonly #thread: HashThread
  readonly #algorithm: 'sha256' | 'sha512'
  #size = 0
  #block: SharedArrayBuffer | undefined
  #used = 0
  #running: RunningHash | undefined
  #own: OwnHasher | undefined

  constructor(thread: HashThread, algorithm: 'sha256' | 'sha512') {
    this.#thread = thread
    this.#algorithm = algorithm
  }

  get size(): number {
    return this.#size
  }

  async update(chunk: Uint8Array): Promise<void> {
    this.#size += chunk.byteLength
    if (this.#own) return await this.#own.update(chunk)
    for (let at = 0; at < chunk.byteLength; ) {
      const part = chunk.subarray(at, at + BLOCK - this.#used)
      this.#block ??= this.#thread.takeBlock()
      new Uint8Array(this.#block).set(part, this.#used)
      this.#used += part.byteLength
      at += part.byteLength
      if (this.#used === BLOCK) await this.#send()
    }
  }

  async digest(): Promise<Digest | undefined> {
    if (!this.#running) return await this.#here().digest()
    await this.#send()
    return await this.#running.digest()
  }

  [Symbol.dispose](): void {
    this.#running?.drop()
    if (this.#block) this.#thread.giveBack(this.#block)
    this.#block = undefined
  }

  #here(): OwnHasher {
    if (this.#own) return this.#own
    const hasher = createHasher(this.#algorithm)
    if (this.#block) {
      hasher.update(new Uint8Array(this.#block, 0, this.#used))
      this.#thread.giveBack(this.#block)
      this.#block = undefined
    }
    this.#own = new OwnHasher(hasher)
    return this.#own
  }

  /** The block is the thread's from here on. */
  async #send(): Promise<void> {
    const [block, used] = [this.#block, this.#used]
    if (!block) return
    this.#block = undefined
    this.#used = 0
    this.#running ??= this.#thread.begin(this.#algorithm)
    await this.#running.update(block, used)
  }
}
