import type { SeccompProfile, SeccompRule } from './profile.ts'

/** AF_ALG (kernel crypto) and AF_VSOCK (host-guest sockets): never needed in a container, often vulnerable. */
const DENIED_FAMILIES = { algorithm: 38, vsock: 40 }
/** AF_MCTP. Newer families are refused until reviewed. */
const LAST_FAMILY = 45

/** Both take the family as their first argument, and both load the kernel module of a family. */
const FAMILY_CALLS = ['socket', 'socketpair']

/**
 * The old entry to all socket calls of 32-bit programs: it takes the family through a pointer, where no filter can look,
 * and libseccomp opens it for each rule that allows a call of FAMILY_CALLS. A rule without arguments closes it again; its
 * answer must differ from the profile's default, or runtimes leave the rule out.
 */
const MULTIPLEXER = 'socketcall'

/** Denied with ENOSYS, so that programs fall back to what they did before io_uring. */
const DENIED_CALLS = ['io_uring_setup', 'io_uring_enter', 'io_uring_register']

const ENOSYS = 38

export interface HardeningOptions {
  /**
   * True where something else than the filter denies the families for 32-bit programs as well (AppArmor's `deny network`):
   * then these programs keep their sockets.
   */
  multiplexer?: boolean
}

/** bale's default profile: docker's, with io_uring and two socket families denied by every way to them. */
export function hardened(base: SeccompProfile, { multiplexer = false }: HardeningOptions = {}): SeccompProfile {
  const replaced = new Set([...FAMILY_CALLS, ...DENIED_CALLS, ...(multiplexer ? [] : [MULTIPLEXER])])
  const rules = (base.syscalls ?? []).flatMap((rule) => {
    if (rule.action !== 'SCMP_ACT_ALLOW') return [rule]
    const names = rule.names?.filter((name) => !replaced.has(name)) ?? []
    return names.length > 0 ? [{ ...rule, names }] : []
  })
  const denied = multiplexer ? DENIED_CALLS : [...DENIED_CALLS, MULTIPLEXER]
  return {
    ...base,
    syscalls: [...rules, { names: denied, action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS }, ...familyRules()],
  }
}

/**
 * The kernel reads the family as an int, the filter compares all 64 bits: only "below" and "equal" leave no value with
 * other upper bits through; "above" would.
 */
function familyRules(): SeccompRule[] {
  const { algorithm, vsock } = DENIED_FAMILIES
  const allow = (op: string, value: number): SeccompRule => ({
    names: FAMILY_CALLS,
    action: 'SCMP_ACT_ALLOW',
    args: [{ index: 0, value, op }],
  })
  const above = Array.from({ length: LAST_FAMILY - vsock }, (_, index) => vsock + 1 + index)
  return [
    allow('SCMP_CMP_LT', algorithm),
    allow('SCMP_CMP_EQ', algorithm + 1),
    ...above.map((family) => allow('SCMP_CMP_EQ', family)),
  ]
}

/** Comparisons that are true for values whose upper half the kernel does not read. */
const OPEN_ABOVE = new Set(['SCMP_CMP_NE', 'SCMP_CMP_GT', 'SCMP_CMP_GE'])

/**
 * Rules that allow a call by a comparison which more values pass than were meant, as the kernel cuts the argument to 32
 * bits. `wide` names the arguments that the kernel reads whole. For whoever takes over a new profile.
 */
export function openComparisons(profile: SeccompProfile, wide: ReadonlySet<string> = new Set()): string[] {
  return (profile.syscalls ?? [])
    .filter((rule) => rule.action === 'SCMP_ACT_ALLOW')
    .flatMap((rule) =>
      (rule.args ?? [])
        .filter(({ op }) => OPEN_ABOVE.has(op))
        .flatMap(({ index, op, value }) =>
          (rule.names ?? []).map((name) => ({
            key: `${name}:${index}`,
            text: `${name} argument ${index} ${op} ${value}`,
          })),
        ),
    )
    .filter(({ key }) => !wide.has(key))
    .map(({ text }) => text)
}
