/**
 * format/compression: gzip, zstd, xz and bzip2 streams. Promises: reads all that is well formed (many members, many frames)
 * and nothing that is not (early end, wrong checksum, trailing data, windows and outputs beyond limits); writes gzip
 * whose bytes do not depend on the number of threads. A library in place of zlib is given in. Does not: guess from file names; read dictionaries.
 */
export { type DecompressionLimits, decompress, decompressAny } from './decompress.ts'
export { type Compression, DETECTION_BYTES, detectCompression, detectStream } from './detect.ts'
export { type GzipOptions, gzipEncoder, gzipParallel, gzipStream, PIECE_BYTES } from './gzip.ts'
export { type ZstdOptions, zstdEncoder, zstdStream } from './zstd.ts'
