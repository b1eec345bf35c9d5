import { BaleError } from '#base'
import { defaultProfile, type HardeningOptions, parseSeccompProfile, type SeccompProfile } from '../seccomp/index.ts'
import { type AppArmor, apparmorProfile, DEFAULT_APPARMOR_PROFILE } from './apparmor.ts'

interface SecurityOptions {
  /** undefined: unconfined. */
  seccomp: SeccompProfile | undefined
  /** Name of the profile; undefined: none. */
  apparmor: string | undefined
  noNewPrivileges: boolean
}

/**
 * Reads docker's `--security-opt` values. `seccomp=` takes `unconfined`, `builtin`, or a profile's JSON text (the file
 * is read by the command line parser). What cannot be applied is refused, never silently ignored (R18).
 */
export function parseSecurityOptions(
  options: readonly string[],
  { apparmor, privileged = false }: { apparmor: AppArmor; privileged?: boolean },
): SecurityOptions {
  let seccomp = privileged ? 'unconfined' : 'builtin'
  let profile: string | undefined
  let noNewPrivileges = false
  for (const option of options) {
    const [, key = option, value] = /^([^=:]+)[=:](.*)$/s.exec(option) ?? []
    if (key === 'seccomp' && value !== undefined) seccomp = value
    else if (key === 'apparmor' && value !== undefined) profile = value
    else if (key === 'no-new-privileges') noNewPrivileges = value !== 'false'
    else if (key === 'label' && value === 'disable') continue
    else
      throw new BaleError('INVALID_ARGUMENT', `invalid security option: ${option}`, {
        hint: 'supported: seccomp=unconfined, seccomp=FILE, apparmor=PROFILE, no-new-privileges, label=disable',
      })
  }
  const name = apparmorProfile(profile, { apparmor, privileged })
  const multiplexer = name === DEFAULT_APPARMOR_PROFILE && apparmor.mediatesSockets
  return { seccomp: seccompOption(seccomp, { multiplexer }), apparmor: name, noNewPrivileges }
}

function seccompOption(value: string, hardening: HardeningOptions): SeccompProfile | undefined {
  if (value === 'unconfined') return undefined
  if (value === 'builtin') return defaultProfile(hardening)
  return parseSeccompProfile(value, 'of the security options')
}
