/**
 * format/layer: a layer's tar ↔ one mountable EROFS image + the split (all bytes of the tar that are not file data).
 *
 * Promises: image and split are a pure function of the tar; together they reproduce the exact tar; what a tar must not
 * bring into an image (overlay marks, devices 0:0, names that leave the root) never gets there. Does not: compress,
 * open files, or judge the digest (the caller compares the diff ID).
 */
export type { RandomSink, RandomSource, Sink } from '../erofs/index.ts'
export { createLayerWriter, type LayerWriter, type LayerWriterOptions, type WrittenLayerImage } from './layer-writer.ts'
export { reassemble } from './reassemble.ts'
