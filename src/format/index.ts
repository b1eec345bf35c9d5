/**
 * format: byte formats, without paths or network: tar, compression, layer images. The sub-rooms document their
 * contracts; other rooms import those directly. `bale/format` exports
 * what programs can use on their own: compression, tars, and layer images without a mount.
 */
export {
  type Compression,
  type DecompressionLimits,
  decompress,
  decompressAny,
  detectCompression,
  detectStream,
  type GzipOptions,
  gzipParallel,
  gzipStream,
  type ZstdOptions,
  zstdStream,
} from './compression/index.ts'
export {
  checkErofs,
  type ErofsImage,
  type ImageEntry,
  type ImageInode,
  type InodeType,
  lookupPath,
  openErofs,
  readLink,
  type WalkedInode,
  walkImage,
} from './erofs/index.ts'
export {
  createLayerWriter,
  type LayerWriter,
  type LayerWriterOptions,
  type RandomSink,
  type RandomSource,
  reassemble,
  type Sink,
  type WrittenLayerImage,
} from './layer/index.ts'
export {
  type Change,
  changeOf,
  createTarScanner,
  linkTargetOf,
  type NewTarEntry,
  normalisePath,
  type PackedEntry,
  packTar,
  parseWhiteout,
  type TarEntry,
  type TarHandlers,
  type TarLimits,
  type TarPosition,
  type TarScanner,
  type TarScannerOptions,
  tarHeader,
  tarPadding,
  tarTrailer,
  type Whiteout,
} from './tar/index.ts'
