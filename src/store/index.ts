/**
 * store: what this machine knows. Placeholder header until the room is filled.
 */
export type { LayerFormat, LayerRecord, StoredImage, WrittenLayer } from './store.ts'
