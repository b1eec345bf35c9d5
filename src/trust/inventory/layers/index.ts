/**
 * trust/inventory/layers: the files of one layer in one pass, from its tar or from its image in the store. Promises:
 * paths are judged as everywhere in bale; nothing is extracted, nothing mounted; memory is bounded whatever the size of
 * a file. Does not: stack layers.
 */
export { imageLayer } from './image-layer.ts'
export type { LayerChange, LayerFiles, LayerVisitor, Wanted } from './layer-files.ts'
export { tarLayer } from './tar-layer.ts'
