import { statSync } from 'node:fs'
import { arch, release } from 'node:os'
import { errnoOf } from '#base'
import { cgroupLayout } from '#host'
import { readTextSync } from '#host/file'
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
  seccomp: boolean
  cgroupVersion: 1 | 2
  controllers: ReadonlySet<string>
  apparmor: boolean
}

const ARCHITECTURES: Record<string, string> = { x64: 'amd64', ia32: '386', loong64: 'loong64', ppc64: 'ppc64le' }

export function readMachine(): Machine {
  const status = readTextSync('/proc/self/status')
  const mask = (name: string) => new RegExp(`^${name}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1] ?? '0'
  const layout = cgroupLayout()
  return {
    architecture: ARCHITECTURES[arch()] ?? arch(),
    kernel: release(),
    capabilities: capabilitiesOfMask(mask('CapBnd')),
    hardLimits: hardLimits(readTextSync('/proc/self/limits')),
    mayRaiseLimits: capabilitiesOfMask(mask('CapEff')).includes('CAP_SYS_RESOURCE'),
    seccomp: /^Seccomp:/m.test(status),
    cgroupVersion: layout.version,
    controllers: new Set(layout.controllers.keys()),
    apparmor: exists('/sys/kernel/security/apparmor'),
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

function exists(path: string): boolean {
  try {
    statSync(path)
    return true
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false
    throw error
  }
}
