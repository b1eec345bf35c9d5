/**
 * registry/workers: what a group of processes that serve a registry at one address is made of. Promises: connections are counted for
 * all of them together; one that is killed is replaced, and costs a retry. Does not: know what they serve.
 */
export { createConnectionQueue } from './connection-queue.ts'
export { failureOf } from './failure.ts'
export { createHandedConnections, type HandedConnections } from './handed-connections.ts'
export type { FromWorker, MeasuredFamily, Task, ToWorker } from './messages.ts'
export { summedFamilies } from './summed-families.ts'
export type { WorkerListener } from './worker-process.ts'
export { WorkerSlot } from './worker-slot.ts'
