/** registry/uploads: bytes on their way to become blobs. Promises: one writer at a time, resumable. */

export { storeBlob } from './store-blob.ts'
export { createUploads, type Uploads } from './uploads.ts'
