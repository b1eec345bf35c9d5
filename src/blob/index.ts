/**
 * blob: bytes by digest, in memory or in files, shared by engine and registry. Promises: content stored under a digest has
 * that digest; publishing is atomic and survives power loss. Does not: know what the bytes mean.
 */
export type {
  BlobReader,
  BlobStore,
  BlobWriter,
  BlobWriterOptions,
  BlobWriterStore,
  ByteRange,
} from './blob-store.ts'
export { createFileBlobs, type FileBlobs, type FileBlobsOptions } from './file-blobs.ts'
export { createHasher, digestOf, type Hasher } from './hasher.ts'
export { createMemoryBlobs } from './memory-blobs.ts'
export { skipBytes } from './skip-bytes.ts'
export { streamOf } from './stream-of.ts'
export { digestMismatch, passedOn, selfChecking, sizeMismatch, verifying } from './verifying.ts'
