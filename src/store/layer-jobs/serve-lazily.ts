import type { LayerFormatLoaders } from './layer-format.ts'

/** What the module of a worker thread does: takes layer jobs one after the other, with these formats. */
export async function serveLayerJobs(formats: LayerFormatLoaders): Promise<void> {
  const { serve } = await import('./serve-layer-jobs.ts')
  serve(formats)
}
