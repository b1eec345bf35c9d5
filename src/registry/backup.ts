import { randomBytes } from 'node:crypto'
import { rename, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { BaleError } from '#base'
import { createHasher } from '#blob'
import { fsyncDirectory, withNoSpace } from '#host/file'
import { algorithmOf, type Digest } from '#spec'
import { copySqliteMeta, holdObjects, type ListedBlob, type MetaStore, openSqliteMeta } from './meta/index.ts'
import { createFileObjects, IN_NO_ROW, NOTHING_WRITTEN, type ObjectStore } from './objects/index.ts'
import { makeRegistryDirectory } from './registry-directory.ts'

/** A backup that is aborted leaves the target as it was, but for bytes that the next one takes over. */
export interface BackupOptions {
  signal?: AbortSignal
}

/** What a backup has. */
export interface BackedUp {
  blobs: number
  bytes: number
  /** Of the blobs, those that were not there from an earlier backup. */
  copied: number
  /** Blobs that the registry itself has lost, or has with other bytes. */
  damaged: Digest[]
}

const PAGE = 500

interface BackupParts {
  meta: MetaStore
  objects: ObjectStore
  directory: string
}

/**
 * Copies the metadata as of now and all bytes that it names; no object is deleted meanwhile. The target may be an earlier
 * backup: it is valid all the time, and only what is new is copied. The registry's secret is not copied.
 */
export async function backUp(
  { meta, objects, directory }: BackupParts,
  target: string,
  { signal }: BackupOptions = {},
): Promise<BackedUp> {
  if (`${resolve(target)}/`.startsWith(`${resolve(directory)}/`)) {
    throw new BaleError('INVALID_ARGUMENT', `the backup ${target} would be within the registry ${directory}`)
  }
  makeRegistryDirectory(target)
  await using hold = await holdObjects(meta)
  const database = join(target, `registry.db.${randomBytes(6).toString('hex')}`)
  try {
    return await withNoSpace('the backup', async () => {
      copySqliteMeta(join(directory, 'registry.db'), database)
      const copies = createFileObjects(join(target, 'objects'), { minFreePercent: 0 })
      const result = await copyBlobs({ database, objects, copies, signal })
      hold.check()
      await rename(database, join(target, 'registry.db'))
      await fsyncDirectory(target)
      return result
    })
  } finally {
    for (const suffix of ['', '-wal', '-shm']) await rm(database + suffix, { force: true })
  }
}

interface CopyParts {
  /** The copy of the metadata, which says what belongs to the backup. */
  database: string
  objects: ObjectStore
  copies: ObjectStore
  signal: AbortSignal | undefined
}

async function copyBlobs({ database, objects, copies, signal }: CopyParts): Promise<BackedUp> {
  const copied = openSqliteMeta({ path: database })
  const result: BackedUp = { blobs: 0, bytes: 0, copied: 0, damaged: [] }
  try {
    for (let after = 0, more = true; more; ) {
      const page = await copied.listBlobs({ after, limit: PAGE })
      for (const blob of page) {
        signal?.throwIfAborted()
        after = blob.id
        result.blobs++
        result.bytes += blob.size
        if ((await copies.size(blob.key)) === blob.size) continue
        if (await copyBlob(objects, copies, blob)) result.copied++
        else result.damaged.push(blob.digest)
      }
      more = page.length > 0
    }
    return result
  } finally {
    await copied.close()
  }
}

/** False, and nothing in the copy, when the bytes are not those of the digest. */
async function copyBlob(
  objects: ObjectStore,
  copies: ObjectStore,
  { key, size, digest }: ListedBlob,
): Promise<boolean> {
  if ((await objects.size(key)) !== size) return false
  const hasher = createHasher(algorithmOf(digest))
  {
    await using appender = await copies.append(key, NOTHING_WRITTEN, IN_NO_ROW)
    for await (const chunk of objects.read(key, { reuse: true })) {
      hasher.update(chunk)
      await appender.write(chunk)
    }
    await copies.complete(key, await appender.sync())
  }
  if (hasher.digest() === digest) return true
  await copies.delete(key)
  return false
}
