/**
 * Docker's default seccomp profile, unchanged as data; its origin is in moby-default-profile.source.json, its
 * licence in LICENSE-moby-profile beside it. What bale denies beyond it is in hardening.ts, never in the data.
 */
import type { HardeningOptions } from './hardening.ts'
import { hardened } from './hardening.ts'
import moby from './moby-default-profile.json' with { type: 'json' }
import type { SeccompProfile } from './profile.ts'

export const mobyDefaultProfile: SeccompProfile = moby

/** The profile of a container that requests none. */
export function defaultProfile(options: HardeningOptions = {}): SeccompProfile {
  return hardened(mobyDefaultProfile, options)
}
