import type { Digest } from '#spec'

/** How a layer's directory is laid out; see LayerFormat. */
export type LayerFormatName = 'erofs' | 'extract'

export interface WrittenLayer {
  diffId: Digest
  /** Bytes of the uncompressed tar. */
  tarSize: number
  /** Bytes on disk. */
  diskSize: number
  /** Bytes of the regular files' content, as docker counts an image's size; the tar's size by default. */
  contentSize?: number
  /** sha256 of layer.erofs for erofs; undefined for extract. */
  imageDigest?: Digest
}

export interface LayerRecord extends WrittenLayer {
  format: LayerFormatName
  /** Absolute path of the layer's directory. */
  directory: string
  contentSize: number
  /** Milliseconds since 1970. */
  created: number
}
