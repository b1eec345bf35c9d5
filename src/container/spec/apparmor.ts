import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { BaleError, errnoOf, printable } from '#base'
import { findProgram } from '#host'
import { readTextSync } from '#host/file'

/** What AppArmor can do for containers of this machine. */
export interface AppArmor {
  /** The kernel enforces profiles, and the program that loads them is installed. */
  enabled: boolean
  /** Why not, when only a part of it is missing. */
  missing?: string
  /** Profiles mediate sockets by family, so that a rule against one holds for every entry to it. */
  mediatesSockets: boolean
}

export const NO_APPARMOR: AppArmor = { enabled: false, mediatesSockets: false }

/** Where the kernel and the machine keep AppArmor's files; tests substitute their own directories. */
export interface AppArmorPlaces {
  /** Of securityfs. */
  kernel: string
  module: string
  /** Search path for apparmor_parser. */
  programs: string
  macros: string
}

export const APPARMOR_PLACES: AppArmorPlaces = {
  kernel: '/sys/kernel/security/apparmor',
  module: '/sys/module/apparmor/parameters',
  programs: '/usr/sbin:/sbin:/usr/bin',
  macros: '/etc/apparmor.d',
}

export function readAppArmor(places: AppArmorPlaces = APPARMOR_PLACES): AppArmor {
  if (!textOf(places.module, 'enabled').startsWith('Y')) return NO_APPARMOR
  const without = (missing: string): AppArmor => ({ ...NO_APPARMOR, missing })
  if (!existsSync(join(places.kernel, 'profiles'))) return without('securityfs is not mounted at /sys/kernel/security')
  if (!findProgram('apparmor_parser', places.programs)) return without('apparmor_parser is not installed')
  const families = ['network_v8', 'network_v9', 'network'].map((name) =>
    textOf(places.kernel, `features/${name}/af_mask`),
  )
  return { enabled: true, mediatesSockets: families.some((text) => text.split(/\s+/).includes('alg')) }
}

/** Names of the profiles that the kernel has. */
export function loadedProfiles(places: AppArmorPlaces = APPARMOR_PLACES): string[] {
  return textOf(places.kernel, 'profiles').split('\n').filter(Boolean).map(apparmorLabel)
}

/** Of a kernel file; empty when it is missing. */
function textOf(directory: string, name: string): string {
  try {
    return readTextSync(join(directory, name))
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return ''
    throw error
  }
}

/** The profile that bale loads and applies to every container that requests no other. */
export const DEFAULT_APPARMOR_PROFILE = 'bale-default'

/** docker's name of the same profile, which tools write. */
const DOCKERS_NAME = 'docker-default'

/**
 * The profile of a container: `asked` is the value of `apparmor=`, undefined when not given. The result undefined means
 * none. Throws when a requested profile cannot be applied (R18).
 */
export function apparmorProfile(
  asked: string | undefined,
  options: { apparmor: AppArmor; privileged: boolean },
): string | undefined {
  const { apparmor, privileged } = options
  if (asked === 'unconfined') return undefined
  if (asked === undefined) return apparmor.enabled && !privileged ? DEFAULT_APPARMOR_PROFILE : undefined
  if (asked === '' || /[\s\u0000]/.test(asked))
    throw new BaleError('INVALID_ARGUMENT', `invalid AppArmor profile: ${printable(asked)}`)
  if (apparmor.enabled) return asked === DOCKERS_NAME ? DEFAULT_APPARMOR_PROFILE : asked
  throw new BaleError('INVALID_ARGUMENT', `the AppArmor profile ${printable(asked)} cannot be applied here`, {
    hint: 'AppArmor is not enabled on this machine, or apparmor_parser is not installed; `unconfined` works everywhere',
  })
}

interface ProfileText {
  name: string
  /** True for an existing file below /etc/apparmor.d. */
  hasMacro: (path: string) => boolean
}

/**
 * The text of docker's default profile for apparmor_parser, with vsock denied as well. After apparmor/template.go of
 * https://github.com/moby/profiles (commit cd3bed8061c7b7378b61fc6827c7885779417a75), Apache-2.0; the licence is in
 * ../seccomp/LICENSE-moby-profile.
 */
export function apparmorText({ name, hasMacro }: ProfileText): string {
  const quoted = (text: string) => `"${text.replace(/["\\]/g, '\\$&')}"`
  return `# Made by bale after github.com/moby/profiles/apparmor.
${hasMacro('abi/3.0') ? 'abi <abi/3.0>,\n' : ''}${hasMacro('tunables/global') ? '#include <tunables/global>' : '@{PROC}=/proc/'}

profile ${quoted(name)} flags=(attach_disconnected,mediate_deleted) {
${hasMacro('abstractions/base') ? '  #include <abstractions/base>\n' : ''}  network,
  deny network alg,
  deny network vsock,
  capability,
  file,
  umount,
  # The machine's own processes, the runtimes and bale may send signals into a container.
  signal (receive) peer=unconfined,
  signal (receive) peer=runc,
  signal (receive) peer=crun,
  signal (send,receive) peer=${quoted(name)},

  deny @{PROC}/* w,
  # Only /proc/<number>/** and /proc/sys/** may be written.
  deny @{PROC}/{[^1-9/],[^1-9/][^0-9/],[^1-9s/][^0-9y/][^0-9s/],[^1-9/][^0-9/][^0-9/][^0-9/]*}/** w,
  deny @{PROC}/sys/[^k]** w,
  deny @{PROC}/sys/kernel/{?,??,[^s][^h][^m]**} w,
  deny @{PROC}/sysrq-trigger rwklx,
  deny @{PROC}/kcore rwklx,

  deny mount,

  deny /sys/[^f]*/** wklx,
  deny /sys/f[^s]*/** wklx,
  deny /sys/fs/[^c]*/** wklx,
  deny /sys/fs/c[^g]*/** wklx,
  deny /sys/fs/cg[^r]*/** wklx,
  deny /sys/firmware/** rwklx,
  deny /sys/devices/virtual/powercap/** rwklx,
  deny /sys/kernel/security/** rwklx,

  ptrace (trace,tracedby,read,readby) peer=${quoted(name)},
}
`
}

/** The profile's name in a line such as `name (enforce)`; names may hold spaces and parentheses. */
export function apparmorLabel(line: string): string {
  const label = line.replace(/\n$/, '')
  return / \([^()]*\)$/.test(label) ? label.slice(0, label.lastIndexOf(' (')) : label
}
