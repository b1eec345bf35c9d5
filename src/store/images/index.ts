/**
 * store/images: names, and the images behind them. Promises: a manifest is stored only with all that it needs; names and
 * IDs are found as docker finds them; one damaged image does not hide the others; removal goes by docker's rules. Does
 * not: read or write layers.
 */
export type { FoundImage } from './found-image.ts'
export { allImages } from './image-table.ts'
export { createImages, type Images } from './images.ts'
export { insertManifest } from './insert-manifest.ts'
export { type NewImage, putImage } from './put-image.ts'
export type { PruneImagesOptions, RemovalRecord, Removed, RemoveImageOptions } from './removed.ts'
export type { StoredImage } from './stored-image.ts'
