import type { SeccompProfile, SeccompRule } from './profile.ts'

/** AF_ALG (kernel crypto) and AF_VSOCK (host-guest sockets): never needed in a container, often holes. */
const DENIED_SOCKET_FAMILIES = { algorithm: 38, vsock: 40 }

/** Calls of the base profile that newer docker denies; ENOSYS, so that programs fall back. */
const DENIED_CALLS = ['io_uring_setup', 'io_uring_enter', 'io_uring_register']

/** Calls that are younger than the base profile and take no privilege; a libseccomp that does not know one skips it. */
const ADDED_CALLS = ['cachestat', 'fchmodat2', 'futex_requeue', 'futex_wait', 'futex_wake', 'map_shadow_stack', 'mseal']

const ENOSYS = 38

/** bale's default profile: docker's with io_uring and two socket families denied and a few harmless new calls allowed. */
export function hardened(base: SeccompProfile): SeccompProfile {
  const replaced = new Set(['socket', ...DENIED_CALLS])
  const rules = (base.syscalls ?? []).map((rule) =>
    rule.action === 'SCMP_ACT_ALLOW' && !rule.args?.length && rule.names?.some((name) => replaced.has(name))
      ? { ...rule, names: rule.names.filter((name) => !replaced.has(name)) }
      : rule,
  )
  return { ...base, syscalls: [...rules, ...socketRules(), deniedRule(), addedRule()] }
}

function socketRules(): SeccompRule[] {
  const { algorithm, vsock } = DENIED_SOCKET_FAMILIES
  const allow = (op: string, value: number): SeccompRule => ({
    names: ['socket'],
    action: 'SCMP_ACT_ALLOW',
    args: [{ index: 0, value, op }],
  })
  return [allow('SCMP_CMP_LT', algorithm), allow('SCMP_CMP_EQ', algorithm + 1), allow('SCMP_CMP_GT', vsock)]
}

function deniedRule(): SeccompRule {
  return { names: DENIED_CALLS, action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS }
}

function addedRule(): SeccompRule {
  return { names: ADDED_CALLS, action: 'SCMP_ACT_ALLOW' }
}
