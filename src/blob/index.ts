/**
 * blob: bytes by digest, in memory or in files, shared by engine and registry. Promises: what has a digest's name has
 * the digest; publishing is atomic and survives power loss. Does not: know what the bytes mean.
 */
export type { BlobReader, BlobStore, BlobWriter, BlobWriterStore } from './blob-store.ts'
