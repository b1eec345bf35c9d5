import type { LayerFormatLoaders } from '#store'

/** The layer formats: new layers are written in one of them, layers in the others stay readable. */
export const layerFormatLoaders: LayerFormatLoaders = {
  erofs: async () => (await import('./erofs-format.ts')).layerFormat,
  extract: async () => (await import('./extract-format.ts')).layerFormat,
}
