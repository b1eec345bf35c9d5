/** registry/http: the distribution specification over node:http. Promises: every failure has the specified body. */
export type { RegistryContext } from './exchange.ts'
export { createHandler } from './handler.ts'
export { createOrigin, type OriginOptions } from './origin.ts'
