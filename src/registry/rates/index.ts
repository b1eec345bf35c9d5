/**
 * registry/rates: limits of requests by caller. Promises: bounded memory, no database in the way of a request. Does not: know
 * HTTP, or limit guesses at passwords.
 */
export { CALLERS, COUNTED_PER, LIMITED, type Limited, type RequestLimit } from './request-limit.ts'
export { createRequestLimits, type RequestLimits } from './request-limits.ts'
