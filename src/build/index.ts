/**
 * build: Dockerfiles into images. Promises: BuildKit's rules for words, stages, cache and history; a step whose inputs did
 * not change is taken from the cache and nothing of it is executed; COPY and ADD write their layer in one pass; nothing of
 * a context outside of its directory is read; a failed or cancelled build leaves neither mounts nor processes. Does not:
 * fetch images (it is given a function), parse command lines, print.
 */
export { type BuiltImage, build } from './build.ts'
export type { BuildOptions } from './build-options.ts'
export type { RecordedStep } from './build-record.ts'
export { cacheRecovery } from './cache/index.ts'
export { type CheckReport, checkDockerfile } from './check.ts'
export { fileDigestsSize, pruneFileDigests } from './context/index.ts'
export { applyChanges, secretId } from './instructions/index.ts'
export { writeDirectory } from './output/index.ts'
export { type BuildMachine, buildRecovery, type DescribedBase, type FoundBase } from './session/index.ts'
export { cacheMountsSize, pruneCacheMounts } from './steps/index.ts'
