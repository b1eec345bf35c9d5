/**
 * seccomp: which system calls a container may make. docker's default profile with bale's additions, profiles of users, and
 * the filter that the runtime gets. Pure.
 */

export { defaultProfile } from './default-profile.ts'
export type { HardeningOptions } from './hardening.ts'
export type { SeccompFilter, SeccompProfile } from './profile.ts'
export { parseSeccompProfile, seccompFilter } from './seccomp-filter.ts'
