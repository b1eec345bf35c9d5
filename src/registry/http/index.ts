/** registry/http: the distribution specification over node:http. Promises: every failure has the specified body. */
export { createAddressList, isLoopback, isProtected } from './address-list.ts'
export { type ConnectionLimit, createConnectionLimit } from './connection-limit.ts'
export { createHandler } from './handler.ts'
export { createHealth } from './health.ts'
export { createOrigin, type OriginOptions } from './origin.ts'
export { LEAST_RATE, type LeastRate, watchBodies } from './slow-bodies.ts'
