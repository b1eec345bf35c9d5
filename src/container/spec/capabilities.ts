import { BaleError } from '#base'

/** Docker's default bounding set (R07). */
export const DEFAULT_CAPABILITIES = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FSETID',
  'CAP_FOWNER',
  'CAP_MKNOD',
  'CAP_NET_RAW',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETFCAP',
  'CAP_SETPCAP',
  'CAP_NET_BIND_SERVICE',
  'CAP_SYS_CHROOT',
  'CAP_KILL',
  'CAP_AUDIT_WRITE',
] as const

/** In the order of their bits, capability.h. */
const BY_BIT =
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE'
    .split(' ')
    .map((name) => `CAP_${name}`)

interface CapabilityRequest {
  add?: readonly string[]
  drop?: readonly string[]
  privileged?: boolean
}

/**
 * The bounding set of a container: docker's default, plus and minus the requested ones; `ALL` means what this
 * process may give (`available`, its own bounding set: the kernel refuses more). A capability requested by name that
 * is not available is an error; one not requested by name is left out.
 */
export function boundingCapabilities(request: CapabilityRequest, available: readonly string[]): string[] {
  if (request.privileged) return [...available]
  const add = (request.add ?? []).map(capabilityName)
  const drop = (request.drop ?? []).map(capabilityName)
  const missing = add.find((name) => name !== 'ALL' && !available.includes(name))
  if (missing)
    throw new BaleError('INVALID_ARGUMENT', `capability ${missing} cannot be granted: this process does not have it`, {
      hint: 'run bale with all capabilities, or do not add this one',
    })
  // Docker's rule: `--cap-add ALL --cap-drop X` is all but X, `--cap-drop ALL --cap-add X` is only X.
  const start = add.includes('ALL')
    ? available
    : drop.includes('ALL')
      ? []
      : DEFAULT_CAPABILITIES.filter((name) => available.includes(name))
  const kept = start.filter((name) => !drop.includes(name))
  return [...new Set([...kept, ...add.filter((name) => name !== 'ALL')])]
}

/** `net_admin`, `CAP_NET_ADMIN`, `all` in the kernel's spelling. Throws INVALID_ARGUMENT for unknown ones. */
function capabilityName(text: string): string {
  const upper = text.toUpperCase()
  if (upper === 'ALL' || upper === 'CAP_ALL') return 'ALL'
  const name = upper.startsWith('CAP_') ? upper : `CAP_${upper}`
  if (BY_BIT.includes(name)) return name
  throw new BaleError('INVALID_ARGUMENT', `unknown capability: ${text}`, { hint: 'see capabilities(7) for the names' })
}

/** Names of the bits of a mask as /proc/PID/status prints it (hexadecimal). Bits without a name are left out. */
export function capabilitiesOfMask(hex: string): string[] {
  const mask = BigInt(`0x${hex.trim()}`)
  return BY_BIT.filter((_, bit) => (mask >> BigInt(bit)) & 1n)
}
