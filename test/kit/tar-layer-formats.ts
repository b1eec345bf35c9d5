import type { LayerFormatLoaders, LayerFormats } from '#store'

export const tarLayerLoaders: LayerFormatLoaders = {
  erofs: async () => (await import('./tar-layer-format.ts')).layerFormat,
}

/** For stores of tests: layers are kept as their tars, under the name of the usual format. */
export const tarLayerFormats: LayerFormats = {
  written: 'erofs',
  loaders: tarLayerLoaders,
  worker: new URL('./tar-layer-worker.ts', import.meta.url).href,
}
