import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { BaleError, errnoOf } from '#base'
import { algorithmOf, type Descriptor, type Digest } from '#spec'
import type { BlobWriter } from './blob-store.ts'
import { createHasher, type Hasher } from './hasher.ts'
import { digestMismatch, sizeMismatch } from './verifying.ts'

interface FileWriterParts {
  /** The partial file; whoever holds the lock owns it. */
  partial: string
  /** What to hash with while writing. A commit with the other algorithm reads everything once more. */
  algorithm: 'sha256' | 'sha512'
  pathOf: (digest: Digest) => string
  unlock: () => Promise<void>
}

const GATHER = 1024 * 1024

/** Opens a partial file and hashes what an earlier writer left in it. */
export async function openFileWriter(parts: FileWriterParts): Promise<BlobWriter> {
  const file = await savingSpace(() => open(parts.partial, 'a+', 0o600))
  try {
    const hasher = await hashOf(file, parts.algorithm)
    return new FileBlobWriter(parts, file, hasher)
  } catch (error) {
    await file.close()
    throw error
  }
}

class FileBlobWriter implements BlobWriter {
  readonly #parts: FileWriterParts
  readonly #file: FileHandle
  #hasher: Hasher
  /** Small chunks are gathered, since a system call for each of the network's 16 KiB costs more than the copy. */
  readonly #gathered = Buffer.allocUnsafeSlow(GATHER)
  #gatheredSize = 0
  #open = true

  constructor(parts: FileWriterParts, file: FileHandle, hasher: Hasher) {
    this.#parts = parts
    this.#file = file
    this.#hasher = hasher
  }

  get offset(): number {
    return this.#hasher.size
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#assertOpen()
    this.#hasher.update(chunk)
    if (this.#gatheredSize + chunk.byteLength > GATHER) await this.#flush()
    if (chunk.byteLength > GATHER / 4) {
      await this.#flush()
      return await this.#append(chunk)
    }
    this.#gathered.set(chunk, this.#gatheredSize)
    this.#gatheredSize += chunk.byteLength
  }

  async reset(): Promise<void> {
    this.#assertOpen()
    this.#gatheredSize = 0
    await this.#file.truncate(0)
    this.#hasher = createHasher(this.#parts.algorithm)
  }

  async commit(expected: Pick<Descriptor, 'digest' | 'size'>): Promise<void> {
    this.#assertOpen()
    if (this.offset !== expected.size) {
      const got = this.offset
      await this.discard()
      throw sizeMismatch(expected, got)
    }
    await this.#flush()
    const digest = await this.#digestBy(algorithmOf(expected.digest))
    if (digest !== expected.digest) {
      await this.discard()
      throw digestMismatch(expected.digest, digest)
    }
    await this.#publish(this.#parts.pathOf(digest))
    await this.#close()
  }

  async discard(): Promise<void> {
    if (!this.#open) return
    await rm(this.#parts.partial, { force: true })
    await this.#close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#open) return
    if (this.offset === 0) return await this.discard()
    try {
      await this.#flush()
    } finally {
      await this.#close()
    }
  }

  /**
   * Publishing is a rename of verified, synced bytes; should a file with that name be there, it had the same bytes, or
   * was damaged and is healed.
   */
  async #publish(path: string): Promise<void> {
    await savingSpace(async () => {
      await this.#file.chmod(0o444)
      await this.#file.sync()
      const made = await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      await rename(this.#parts.partial, path)
      await syncFolder(dirname(path))
      if (made !== undefined) await syncFolder(dirname(made))
    })
  }

  async #digestBy(algorithm: 'sha256' | 'sha512'): Promise<Digest> {
    if (algorithm === this.#parts.algorithm) return this.#hasher.digest()
    return (await hashOf(this.#file, algorithm)).digest()
  }

  async #flush(): Promise<void> {
    if (this.#gatheredSize === 0) return
    const size = this.#gatheredSize
    this.#gatheredSize = 0
    await this.#append(this.#gathered.subarray(0, size))
  }

  async #append(bytes: Uint8Array): Promise<void> {
    await savingSpace(async () => {
      for (let at = 0; at < bytes.byteLength; ) at += (await this.#file.write(bytes, at)).bytesWritten
    })
  }

  async #close(): Promise<void> {
    this.#open = false
    try {
      await this.#file.close()
    } finally {
      await this.#parts.unlock()
    }
  }

  #assertOpen(): void {
    if (!this.#open) throw new BaleError('INTERNAL', `the writer of ${this.#parts.partial} is closed`)
  }
}

async function hashOf(file: FileHandle, algorithm: 'sha256' | 'sha512'): Promise<Hasher> {
  const hasher = createHasher(algorithm)
  const buffer = Buffer.allocUnsafeSlow(GATHER)
  while (true) {
    const { bytesRead } = await file.read(buffer, 0, GATHER, hasher.size)
    if (bytesRead === 0) return hasher
    hasher.update(buffer.subarray(0, bytesRead))
  }
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, 'r')
  await folder.sync()
}

/** Tells a full disk or quota in bale's words. */
async function savingSpace<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (errnoOf(error) !== 'ENOSPC' && errnoOf(error) !== 'EDQUOT') throw error
    throw new BaleError('NO_SPACE', 'the disk is full while writing a blob', {
      cause: error,
      hint: 'bale system df shows what takes the space, bale system prune frees it',
    })
  }
}
