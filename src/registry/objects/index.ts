/** registry/objects: bytes under unique keys. Promises: synced is safe. Does not: know digests or repositories. */
export { createFileObjects, type FileObjectsOptions } from './file-objects.ts'
export type { ObjectAppender, ObjectStore } from './object-store.ts'
