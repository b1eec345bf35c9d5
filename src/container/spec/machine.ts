import { arch, release } from 'node:os'
import { table } from '#base'
import { cgroupLayout } from '#host'
import { readTextSync } from '#host/file'
import { type AppArmor, readAppArmor } from './apparmor.ts'
import { capabilitiesOfMask } from './capabilities.ts'

/** What this machine and this process can give a container. */
export interface Machine {
  /** Go's name of the architecture. */
  architecture: string
  kernel: string
  /** Bounding set of this process. */
  capabilities: string[]
  /** Hard limits of this process by their name in /proc/self/limits (`Max open files`). */
  hardLimits: Map<string, number>
  /** May limits be raised above the hard ones? */
  mayRaiseLimits: boolean
  /** The kernel's largest limit on open files, fs.nr_open. */
  mostFiles: number
  seccomp: boolean
  cgroupVersion: 1 | 2
  controllers: ReadonlySet<string>
  apparmor: AppArmor
}

const ARCHITECTURES = table<string>({ x64: 'amd64', ia32: '386', loong64: 'loong64', ppc64: 'ppc64le' })

/** The one line of the first user namespace. */
const ALL_IDS = /^\s*0\s+0\s+4294967295\s*$/

export function readMachine(): Machine {
  const status = readTextSync('/proc/self/status')
  const mask = (name: string) => new RegExp(`^${name}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1] ?? '0'
  const layout = cgroupLayout()
  return {
    architecture: ARCHITECTURES[arch()] ?? arch(),
    kernel: release(),
    capabilities: capabilitiesOfMask(mask('CapBnd')),
    hardLimits: hardLimits(readTextSync('/proc/self/limits')),
    // In a user namespace the capability exists but is not enough.
    mayRaiseLimits:
      capabilitiesOfMask(mask('CapEff')).includes('CAP_SYS_RESOURCE') &&
      ALL_IDS.test(readTextSync('/proc/self/uid_map')),
    mostFiles: Number(readTextSync('/proc/sys/fs/nr_open')),
    seccomp: /^Seccomp:/m.test(status),
    cgroupVersion: layout.version,
    controllers: new Set(layout.controllers.keys()),
    apparmor: readAppArmor(),
  }
}

/** `Max open files  1024  20000  files` -> hard limit 20000. */
function hardLimits(text: string): Map<string, number> {
  const limits = new Map<string, number>()
  for (const line of text.split('\n').slice(1)) {
    const [, name, , hard] = /^(.+?)\s{2,}(\S+)\s+(\S+)/.exec(line) ?? []
    if (name && hard) limits.set(name, hard === 'unlimited' ? Number.POSITIVE_INFINITY : Number(hard))
  }
  return limits
}
