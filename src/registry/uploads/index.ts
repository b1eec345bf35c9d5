/** registry/uploads: bytes on their way to become blobs. Promises: one writer at a time, resumable. */

export { createHashThread } from './hash-thread.ts'
export { storeBlob } from './store-blob.ts'
export { createUploads, type Uploads } from './uploads.ts'
