import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { BaleError, errnoOf } from '#base'
import { fsyncDirectory, withNoSpace } from '#host/file'
import { algorithmOf, type Descriptor, type Digest } from '#spec'
import type { BlobWriter } from './blob-store.ts'
import { createGrowth, type Growth } from './growth.ts'
import { createHasher, type Hasher } from './hasher.ts'
import { digestMismatch, sizeMismatch } from './verifying.ts'

interface FileWriterParts {
  /** The partial file; whoever holds the lock owns it. */
  partial: string
  /** What to hash with while writing. A commit with the other algorithm reads everything again. */
  algorithm: 'sha256' | 'sha512'
  pathOf: (digest: Digest) => string
  lock: AsyncDisposable
}

const GATHER = 1024 * 1024
const FOLLOW = 512 * 1024

/** Opens a partial file and hashes what an earlier writer left in it. */
export async function openFileWriter(parts: FileWriterParts): Promise<BlobWriter> {
  const file = await withNoSpace('a blob', () => open(parts.partial, 'a+', 0o600))
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
  /** After a failed write the hash is ahead of the file: only `reset`, or another writer that reads the file, helps. */
  #broken = false
  #open = true
  #growth = createGrowth()
  /** Bytes in the file; the hash is ahead of it. */
  #appended: number
  /** Where the file is once it has gone from its partial name. */
  #published: string | undefined

  constructor(parts: FileWriterParts, file: FileHandle, hasher: Hasher) {
    this.#parts = parts
    this.#file = file
    this.#hasher = hasher
    this.#appended = hasher.size
    this.#growth.grown(this.#appended)
  }

  get offset(): number {
    return this.#hasher.size
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#assertWhole()
    this.#hasher.update(chunk)
    if (this.#gatheredSize + chunk.byteLength > GATHER) await this.#flush()
    if (chunk.byteLength > GATHER / 4) {
      await this.#flush()
      return await this.#append(chunk)
    }
    this.#gathered.set(chunk, this.#gatheredSize)
    this.#gatheredSize += chunk.byteLength
  }

  digest(): Digest {
    this.#assertWhole()
    return this.#hasher.digest()
  }

  async reset(): Promise<void> {
    this.#assertOpen()
    this.#gatheredSize = 0
    await this.#file.truncate(0)
    this.#hasher = createHasher(this.#parts.algorithm)
    this.#broken = false
    this.#growth.end({ error: new BaleError('ABORTED', 'the blob is written anew') })
    this.#growth = createGrowth()
    this.#appended = 0
  }

  async *follow(): AsyncGenerator<Uint8Array> {
    const growth = this.#growth
    await using file = await this.#openAgain(growth)
    for (let at = 0; ; ) {
      const size = await growth.beyond(at)
      if (size === at) return
      const buffer = Buffer.allocUnsafeSlow(Math.min(FOLLOW, size - at))
      const { bytesRead } = await file.read(buffer, 0, buffer.byteLength, at)
      at += bytesRead
      yield buffer.subarray(0, bytesRead)
    }
  }

  /** The follower may be slower than the writer, which closes its own descriptor. */
  async #openAgain(growth: Growth): Promise<FileHandle> {
    try {
      return await open(this.#parts.partial, 'r')
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error
      // It was given up, which is the reason to tell, or it has its name.
      if (this.#published === undefined) await growth.beyond(Number.POSITIVE_INFINITY)
      return await open(this.#published ?? this.#parts.partial, 'r')
    }
  }

  async commit(expected: Pick<Descriptor, 'digest' | 'size'>): Promise<void> {
    this.#assertWhole()
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
    this.#growth.end()
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
    if (this.#broken) return await this.#close()
    try {
      await this.#flush()
    } finally {
      await this.#close()
    }
  }

  /**
   * Publishing is a rename of verified, synced bytes; an existing file with that name either had the same bytes or
   * was damaged and is replaced.
   */
  async #publish(path: string): Promise<void> {
    await withNoSpace('a blob', async () => {
      await this.#file.sync()
      const made = await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      this.#published = path
      await rename(this.#parts.partial, path)
      // After the rename: a read-only partial of a crashed process could not be resumed by an ordinary user.
      await this.#file.chmod(0o444)
      await fsyncDirectory(dirname(path))
      if (made !== undefined) await fsyncDirectory(dirname(made))
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
    await withNoSpace('a blob', async () => {
      this.#broken = true
      for (let at = 0; at < bytes.byteLength; ) at += (await this.#file.write(bytes, at)).bytesWritten
      this.#broken = false
      this.#appended += bytes.byteLength
      this.#growth.grown(this.#appended)
    })
  }

  async #close(): Promise<void> {
    this.#open = false
    this.#growth.end({ error: new BaleError('ABORTED', 'the blob was given up') })
    try {
      await this.#file.close()
    } finally {
      await this.#parts.lock[Symbol.asyncDispose]()
    }
  }

  #assertWhole(): void {
    this.#assertOpen()
    if (this.#broken) throw new BaleError('INTERNAL', `an earlier write to ${this.#parts.partial} failed`)
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
