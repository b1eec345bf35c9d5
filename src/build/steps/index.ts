/**
 * steps: how the operations of a graph are done on this machine. Promises: what a step is given decides its cache key; RUN
 * runs isolated in a container; COPY and ADD write their layer in one pass; a step that fails or is cancelled leaves
 * neither mounts nor processes. Does not: know the Dockerfile, or in which order steps come.
 */
export { cacheMountsSize, pruneCacheMounts } from './cache-mounts.ts'
export { createRunners } from './runners.ts'
export { layeredFiles } from './sources.ts'
export type { BuildSecret } from './step-context.ts'
