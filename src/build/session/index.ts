/**
 * session: what a running build holds of the machine. Promises: mounts, scratch directories, secrets in memory and temporary
 * layers are gone when the build ends; those of a build that was killed go with the next one. Does not: know what is built.
 */
export { type BuildSession, openBuildSession } from './build-session.ts'
export { buildRecovery } from './dead-builds.ts'
export type { BuildMachine, DescribedBase, FoundBase } from './machine.ts'
