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

/** Gathers the network's small chunks into writes of a megabyte. */
export class FileAppender implements ObjectAppender {
  readonly #file: FileHandle
  readonly #gathered = Buffer.allocUnsafeSlow(GATHER)
  #gatheredSize = 0
  #position: number
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
      this.#gathered.set(part, this.#gatheredSize)
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
    // Side by side: most file systems write all of it down at once.
    const directories = this.#unsyncedDirectories.map(fsyncDirectory)
    await Promise.all([withNoSpace('an upload', () => this.#file.datasync()), ...directories])
    this.#unsyncedDirectories = []
    this.#synced = this.#position
    return { offset: this.#synced }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close()
  }

  async #flush(): Promise<void> {
    try {
      this.#checkRoom(this.#gatheredSize)
      await withNoSpace('an upload', () => this.#writeGathered())
    } catch (error) {
      // The space is freed at once: on a full disk even recording the end of the upload needs some.
      if (isBaleError(error, 'NO_SPACE')) await this.#file.truncate(this.#synced)
      throw error
    }
    this.#gatheredSize = 0
  }

  async #writeGathered(): Promise<void> {
    for (let at = 0; at < this.#gatheredSize; ) {
      const rest = this.#gathered.subarray(at, this.#gatheredSize)
      const { bytesWritten } = await this.#file.write(rest, 0, rest.byteLength, this.#position)
      at += bytesWritten
      this.#position += bytesWritten
    }
  }
}
