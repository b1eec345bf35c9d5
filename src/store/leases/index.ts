/**
 * store/leases: what an operation holds before anything refers to it. Promises: a leased layer, blob or document is not
 * collected while the operation runs; one that ended, or whose process is dead, keeps nothing. Does not: remove
 * anything but leases.
 */
export { createLease, dropDeadLeases, isLeaseOpen, type Lease } from './leases.ts'
