/**
 * store/layer-jobs: one pass that makes a layer's directory of its incoming bytes, here or on a worker thread; and the
 * layer formats by name. Promises: what is written was verified while it passed; formats are a closed set of names, and
 * only what the program's own table maps a name to is ever loaded. Does not: know the database, or publish a layer.
 */
export {
  type LayerFormat,
  type LayerFormatLoaders,
  type LayerFormats,
  loadLayerFormat,
} from './layer-format.ts'
export type { LayerJob, OpenInput } from './layer-job.ts'
export type { LayerWorkers } from './layer-workers.ts'
export { createWorkersWhenNeeded } from './lazy-workers.ts'
export { serveLayerJobs } from './serve-lazily.ts'
export { isWrongContent } from './wrong-content.ts'
