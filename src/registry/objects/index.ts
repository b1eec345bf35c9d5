/** registry/objects: bytes under unique keys. Promises: synced is safe. Does not: know digests or repositories. */
export { createFileObjects } from './file-objects.ts'
export type { ObjectAppender, ObjectStore } from './object-store.ts'
