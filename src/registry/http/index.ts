/** registry/http: the distribution specification over node:http. Promises: every failure has the specified body. */
export { createHandler } from './handler.ts'
export { createOrigin, type OriginOptions } from './origin.ts'
