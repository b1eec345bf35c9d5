/**
 * registry/objects: bytes under unique keys, in files or in a bucket of an S3 server. Promises: what was synced is safe,
 * whichever process goes on. Does not: know digests or repositories.
 */
export { createFileObjects, type FileObjectsOptions } from './file-objects.ts'
export {
  type ByteRange,
  canReadUnfinished,
  IN_NO_ROW,
  NOTHING_WRITTEN,
  type ObjectAppender,
  type ObjectStore,
  type Presigner,
  type Progress,
  type ReadOptions,
  type RecordProgress,
  type UnfinishedReader,
} from './object-store.ts'
export { createS3Objects, type S3Objects } from './s3-objects.ts'
export type { S3Options, S3Timeouts } from './s3-settings.ts'
