import { BaleError } from '#base'
import { hardened } from '../seccomp/hardening.ts'
import { mobyDefaultProfile } from '../seccomp/moby-default-profile.ts'
import type { SeccompProfile } from '../seccomp/profile.ts'
import { parseSeccompProfile } from '../seccomp/seccomp-filter.ts'

export interface SecurityOptions {
  /** undefined: unconfined. */
  seccomp: SeccompProfile | undefined
  noNewPrivileges: boolean
}

/**
 * Reads docker's `--security-opt` values. `seccomp=` takes `unconfined`, `builtin`, or a profile's JSON text (the file
 * is read by whoever parses the command line). What this version cannot apply is refused, never silently ignored (R18).
 */
export function parseSecurityOptions(options: readonly string[], privileged = false): SecurityOptions {
  const result: SecurityOptions = {
    seccomp: privileged ? undefined : hardened(mobyDefaultProfile),
    noNewPrivileges: false,
  }
  for (const option of options) {
    const [, key = option, value] = /^([^=:]+)[=:](.*)$/s.exec(option) ?? []
    if (key === 'seccomp' && value !== undefined) result.seccomp = seccompOption(value)
    else if (key === 'no-new-privileges') result.noNewPrivileges = value !== 'false'
    else if ((key === 'apparmor' && value === 'unconfined') || (key === 'label' && value === 'disable')) continue
    else
      throw new BaleError('INVALID_ARGUMENT', `invalid --security-opt: ${option}`, {
        hint: 'supported: seccomp=unconfined, seccomp=FILE, no-new-privileges, apparmor=unconfined, label=disable',
      })
  }
  return result
}

function seccompOption(value: string): SeccompProfile | undefined {
  if (value === 'unconfined') return undefined
  if (value === 'builtin') return hardened(mobyDefaultProfile)
  return parseSeccompProfile(value, 'of --security-opt')
}
