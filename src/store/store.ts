import type { OperationOptions } from '#base'
import type { BlobStore } from '#blob'
import type { ImageSource, ImageTarget } from '#image'
import type { ContainerConfig, Descriptor, Digest, ImageConfig, ImageManifest, Platform } from '#spec'

/**
 * How layers lie on disk. `erofs`: layer.erofs + split.zst, mounted by the kernel; `extract`: a tree of files, for
 * machines where the kernel cannot. Implemented in rootfs, given to the store by the engine.
 */
export interface LayerFormat {
  readonly name: 'erofs' | 'extract'
  /**
   * Writes one layer from its uncompressed tar into the (new, empty) folder, in one pass, and fsyncs what it wrote.
   * Publishing the folder is the store's work.
   */
  write(folder: string, tar: AsyncIterable<Uint8Array>, options?: OperationOptions): Promise<WrittenLayer>
  /** The exact uncompressed tar again. */
  openTar(folder: string): AsyncIterable<Uint8Array>
  /** Deep check: throws STORE_DAMAGED when the folder's content is not what `write` made. */
  verify(folder: string, expected: WrittenLayer): Promise<void>
}

export interface WrittenLayer {
  diffId: Digest
  /** Bytes of the uncompressed tar. */
  tarSize: number
  /** Bytes on disk. */
  diskSize: number
  /** sha256 of layer.erofs for erofs; undefined for extract. */
  imageDigest?: Digest
}

export interface LayerRecord extends WrittenLayer {
  format: 'erofs' | 'extract'
  /** Absolute path of the layer's folder. */
  folder: string
  /** Bytes of file content as docker counts an image's size. */
  contentSize: number
}

/** An image of the store: one manifest with its config, as far as present. */
export interface StoredImage {
  /** Config digest: the image ID. */
  id: Digest
  descriptor: Descriptor
  manifest: ImageManifest
  config: ImageConfig
  /** The config's raw bytes (unknown members included). */
  rawConfig: Uint8Array
  /** Full names that point to it (directly, or to an index that holds it). */
  names: string[]
  /** `docker.io/library/x@sha256:…` under which it was pulled or pushed. */
  repoDigests: string[]
  /** Milliseconds since 1970 of the last tag, or undefined. */
  lastTagged?: number
  platform: Platform
}

export type { BlobStore, ContainerConfig, ImageSource, ImageTarget }
