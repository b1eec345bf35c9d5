import type { Descriptor, Digest } from '#spec'

/** Bytes by digest. */
export interface BlobReader {
  /** Size in bytes when the blob is there, complete; undefined when not. */
  stat(digest: Digest): Promise<{ size: number } | undefined>
  /** Bytes [start, end) of a blob, the whole by default. Throws BLOB_NOT_FOUND. Not verified again: `verifying()` does. */
  read(digest: Digest, range?: { start?: number; end?: number }): Promise<AsyncIterable<Uint8Array>>
  list(): AsyncIterable<{ digest: Digest; size: number }>
}

export interface BlobWriterStore {
  /**
   * Begins or resumes the partial blob named `key` (usually the digest). One writer per key at a time (LOCKED after a
   * while). The bytes become a blob only by `commit`.
   */
  writer(key: string, options?: { signal?: AbortSignal }): Promise<BlobWriter>
  delete(digest: Digest): Promise<void>
}

/** A partial blob being written. */
export interface BlobWriter extends AsyncDisposable {
  /** Bytes written so far, also by an earlier process. */
  readonly offset: number
  write(chunk: Uint8Array): Promise<void>
  /** Throws away what was written; offset is 0 again. */
  reset(): Promise<void>
  /**
   * Verifies digest and size of all bytes, then publishes: fsync, rename without replace, fsync of the directory.
   * DIGEST_MISMATCH or SIZE_MISMATCH leave nothing. Committing what is there already is success.
   */
  commit(expected: Pick<Descriptor, 'digest' | 'size'>): Promise<void>
  // Disposing without commit keeps the partial bytes for a resume; `discard` removes them.
  discard(): Promise<void>
}

export interface BlobStore extends BlobReader, BlobWriterStore {}
