import { BaleError } from '#base'
import type { HostOptions } from '../model/index.ts'
import { seccompFilter } from '../seccomp/index.ts'
import { boundingCapabilities } from './capabilities.ts'
import { DEFAULT_PATH, kernelMounts, MASKED_PATHS, READONLY_PATHS } from './default-paths.ts'
import type { DeviceAccess } from './devices.ts'
import type { Machine } from './machine.ts'
import type { OciConfig, OciMount, OciProcess } from './oci-config.ts'
import type { ProcessUser } from './process-user.ts'
import { resourceLimits, withoutLifted } from './resources.ts'
import { rlimits } from './rlimits.ts'
import { parseSecurityOptions } from './security-options.ts'
import { sysctls } from './sysctls.ts'

const DEFAULT_SHM_SIZE = 64 * 1024 * 1024

/** A namespace of the container: its own, the host's, or one that a path names. */
export type NamespaceChoice = 'own' | 'host' | { path: string }

export interface RuntimeSpecInput {
  /** Full container ID; also names the cgroup, /bale/ID. */
  id: string
  /** Absolute, no symlink. */
  rootfsPath: string
  process: { args: string[]; env: string[]; cwd: string; terminal: boolean; user: ProcessUser }
  hostname?: string
  domainname?: string
  network: NamespaceChoice
  pid?: NamespaceChoice
  ipc?: NamespaceChoice
  uts?: NamespaceChoice
  host: HostOptions
  /** Files of /etc, volumes and binds, outermost first. */
  mounts: OciMount[]
  /** Of `deviceAccess`. */
  devices: DeviceAccess
  machine: Machine
  warn?: (text: string) => void
}

/** The absolute cgroup of a container: the same path in every hierarchy, unlike a relative one. */
export function cgroupPath(id: string): string {
  return `/bale/${id}`
}

/** A container's config.json: docker's defaults, modified by the options. Pure. */
export function runtimeSpec(input: RuntimeSpecInput): OciConfig {
  const { host, machine } = input
  const privileged = host.privileged ?? false
  const uts = input.uts ?? 'own'
  const ipc = input.ipc ?? 'own'
  const bounding = boundingCapabilities({ add: host.capAdd, drop: host.capDrop, privileged }, machine.capabilities)
  const security = parseSecurityOptions(host.securityOptions ?? [], { apparmor: machine.apparmor, privileged })
  if (security.seccomp && !machine.seccomp)
    throw new BaleError('UNSUPPORTED_HOST', 'the kernel cannot filter system calls (no seccomp)', {
      next: { act: 'choose-security', option: 'seccomp=unconfined' },
    })
  const hasOwnShm = input.mounts.some((mount) => mount.destination === '/dev/shm')
  return {
    ociVersion: '1.0.2',
    process: ociProcess(input.process, host, machine, input.warn),
    root: { path: input.rootfsPath, readonly: host.readOnly ?? false },
    ...(uts === 'own' && input.hostname && { hostname: input.hostname }),
    ...(uts === 'own' && input.domainname && { domainname: input.domainname }),
    mounts: [
      ...kernelMounts({
        privileged,
        ownNetwork: input.network !== 'host',
        shmSize: hasOwnShm ? undefined : (host.shmSize ?? DEFAULT_SHM_SIZE),
      }),
      ...input.mounts,
    ],
    linux: {
      namespaces: [
        { type: 'mount' },
        ...namespace('network', input.network),
        ...namespace('uts', uts),
        ...namespace('pid', input.pid ?? 'own'),
        ...namespace('ipc', ipc),
        // Docker's choice: private on version 2, the host's on version 1.
        ...(machine.cgroupVersion === 2 && !privileged ? [{ type: 'cgroup' }] : []),
      ],
      sysctl: sysctls(host.sysctls ?? {}, {
        network: input.network === 'own' || isPath(input.network),
        ipc: ipc === 'own',
      }),
      cgroupsPath: cgroupPath(input.id),
      resources: { ...withoutLifted(resourceLimits(host.resources ?? {}, machine)), devices: input.devices.rules },
      ...(input.devices.nodes.length && { devices: input.devices.nodes }),
      ...(security.seccomp && {
        seccomp: seccompFilter(security.seccomp, { ...machine, capabilities: bounding }),
      }),
      ...(!privileged && { maskedPaths: MASKED_PATHS, readonlyPaths: READONLY_PATHS }),
      ...propagation(input.mounts),
    },
  }
}

/**
 * The first process of a container, or an additional one in it: both get what the container's options say and nothing of the
 * caller's. Only root gets its capabilities at once (R07).
 */
export function ociProcess(
  asked: RuntimeSpecInput['process'],
  host: HostOptions,
  machine: Machine,
  warn: (text: string) => void = () => undefined,
): OciProcess {
  const privileged = host.privileged ?? false
  const { uid, gid, additionalGids } = asked.user
  const bounding = boundingCapabilities({ add: host.capAdd, drop: host.capDrop, privileged }, machine.capabilities)
  const security = parseSecurityOptions(host.securityOptions ?? [], { apparmor: machine.apparmor, privileged })
  return {
    terminal: asked.terminal,
    user: { uid, gid, umask: 0o022, additionalGids },
    args: asked.args,
    env: withHome(asked.env, asked.user),
    cwd: asked.cwd,
    capabilities: uid === 0 ? { bounding, effective: bounding, permitted: bounding } : { bounding },
    ...(security.noNewPrivileges && { noNewPrivileges: true }),
    ...(security.apparmor !== undefined && { apparmorProfile: security.apparmor }),
    oomScoreAdj: host.oomScoreAdj ?? 0,
    rlimits: rlimits(host.ulimits ?? [], machine, warn),
  }
}

/** Unless HOME is set, runtimes look it up in the container's own files, and read endlessly from one without an end (M09). */
function withHome(env: string[], { home }: ProcessUser): string[] {
  return env.some((entry) => entry.startsWith('HOME=')) ? env : [...env, `HOME=${home || '/'}`]
}

/** The environment of a process: PATH, HOSTNAME and TERM first, then the image's and the user's. */
export function processEnvironment(env: readonly string[], options: { hostname: string; terminal: boolean }): string[] {
  const defaults = [`PATH=${DEFAULT_PATH}`, `HOSTNAME=${options.hostname}`, ...(options.terminal ? ['TERM=xterm'] : [])]
  return mergeEnvironment(defaults, env)
}

/** Later values replace earlier ones of the same key, in the earlier place; a `KEY` without `=` removes it. */
export function mergeEnvironment(base: readonly string[], changes: readonly string[]): string[] {
  const values = new Map(base.map((entry) => [keyOf(entry), entry]))
  for (const entry of changes) {
    if (entry.includes('=')) values.set(keyOf(entry), entry)
    else values.delete(entry)
  }
  return [...values.values()]
}

const keyOf = (entry: string) => entry.slice(0, entry.indexOf('=') < 0 ? undefined : entry.indexOf('='))
const isPath = (choice: NamespaceChoice) => typeof choice === 'object'

function namespace(type: string, choice: NamespaceChoice): { type: string; path?: string }[] {
  if (choice === 'host') return []
  return choice === 'own' ? [{ type }] : [{ type, path: choice.path }]
}

/** A shared or slave bind needs the root of the container's mounts to propagate as well. */
function propagation(mounts: readonly OciMount[]): { rootfsPropagation?: string } {
  const options = mounts.flatMap((mount) => mount.options ?? [])
  if (options.includes('rshared') || options.includes('shared')) return { rootfsPropagation: 'shared' }
  if (options.includes('rslave') || options.includes('slave')) return { rootfsPropagation: 'slave' }
  return {}
}
