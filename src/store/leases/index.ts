/**
 * store/leases: what a process holds before anything refers to it. Promises: a leased layer, blob or document is not
 * collected while its holder lives; a dead holder keeps nothing. Does not: remove anything but leases.
 */
export { createLease, createSession, dropDeadLeases, type Lease, type LeaseOptions, type Session } from './leases.ts'
