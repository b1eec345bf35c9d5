/**
 * registry/operation: what a registry's operator sees of it: the request log, metrics. Promises: no credentials, no waiting for
 * a disk, no names of repositories in metrics. Does not: listen.
 */
export { type Together, textOf } from './exposition.ts'
export { type OperationOptions, openOperation, processFamilies, toAll } from './operation.ts'
export type { EndedRequest, Observe, RegistryEvent } from './registry-event.ts'
