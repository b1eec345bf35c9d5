import type { Descriptor, Digest } from '#spec'

/** Bytes by digest. */
export interface BlobReader {
  /** Size in bytes of a complete blob; undefined if absent. */
  stat(digest: Digest): Promise<{ size: number } | undefined>
  /**
   * Bytes [start, end) of a blob, the whole by default; `end` past the blob's end means its end. Throws BLOB_NOT_FOUND.
   * Not verified again: `verifying()` does. Nothing is opened before the first chunk is requested.
   */
  read(digest: Digest, range?: ByteRange): Promise<AsyncIterable<Uint8Array>>
  list(): AsyncIterable<{ digest: Digest; size: number }>
}

/** Bytes [start, end) in offsets from 0. */
export interface ByteRange {
  start?: number
  end?: number
}

/** Where blobs are written, each under the digest of its bytes. */
export interface BlobWriterStore {
  /**
   * Begins or resumes the partial blob named `key` (a digest, or up to 128 of `a-z 0-9 -`). One writer per key at a
   * time, also between processes: a second one waits for the first, at most `patience` milliseconds (10 minutes by
   * default), then LOCKED. After waiting, call `stat` again: the first writer may have committed.
   */
  writer(key: string, options?: BlobWriterOptions): Promise<BlobWriter>
  /** Deleting an absent blob succeeds. */
  delete(digest: Digest): Promise<void>
}

/** How long to wait for another writer of the same blob: `patience` is in milliseconds. */
export interface BlobWriterOptions {
  signal?: AbortSignal
  patience?: number
}

/** A partial blob being written. One call at a time. */
export interface BlobWriter extends AsyncDisposable {
  /** Bytes written so far, also by an earlier process. */
  readonly offset: number
  /** The chunk may be reused by the caller as soon as the promise is fulfilled. */
  write(chunk: Uint8Array): Promise<void>
  /** Digest of all bytes written so far: by the algorithm of the key, sha256 when that is not a digest. */
  digest(): Digest
  /** Discards what was written; offset is 0 again. */
  reset(): Promise<void>
  /**
   * All bytes from the first on, also those that are still to be written, as they become readable. It ends when `commit` has
   * verified them, and may be read after that; it throws when the writer is closed otherwise, or reset.
   */
  follow(): AsyncIterable<Uint8Array>
  /**
   * Verifies digest and size of all bytes, then publishes: fsync, rename, fsync of the directory. DIGEST_MISMATCH or
   * SIZE_MISMATCH leave nothing. Committing an existing blob succeeds. The writer is closed afterwards.
   */
  commit(expected: Pick<Descriptor, 'digest' | 'size'>): Promise<void>
  /** Removes the partial bytes and closes the writer. Disposing without `commit` keeps them for a resume. */
  discard(): Promise<void>
}

/** Bytes by digest that can be read and written. */
export interface BlobStore extends BlobReader, BlobWriterStore {}
