/**
 * store/collection: what runs over the whole store: garbage collection, the check, the sums of disk usage. Promises: may run
 * at any time alongside other operations, since what is being written is locked or leased; only leftovers of crashes are removed.
 */
export { type CheckOptions, check, type Finding } from './check.ts'
export { type Collected, collect, recoverStore } from './collect.ts'
export { type DiskUsage, diskUsage, type ImageUsage } from './disk-usage.ts'
