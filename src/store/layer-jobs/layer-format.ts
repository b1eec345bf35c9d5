import { BaleError, type OperationOptions, type PiecePool } from '#base'
import type { LayerFormatName, WrittenLayer } from '#store/rows'

/**
 * How layers are kept on disk. `erofs`: layer.erofs + split.zst, mounted by the kernel; `extract`: a tree of files, for
 * machines where the kernel cannot. Implemented in rootfs, given to the store by the engine.
 */
export interface LayerFormat {
  readonly name: LayerFormatName
  /**
   * Writes one layer from its uncompressed tar into the (new, empty) directory, in one pass, and fsyncs what it wrote.
   * Publishing the directory is the store's work. A chunk of the tar is valid until the next one is asked for.
   */
  write(directory: string, tar: AsyncIterable<Uint8Array>, options?: OperationOptions): Promise<WrittenLayer>
  /** The exact uncompressed tar again. `pieces` may be used for its chunks: then the caller gives them back. */
  openTar(directory: string, options?: { pieces?: PiecePool }): AsyncIterable<Uint8Array>
  /**
   * Deep check: throws STORE_DAMAGED when the directory's content is not what `write` made, the tar that it gives back
   * included.
   */
  verify(directory: string, expected: WrittenLayer, options?: OperationOptions): Promise<void>
  /** Only what a mount shows, as it is done once per boot before the first mount: throws STORE_DAMAGED. */
  verifyMountable(directory: string, expected: WrittenLayer, options?: OperationOptions): Promise<void>
}

/** Each format by its name, loaded when it is first needed. */
export type LayerFormatLoaders = Readonly<Partial<Record<LayerFormatName, () => Promise<LayerFormat>>>>

/** The layer formats of this program, given to the store by the engine. */
export interface LayerFormats {
  /** Of layers that are written from now on. */
  readonly written: LayerFormatName
  /** All that can be read. */
  readonly loaders: LayerFormatLoaders
  /** URL of the module that a worker thread runs: it calls `serveLayerJobs` with the same loaders. */
  readonly worker: string
}

/** Throws UNSUPPORTED_HOST for any other name, wherever it comes from. */
export async function loadLayerFormat(loaders: LayerFormatLoaders, name: LayerFormatName): Promise<LayerFormat> {
  const load = Object.hasOwn(loaders, name) ? loaders[name] : undefined
  if (!load) {
    throw new BaleError('UNSUPPORTED_HOST', `the store holds a layer in the format ${name}, which is not available`)
  }
  return load()
}
