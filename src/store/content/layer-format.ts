import type { OperationOptions } from '#base'
import type { LayerFormatName, WrittenLayer } from '#store/rows'

/**
 * How layers are kept on disk. `erofs`: layer.erofs + split.zst, mounted by the kernel; `extract`: a tree of files, for
 * machines where the kernel cannot. Implemented in rootfs, given to the store by the engine.
 */
export interface LayerFormat {
  readonly name: LayerFormatName
  /**
   * Writes one layer from its uncompressed tar into the (new, empty) directory, in one pass, and fsyncs what it wrote.
   * Publishing the directory is the store's work.
   */
  write(directory: string, tar: AsyncIterable<Uint8Array>, options?: OperationOptions): Promise<WrittenLayer>
  /** The exact uncompressed tar again. */
  openTar(directory: string): AsyncIterable<Uint8Array>
  /**
   * Deep check: throws STORE_DAMAGED when the directory's content is not what `write` made, the tar that it gives back
   * included.
   */
  verify(directory: string, expected: WrittenLayer, options?: OperationOptions): Promise<void>
  /** Only what a mount shows, as it is done once per boot before the first mount: throws STORE_DAMAGED. */
  verifyMountable(directory: string, expected: WrittenLayer, options?: OperationOptions): Promise<void>
}

/** A layer format by the module that exports it as `layerFormat`, so that a worker thread can load it by itself. */
export interface LayerFormatReference {
  name: LayerFormatName
  /** URL (`file:`) for `import()`. */
  module: string
}
