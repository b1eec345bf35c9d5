/** What a worker thread of the store runs. It loads little: each thread pays for it once more in memory. */
import { serveLayerJobs } from '#store/layer-jobs'
import { layerFormatLoaders } from './layer-formats.ts'

void serveLayerJobs(layerFormatLoaders)
