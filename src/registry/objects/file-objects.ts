import type { Stats } from 'node:fs'
import { type FileHandle, mkdir, open, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { BaleError, errnoOf } from '#base'
import { fsyncDirectory, lendFile, namesIn, streamFile, withNoSpace } from '#host/file'
import { FileAppender } from './file-appender.ts'
import { checkedKey, isKey } from './object-key.ts'
import type { ObjectStore, UnfinishedReader } from './object-store.ts'
import { checkRoom, MIN_FREE_PERCENT } from './room.ts'

export interface FileObjectsOptions {
  /** NO_SPACE before a write leaves less of the disk free than this; 1 by default. */
  minFreePercent?: number
}

/**
 * Objects as files `<directory>/<first two digits>/<key>`. The file is the state of what is not complete, so a `Progress`
 * is an offset alone, and completing keeps the key.
 */
export function createFileObjects(directory: string, options: FileObjectsOptions = {}): ObjectStore & UnfinishedReader {
  const { minFreePercent = MIN_FREE_PERCENT } = options
  const shardOf = (key: string) => join(directory, checkedKey(key).slice(0, 2))
  const pathOf = (key: string) => join(shardOf(key), key)
  const room = (bytes: number) => checkRoom(directory, minFreePercent, bytes)
  return {
    async append(key, { offset }) {
      return await withNoSpace('an upload', async () => {
        const { file, made } = await openAt(pathOf(key), offset)
        try {
          room(0)
          // Rows refer to bytes only when the directories know the file.
          const unsyncedDirectories = offset === 0 ? [shardOf(key), ...(made ? [directory] : [])] : []
          return new FileAppender({ file, position: offset, unsyncedDirectories, checkRoom: room })
        } catch (error) {
          await file.close()
          throw error
        }
      })
    },
    async complete(key, { offset }) {
      await withNoSpace('an upload', async () => {
        const { file, made, wasCut } = await openAt(pathOf(key), offset)
        await using _ = file
        // What the progress says is safe; an empty object may not be there yet.
        if (wasCut || offset === 0) await file.datasync()
        if (offset === 0) for (const one of [shardOf(key), ...(made ? [directory] : [])]) await fsyncDirectory(one)
      })
      return key
    },
    read: (key, { reuse = false, ...range } = {}) => (reuse ? lendFile : streamFile)(pathOf(key), range),
    readUnfinished: (key, range) => lendFile(pathOf(key), range),
    size: async (key) => (await statOf(pathOf(key)))?.size,
    async delete(key) {
      await rm(pathOf(key), { force: true })
    },
    async *list() {
      for (const shard of await namesIn(directory)) {
        for (const key of await namesIn(join(directory, shard))) {
          const stats = isKey(key) ? await statOf(pathOf(key)) : undefined
          if (stats) yield { key, size: stats.size, modified: stats.mtimeMs }
        }
      }
    },
  }
}

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** The file, with exactly its first `offset` bytes; whether a directory was made for it, and whether there were more bytes. */
async function openAt(path: string, offset: number): Promise<{ file: FileHandle; made: boolean; wasCut: boolean }> {
  const made = offset === 0 && (await mkdir(dirname(path), { recursive: true, mode: 0o700 })) !== undefined
  const file = await openWritable(path, offset)
  try {
    const { size } = await file.stat()
    if (size < offset) throw lost(size, offset)
    if (size > offset) await file.truncate(offset)
    return { file, made, wasCut: size > offset }
  } catch (error) {
    await file.close()
    throw error
  }
}

async function openWritable(path: string, offset: number): Promise<FileHandle> {
  try {
    return await open(path, offset === 0 ? 'w' : 'r+', 0o600)
  } catch (error) {
    if (offset > 0 && errnoOf(error) === 'ENOENT') throw lost(0, offset)
    throw error
  }
}

function lost(size: number, offset: number): BaleError {
  return new BaleError('STORE_DAMAGED', `an upload has ${size} bytes where ${offset} were recorded`)
}
