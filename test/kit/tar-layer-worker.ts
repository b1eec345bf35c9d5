import { serveLayerJobs } from '#store/layer-jobs'
import { tarLayerLoaders } from './tar-layer-formats.ts'

await serveLayerJobs(tarLayerLoaders)
