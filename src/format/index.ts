/**
 * format: bytes and what they mean, without paths and network: tar, compression, layer images. The sub-rooms promise in
 * detail; other rooms import those, `bale/format` gives programs all of them.
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
