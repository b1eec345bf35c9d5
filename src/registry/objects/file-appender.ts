import type { FileHandle } from 'node:fs/promises'
import { isBaleError } from '#base'
import { fsyncDirectory, withNoSpace } from '#host/file'
import type { ObjectAppender, Progress } from './object-store.ts'

const GATHER = 1024 * 1024

interface FileAppenderParts {
  /** Closed with the appender. */
  file: FileHandle
  /** Where writing goes on. */
  position: number
  /** Directories that may not know the file yet. */
  unsyncedDirectories: string[]
  /** Throws NO_SPACE when so many bytes would leave too little. */
  checkRoom: (bytes: number) => void
}

/**
 * Gathers the network's small chunks into writes of a megabyte. One is written while the next is gathered and hashed; its
 * failure is thrown by the call that comes after it, and by all that follow.
 */
export class FileAppender implements ObjectAppender {
  readonly #file: FileHandle
  /** One is filled while the other is written; made when they are needed. */
  readonly #buffers: Buffer[] = []
  #turn = 0
  #gatheredSize = 0
  /** Where the next write begins. */
  #position: number
  #writing: Promise<void> = Promise.resolve()
  /** Where the last sync ended; rows refer only to bytes before it. */
  #synced: number
  #unsyncedDirectories: string[]
  readonly #checkRoom: (bytes: number) => void

  constructor({ file, position, unsyncedDirectories, checkRoom }: FileAppenderParts) {
    this.#checkRoom = checkRoom
    this.#file = file
    this.#position = position
    this.#synced = position
    this.#unsyncedDirectories = unsyncedDirectories
  }

  async write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.byteLength; ) {
      const part = chunk.subarray(at, at + GATHER - this.#gatheredSize)
      this.#buffers[this.#turn] ??= Buffer.allocUnsafeSlow(GATHER)
      this.#buffers[this.#turn]!.set(part, this.#gatheredSize)
      this.#gatheredSize += part.byteLength
      at += part.byteLength
      if (this.#gatheredSize === GATHER) await this.#flush()
    }
  }

  checkpoint(): Promise<Progress> {
    return this.sync()
  }

  async sync(): Promise<Progress> {
    await this.#flush()
    await this.#writing
    // Side by side: most file systems write all of it down at once.
    const directories = this.#unsyncedDirectories.map(fsyncDirectory)
    await Promise.all([withNoSpace('an upload', () => this.#file.datasync()), ...directories])
    this.#unsyncedDirectories = []
    this.#synced = this.#position
    return { offset: this.#synced }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Its failure was told, or nothing of it is promised; the file must not be closed under it.
    await this.#writing.catch(() => undefined)
    await this.#file.close()
  }

  /** Begins to write what is gathered, once what came before is written. */
  async #flush(): Promise<void> {
    await this.#writing
    if (this.#gatheredSize === 0) return
    const bytes = this.#buffers[this.#turn]!.subarray(0, this.#gatheredSize)
    const writing = this.#put(bytes, this.#position)
    // Whoever waits for it next hears of its failure.
    writing.catch(() => undefined)
    this.#writing = writing
    this.#position += bytes.byteLength
    this.#turn = 1 - this.#turn
    this.#gatheredSize = 0
  }

  async #put(bytes: Uint8Array, position: number): Promise<void> {
    try {
      this.#checkRoom(bytes.byteLength)
      await withNoSpace('an upload', () => this.#writeAll(bytes, position))
    } catch (error) {
      // The space is freed at once: on a full disk even recording the end of the upload needs some.
      if (isBaleError(error, 'NO_SPACE')) await this.#file.truncate(this.#synced)
      throw error
    }
  }

  async #writeAll(bytes: Uint8Array, position: number): Promise<void> {
    for (let at = 0; at < bytes.byteLength; ) {
      at += (await this.#file.write(bytes, at, bytes.byteLength - at, position + at)).bytesWritten
    }
  }
}
