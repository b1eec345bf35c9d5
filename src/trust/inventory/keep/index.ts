/**
 * trust/inventory/keep: inventories that were taken before, as files. Promises: an inventory that is found is whole,
 * and of this version of the analysis. Does not: keep what could be made again without cost.
 */
export { createInventoryCache } from './inventory-cache.ts'
