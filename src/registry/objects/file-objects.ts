import { type FileHandle, mkdir, open, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { BaleError, errnoOf, isBaleError } from '#base'
import { fsyncDirectory, namesIn, streamFile, withNoSpace } from '#host/file'
import type { ObjectAppender, ObjectStore } from './object-store.ts'
import { checkRoom, MIN_FREE_PERCENT } from './room.ts'

const KEY = /^[0-9a-f]{32}$/

export interface FileObjectsOptions {
  /** NO_SPACE before a write leaves less of the disk free than this; 1 by default. */
  minFreePercent?: number
}

/** Objects as files `<directory>/<first two digits>/<key>`; keys are 32 random hexadecimal digits. */
export function createFileObjects(directory: string, options: FileObjectsOptions = {}): ObjectStore {
  const { minFreePercent = MIN_FREE_PERCENT } = options
  const shardOf = (key: string) => {
    if (!KEY.test(key)) throw new TypeError('not a key of an object')
    return join(directory, key.slice(0, 2))
  }
  const pathOf = (key: string) => join(shardOf(key), key)
  return {
    async append(key, offset) {
      return await withNoSpace('an upload', async () => {
        const made = await mkdir(shardOf(key), { recursive: true, mode: 0o700 })
        const file = await open(pathOf(key), offset === 0 ? 'w' : 'r+', 0o600)
        try {
          await cutAt(file, offset)
          const unsynced = offset === 0 ? [shardOf(key), ...(made ? [directory] : [])] : []
          const room = (bytes: number) => checkRoom(directory, minFreePercent, bytes)
          room(0)
          return new FileAppender(file, offset, unsynced, room)
        } catch (error) {
          await file.close()
          throw error
        }
      })
    },
    read: (key, range) => streamFile(pathOf(key), range),
    async size(key) {
      try {
        return (await stat(pathOf(key))).size
      } catch (error) {
        if (errnoOf(error) === 'ENOENT') return undefined
        throw error
      }
    },
    async delete(key) {
      await rm(pathOf(key), { force: true })
    },
    async *list() {
      for (const shard of await namesIn(directory)) {
        for (const key of await namesIn(join(directory, shard))) {
          const stats = KEY.test(key) ? await stat(pathOf(key)) : undefined
          if (stats) yield { key, size: stats.size, modified: stats.mtimeMs }
        }
      }
    },
  }
}

async function cutAt(file: FileHandle, offset: number): Promise<void> {
  const { size } = await file.stat()
  if (size < offset) throw new BaleError('STORE_DAMAGED', `an upload has ${size} bytes where ${offset} were recorded`)
  if (size > offset) await file.truncate(offset)
}

const GATHER = 1024 * 1024

/** Gathers the network's small chunks into writes of a megabyte. */
class FileAppender implements ObjectAppender {
  readonly #file: FileHandle
  readonly #gathered = Buffer.allocUnsafeSlow(GATHER)
  #gatheredSize = 0
  #position: number
  /** Where the last sync ended; rows refer only to bytes before it. */
  #synced: number
  #unsyncedDirectories: string[]
  readonly #checkRoom: (bytes: number) => void

  constructor(file: FileHandle, position: number, unsyncedDirectories: string[], checkRoom: (bytes: number) => void) {
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

  async sync(): Promise<void> {
    await this.#flush()
    await withNoSpace('an upload', () => this.#file.datasync())
    for (const directory of this.#unsyncedDirectories) await fsyncDirectory(directory)
    this.#unsyncedDirectories = []
    this.#synced = this.#position
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
