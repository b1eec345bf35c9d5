/**
 * image: images, indexes and layers as views over blobs, and the one mover of images. Promises: raw bytes are kept,
 * a mutation returns a new view. Does not: know registries, archives or the store (they are ImageSource and ImageTarget).
 */
export {
  type BlobContext,
  type CopySelection,
  hasLocalFiles,
  type ImageSource,
  type ImageTarget,
  isRegistryPlace,
  type LocalFiles,
  type RegistryPlace,
} from './image-place.ts'
