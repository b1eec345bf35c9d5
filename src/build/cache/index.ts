/**
 * cache: what was done before. Promises: a key covers everything that decides a step's result; a result that is found holds
 * its layer until the build ends. Does not: know how a step is done.
 */
export { cacheKey, chainId } from './cache-key.ts'
export { createStepCache } from './step-cache.ts'
export { cacheRecovery } from './taken-step.ts'
