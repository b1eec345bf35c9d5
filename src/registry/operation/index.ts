/** registry/operation: what a registry's operator sees of it: the request log. Promises: no credentials, no waiting for a disk. */
export { type OperationOptions, openOperation } from './operation.ts'
export type { EndedRequest, Observe, RegistryEvent } from './registry-event.ts'
