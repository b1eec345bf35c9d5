import type { OperationOptions } from '#base'
import type { Digest } from '#spec'
import type { LayerRecord, WrittenLayer } from './layer-format.ts'

export interface Layers {
  get(diffId: Digest): Promise<LayerRecord | undefined>
  list(): Promise<LayerRecord[]>
  /** The exact uncompressed tar. Throws BLOB_NOT_FOUND before the first chunk. */
  openTar(diffId: Digest): AsyncIterable<Uint8Array>
  /**
   * Stores a layer made here from its uncompressed tar, in one pass (in a worker thread when it is large). The layer is
   * leased by this store until an image, a container or a cache record refers to it, or the store is closed.
   */
  write(tar: AsyncIterable<Uint8Array>, options?: OperationOptions & { expected?: Digest }): Promise<LayerRecord>
  /** Like `write` for who writes the layer format by himself: `make` fills a new, empty folder and syncs its files. */
  writeWith(make: (folder: string) => Promise<WrittenLayer>, options?: OperationOptions): Promise<LayerRecord>
  /**
   * To be awaited before a layer is mounted: once per boot the image file is read and its sha256 compared. Throws
   * STORE_DAMAGED (and the layer counts as missing from then on, so that the next pull heals it).
   */
  ensureVerified(diffId: Digest, options?: OperationOptions): Promise<LayerRecord>
}
