import { BaleError, table } from '#base'
import type { SeccompCondition, SeccompFilter, SeccompProfile, SeccompRule } from './profile.ts'

interface SeccompTarget {
  /** Go's name of the machine's architecture: amd64, arm64 … */
  architecture: string
  /** Capabilities of the container's bounding set, `CAP_…`. */
  capabilities: readonly string[]
  /** `uname -r`. */
  kernel: string
}

const NATIVE = table<string>({
  amd64: 'SCMP_ARCH_X86_64',
  arm64: 'SCMP_ARCH_AARCH64',
  s390x: 'SCMP_ARCH_S390X',
  mips64: 'SCMP_ARCH_MIPS64',
  mips64le: 'SCMP_ARCH_MIPSEL64',
  ppc64le: 'SCMP_ARCH_PPC64LE',
  riscv64: 'SCMP_ARCH_RISCV64',
  loong64: 'SCMP_ARCH_LOONGARCH64',
})

/** Turns a profile in docker's form into the runtime's filter for one machine and one set of capabilities. */
export function seccompFilter(profile: SeccompProfile, target: SeccompTarget): SeccompFilter {
  return {
    defaultAction: profile.defaultAction,
    ...(profile.defaultErrnoRet !== undefined && { defaultErrnoRet: profile.defaultErrnoRet }),
    architectures: architectures(profile, target.architecture),
    ...(profile.flags?.length && { flags: profile.flags }),
    syscalls: (profile.syscalls ?? []).filter((rule) => applies(rule, target)).map(translated),
  }
}

/** Checks a user's profile (`--security-opt seccomp=FILE`); `origin` names it in messages. */
export function parseSeccompProfile(text: string, origin: string): SeccompProfile {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (cause) {
    throw new BaleError('INVALID_ARGUMENT', `seccomp profile ${origin} is not JSON`, { cause })
  }
  const profile = parsed as SeccompProfile
  const valid =
    typeof profile === 'object' &&
    profile !== null &&
    typeof profile.defaultAction === 'string' &&
    profile.defaultAction.startsWith('SCMP_ACT_') &&
    (profile.syscalls === undefined || (Array.isArray(profile.syscalls) && profile.syscalls.every(validRule)))
  if (!valid)
    throw new BaleError('INVALID_ARGUMENT', `seccomp profile ${origin} is not in docker's format`, {
      hint: 'it needs a defaultAction (SCMP_ACT_…) and a list of syscalls with names and action',
    })
  return profile
}

function validRule(rule: SeccompRule): boolean {
  const names = rule.names ?? (rule.name === undefined ? [] : [rule.name])
  return typeof rule.action === 'string' && names.length > 0 && names.every((name) => typeof name === 'string')
}

function architectures(profile: SeccompProfile, architecture: string): string[] {
  if (profile.architectures?.length) return profile.architectures
  const native = NATIVE[architecture]
  const entry = profile.archMap?.find((one) => one.architecture === native)
  if (entry) return [entry.architecture, ...(entry.subArchitectures ?? [])]
  return native ? [native] : []
}

function applies(rule: SeccompRule, target: SeccompTarget): boolean {
  const { includes, excludes } = rule
  if (excludes && excluded(excludes, target)) return false
  return !includes || included(includes, target)
}

function excluded(condition: SeccompCondition, target: SeccompTarget): boolean {
  return (condition.arches?.includes(target.architecture) ||
    condition.caps?.some((capability) => target.capabilities.includes(capability)) ||
    (condition.minKernel !== undefined && atLeast(target.kernel, condition.minKernel))) as boolean
}

function included(condition: SeccompCondition, target: SeccompTarget): boolean {
  if (condition.arches?.length && !condition.arches.includes(target.architecture)) return false
  if (!condition.caps?.every((capability) => target.capabilities.includes(capability)) && condition.caps?.length)
    return false
  return condition.minKernel === undefined || atLeast(target.kernel, condition.minKernel)
}

function translated(rule: SeccompRule): SeccompFilter['syscalls'][number] {
  return {
    names: rule.names ?? [rule.name!],
    action: rule.action,
    ...(rule.errnoRet !== undefined && { errnoRet: rule.errnoRet }),
    ...(rule.args?.length && { args: rule.args }),
  }
}

function atLeast(kernel: string, wanted: string): boolean {
  const [major = 0, minor = 0] = kernel.split('.').map((part) => Number.parseInt(part, 10))
  const [wantedMajor = 0, wantedMinor = 0] = wanted.split('.').map((part) => Number.parseInt(part, 10))
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)
}
