/**
 * trust/inventory/take: all layers of an image, through all analysers, into one inventory. Promises: layers are stacked as
 * the image specification says; each part that could not be read is named. Does not: keep inventories.
 */
export { createImageFiles } from './image-files.ts'
export { layersOf, takeInventory } from './take-inventory.ts'
