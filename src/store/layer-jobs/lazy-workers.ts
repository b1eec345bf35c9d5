import type { LayerFormats } from './layer-format.ts'
import type { LayerWorkers } from './layer-workers.ts'

/** Most commands write no layer; they load neither the threads nor their code. */
export function createWorkersWhenNeeded(formats: LayerFormats, count: number | undefined): LayerWorkers {
  let workers: Promise<LayerWorkers> | undefined
  const made = async () => (await import('./layer-workers.ts')).createLayerWorkers(formats, count)
  return {
    async run(job, open, options) {
      workers ??= made()
      return (await workers).run(job, open, options)
    },
    async [Symbol.asyncDispose]() {
      await (await workers)?.[Symbol.asyncDispose]()
    },
  }
}
