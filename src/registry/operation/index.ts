/**
 * registry/operation: what a registry's operator sees of it: the request log, metrics. Promises: no credentials, no waiting for
 * a disk, no names of repositories in metrics. Does not: listen.
 */
export { type OperationOptions, openOperation, toAll } from './operation.ts'
export type { EndedRequest, Observe, RegistryEvent } from './registry-event.ts'
