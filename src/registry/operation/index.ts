/**
 * registry/operation: what a registry's operator sees of it: the request log, metrics, traces. Promises: no credentials, no waiting for
 * a disk or a collector, no names of repositories in metrics. Does not: listen.
 */
export { type Together, textOf } from './exposition.ts'
export { type OperationOptions, openOperation, processFamilies, type TracingOptions, toAll } from './operation.ts'
export type { EndedRequest, Observe, RegistryEvent } from './registry-event.ts'
export type { SpanSenderOptions } from './span-sender.ts'
export type { Part, RequestSpan, Tracer } from './tracer.ts'
