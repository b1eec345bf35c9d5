/**
 * store/content: blobs as they travelled, and layers made of them. Promises: what has a row is complete and was verified
 * while it was written; one writer at a time per digest, over all processes; damage is found by reading, never passed on;
 * unreferenced content is removed by `sweep`, rows first. Does not: know which image needs what, or how a layer is laid out
 * (LayerFormat).
 */
export type { Core, Intake } from './core.ts'
export { createLayerIntake, type LayerIntake } from './layer-intake.ts'
export { createLayers, type Layers } from './layers.ts'
export { loadFormat } from './load-format.ts'
export { putBlob } from './put-blob-lazily.ts'
export { insertConfig } from './put-config.ts'
export { removeBlobFile, removeLayerFiles, type Swept, sweep } from './sweep.ts'
export { verifiedBlob, verifiedTar } from './verified-read.ts'
export { verifyBytes } from './verify-bytes.ts'
