import { open, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf } from '#base'
import { acquireLock, namesIn } from '#host/file'
import { algorithmOf, type Digest, hexOf, isDigest } from '#spec'
import { blobNotFound } from './blob-not-found.ts'
import type { BlobStore, BlobWriterOptions } from './blob-store.ts'
import { openFileWriter } from './file-blob-writer.ts'
import { DEFAULT_PATIENCE } from './key-locks.ts'
import { partialName } from './partial-key.ts'

/** The directories of complete and partial blobs. */
export interface FileBlobsOptions {
  /** Blobs are stored at `<directory>/sha256/<hex>`, as in an OCI layout. */
  directory: string
  /** Partial blobs are stored at `<temporary>/<key>.partial`. Must be on the same file system as `directory`. */
  temporary: string
}

/** Blobs as files of a directory. */
export interface FileBlobs extends BlobStore {
  /** Where the blob is, or would be. */
  pathOf(digest: Digest): string
}

const READ_STEP = 512 * 1024

/** A blob store in files (0444, in directories 0700). Any number of processes may use the same directories at once. */
export function createFileBlobs({ directory, temporary }: FileBlobsOptions): FileBlobs {
  const pathOf = (digest: Digest) => {
    // Digests are checked when they are made; this is the last check before one becomes part of a path (M01).
    if (!isDigest(digest)) throw new TypeError('not a digest')
    return join(directory, algorithmOf(digest), hexOf(digest))
  }
  return {
    pathOf,
    stat: async (digest) => await sizeOf(pathOf(digest)),
    async read(digest, { start = 0, end = Number.POSITIVE_INFINITY } = {}) {
      const found = await sizeOf(pathOf(digest))
      if (!found) throw blobNotFound(digest)
      return readFile(pathOf(digest), digest, start, end)
    },
    async *list() {
      for (const algorithm of ['sha256', 'sha512']) {
        for (const name of await namesIn(join(directory, algorithm))) {
          const digest = `${algorithm}:${name}`
          if (!isDigest(digest)) continue
          const found = await sizeOf(pathOf(digest))
          if (found) yield { digest, size: found.size }
        }
      }
    },
    async writer(key, options = {}) {
      const name = partialName(key)
      const lock = await lockFor(join(temporary, `${name}.lock`), options)
      try {
        return await openFileWriter({
          partial: join(temporary, `${name}.partial`),
          algorithm: isDigest(key) ? algorithmOf(key) : 'sha256',
          pathOf,
          lock,
        })
      } catch (error) {
        await lock[Symbol.asyncDispose]()
        throw error
      }
    },
    async delete(digest) {
      await rm(pathOf(digest), { force: true })
    },
  }
}

async function lockFor(path: string, { signal, patience = DEFAULT_PATIENCE }: BlobWriterOptions) {
  try {
    return await acquireLock(path, { timeoutMs: patience, signal })
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  }
}

async function sizeOf(path: string): Promise<{ size: number } | undefined> {
  try {
    const found = await stat(path)
    return found.isFile() ? { size: found.size } : undefined
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined
    throw error
  }
}

async function* readFile(path: string, digest: Digest, start: number, end: number): AsyncGenerator<Uint8Array> {
  await using file = await open(path, 'r').catch((error) => {
    throw errnoOf(error) === 'ENOENT' ? blobNotFound(digest) : error
  })
  for (let at = start; at < end; ) {
    const buffer = Buffer.allocUnsafeSlow(Math.min(READ_STEP, end - at))
    const { bytesRead } = await file.read(buffer, 0, buffer.byteLength, at)
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
    at += bytesRead
  }
}
