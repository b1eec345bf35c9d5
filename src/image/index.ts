/**
 * image: images, indexes and layers as views over blobs, and the one mover of images. Promises: raw bytes are kept,
 * documents are never changed, new ones are made. Does not: know registries, archives or the store (they are ImageSource and ImageTarget).
 */
export { choosePlatform, imagesOf, isAttestation } from './choose-platform.ts'
export { type CopyOptions, type CopyResult, chooseImage, copyImage } from './copy-image.ts'
export {
  type BlobAhead,
  type BlobContext,
  type BlobOutcome,
  type CopySelection,
  hasLocalFiles,
  type ImageSource,
  type ImageTarget,
  isRegistryPlace,
  type LocalFiles,
  type RawManifest,
  type RegistryPlace,
  type TakesBlobsAhead,
} from './image-place.ts'
export {
  describe,
  fullHistory,
  type ImageBase,
  type ImageDocuments,
  type ImageParts,
  type LayerDescription,
  makeDocuments,
  makeImage,
  makeIndex,
  plainLayer,
} from './make-image.ts'
export { createMemoryPlace, type MemoryPlace } from './memory-place.ts'
export { putImage, putIndex, type RandomImage, type RandomImageOptions, randomImage } from './random-image.ts'
export {
  artifactTypeOf,
  checkedManifest,
  isImageManifest,
  type ReadManifest,
  readConfigBytes,
  readImageConfig,
  readManifest,
} from './read-documents.ts'
export { replaceLayers } from './replace-layers.ts'
export { type ImageProblem, validateImage } from './validate-image.ts'
