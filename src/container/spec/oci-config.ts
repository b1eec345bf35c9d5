import type { SeccompFilter } from '../seccomp/index.ts'

/** The part of the runtime specification 1.0.2 that bale writes (config.md, config-linux.md). */
export interface OciConfig {
  ociVersion: string
  process: OciProcess
  root: { path: string; readonly: boolean }
  hostname?: string
  domainname?: string
  mounts: OciMount[]
  linux: OciLinux
  annotations?: Record<string, string>
}

export interface OciProcess {
  terminal: boolean
  consoleSize?: { height: number; width: number }
  user: { uid: number; gid: number; umask?: number; additionalGids?: number[] }
  args: string[]
  env: string[]
  cwd: string
  noNewPrivileges?: boolean
  apparmorProfile?: string
  oomScoreAdj?: number
  capabilities: OciCapabilities
  rlimits?: { type: string; soft: LimitValue; hard: LimitValue }[]
}

/** A number, or one beyond 2^53 as the text that is written. */
export type LimitValue = number | RawNumber

interface RawNumber {
  readonly rawJSON: string
}

declare global {
  interface JSON {
    /** ECMAScript's JSON.parse source text access, of Node 22 and later; TypeScript does not know it yet. */
    rawJSON(text: string): RawNumber
  }
}

interface OciCapabilities {
  bounding: string[]
  effective?: string[]
  permitted?: string[]
}

export interface OciMount {
  destination: string
  type?: string
  source?: string
  options?: string[]
}

export interface OciDevice {
  type: 'c' | 'b' | 'p'
  path: string
  major: number
  minor: number
  fileMode?: number
  uid?: number
  gid?: number
}

export interface OciDeviceRule {
  allow: boolean
  type?: string
  major?: number
  minor?: number
  access: string
}

interface OciLinux {
  namespaces: { type: string; path?: string }[]
  sysctl?: Record<string, string>
  cgroupsPath: string
  resources: OciResources
  devices?: OciDevice[]
  seccomp?: SeccompFilter
  maskedPaths?: string[]
  readonlyPaths?: string[]
  rootfsPropagation?: string
}

export interface OciResources {
  devices?: OciDeviceRule[]
  memory?: {
    limit?: number
    swap?: number
    reservation?: number
    swappiness?: number
    disableOOMKiller?: boolean
  }
  cpu?: { shares?: number; quota?: number; period?: number; cpus?: string; mems?: string }
  pids?: { limit: number }
  blockIO?: {
    weight?: number
    throttleReadBpsDevice?: OciThrottle[]
    throttleWriteBpsDevice?: OciThrottle[]
    throttleReadIOPSDevice?: OciThrottle[]
    throttleWriteIOPSDevice?: OciThrottle[]
  }
}

export interface OciThrottle {
  major: number
  minor: number
  rate: number
}
