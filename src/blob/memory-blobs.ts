import { BaleError } from '#base'
import { algorithmOf, type Digest, isDigest } from '#spec'
import { blobNotFound } from './blob-not-found.ts'
import type { BlobStore, BlobWriter } from './blob-store.ts'
import { createGrowth, type Growth } from './growth.ts'
import { digestOf } from './hasher.ts'
import { createKeyLocks } from './key-locks.ts'
import { partialName } from './partial-key.ts'
import { digestMismatch, sizeMismatch } from './verifying.ts'

/** A blob store in memory: for tests and for small things. Same promises as the one in files, except power loss. */
export function createMemoryBlobs(): BlobStore {
  const blobs = new Map<Digest, Uint8Array>()
  const partials = new Map<string, Uint8Array[]>()
  const locks = createKeyLocks()
  return {
    async stat(digest) {
      const bytes = blobs.get(digest)
      return bytes && { size: bytes.byteLength }
    },
    async read(digest, { start = 0, end } = {}) {
      const bytes = blobs.get(digest)
      if (!bytes) throw blobNotFound(digest)
      return chunksOf(bytes.subarray(start, end))
    },
    async *list() {
      for (const [digest, bytes] of blobs) yield { digest, size: bytes.byteLength }
    },
    async writer(key, options = {}) {
      const name = partialName(key)
      const lock = await locks.acquire(name, options)
      return memoryWriter({
        blobs,
        partials,
        name,
        algorithm: isDigest(key) ? algorithmOf(key) : 'sha256',
        unlock: lock,
      })
    },
    async delete(digest) {
      blobs.delete(digest)
    },
  }
}

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  const step = 64 * 1024
  for (let at = 0; at < bytes.byteLength; at += step) yield new Uint8Array(bytes.subarray(at, at + step))
}

async function* follow(chunks: readonly Uint8Array[], growth: Growth): AsyncGenerator<Uint8Array> {
  let at = 0
  for (let next = 0; (await growth.beyond(at)) > at; next++) {
    at += chunks[next]!.byteLength
    yield new Uint8Array(chunks[next]!)
  }
}

interface MemoryWriterParts {
  blobs: Map<Digest, Uint8Array>
  partials: Map<string, Uint8Array[]>
  name: string
  algorithm: 'sha256' | 'sha512'
  unlock: () => void
}

function memoryWriter({ blobs, partials, name, algorithm, unlock }: MemoryWriterParts): BlobWriter {
  let chunks = partials.get(name) ?? []
  let offset = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0)
  let open = true
  let growth = createGrowth()
  growth.grown(offset)
  partials.set(name, chunks)
  const assertOpen = () => {
    if (!open) throw new BaleError('INTERNAL', `the writer of ${name} is closed`)
  }
  const close = () => {
    if (open) unlock()
    open = false
    growth.end({ error: new BaleError('ABORTED', 'the blob was given up') })
  }
  const drop = () => {
    partials.delete(name)
    close()
  }
  return {
    get offset() {
      return offset
    },
    async write(chunk) {
      assertOpen()
      chunks.push(new Uint8Array(chunk))
      offset += chunk.byteLength
      growth.grown(offset)
    },
    digest() {
      assertOpen()
      return digestOf(Buffer.concat(chunks), algorithm)
    },
    async reset() {
      assertOpen()
      chunks = []
      partials.set(name, chunks)
      offset = 0
      growth.end({ error: new BaleError('ABORTED', 'the blob is written anew') })
      growth = createGrowth()
    },
    follow: () => follow(chunks, growth),
    async commit(expected) {
      assertOpen()
      const bytes = Buffer.concat(chunks)
      const digest = digestOf(bytes, algorithmOf(expected.digest))
      const isWhole = bytes.byteLength === expected.size && digest === expected.digest
      if (isWhole) growth.end()
      drop()
      if (bytes.byteLength !== expected.size) throw sizeMismatch(expected, bytes.byteLength)
      if (!isWhole) throw digestMismatch(expected.digest, digest)
      blobs.set(digest, bytes)
    },
    async discard() {
      if (open) drop()
    },
    async [Symbol.asyncDispose]() {
      if (offset === 0 && open) partials.delete(name)
      close()
    },
  }
}
