/**
 * trust/inventory: what is inside an image. Promises: the same image gives the same inventory, from a registry, an
 * archive or the store; each package names the file and the layer that prove it; each part that could not be read is
 * named. Does not: run or mount anything of an image, or judge a package.
 */
export { ANALYSER_VERSION } from './analyser-version.ts'
export { type FoundFile, findFile } from './file/index.ts'
export { createInventoryCache } from './keep/index.ts'
export { imageLayer, type LayerFiles } from './layers/index.ts'
export type {
  FoundPackage,
  Gap,
  Inventory,
  InventoryLayer,
  InventoryPackage,
  OperatingSystem,
  PackageType,
} from './model.ts'
export { layersOf, takeInventory } from './take/index.ts'
