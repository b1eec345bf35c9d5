import { execFile } from 'node:child_process'
import { cpus, hostname, machine, release, totalmem } from 'node:os'
import { promisify } from 'node:util'
import { errnoOf } from '#base'
import { DOCKER_FACTS } from '#docker/views'
import { readText } from '#host/file'
import { formatPlatform } from '#spec'
import type { EngineContext } from './context/context.ts'
import type { RegistryInformation } from './registry-information.ts'
import { packageVersion } from './version/index.ts'

/** Versions, with docker's names of members. */
export interface VersionInformation {
  Version: string
  NodeVersion: string
  Os: string
  Arch: string
  KernelVersion: string
  /** Programs that bale uses: name -> first line of their version output; undefined when missing. */
  Components: { Name: string; Version: string | undefined }[]
}

export async function version(context: EngineContext): Promise<VersionInformation> {
  const programs: [string, string[]][] = [
    ['runc', ['runc']],
    ['crun', ['crun']],
    ['conmon', ['conmon']],
    ['netavark', ['/usr/lib/podman/netavark', 'netavark', '/usr/libexec/podman/netavark']],
  ]
  const components = programs.map(async ([name, places]) => ({
    Name: name,
    Version: await firstAnswer(places, context.config.path),
  }))
  return {
    Version: packageVersion(),
    NodeVersion: process.versions.node,
    Os: context.platform.os,
    Arch: context.platform.architecture,
    KernelVersion: release(),
    Components: await Promise.all(components),
  }
}

async function firstAnswer(places: readonly string[], path: string): Promise<string | undefined> {
  for (const program of places) {
    try {
      const { stdout } = await promisify(execFile)(program, ['--version'], { env: { PATH: path } })
      return stdout
        .split('\n')[0]
        ?.replace(/^\S+ version /, '')
        .trim()
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error
    }
  }
  return undefined
}

type DockerFacts = typeof DOCKER_FACTS

/** The members of docker's `/info`, and bale's own: how layers are mounted, runtimes and their weaknesses. */
export interface SystemInformation extends DockerFacts, RegistryInformation {
  Containers: number
  ContainersRunning: number
  ContainersPaused: number
  ContainersStopped: number
  Images: number
  Driver: string
  /** How layer images are mounted: `file` or `loop`; and why. */
  LayerMounts: string
  LayerMountsReason: string
  /** What compresses layers here: name, version and level. ISA-L inflates too, where it is installed. */
  Gzip: string
  CgroupVersion: string
  KernelVersion: string
  OperatingSystem: string
  OSType: string
  Architecture: string
  NCPU: number
  MemTotal: number
  Name: string
  /** The store root; docker's name for it. */
  DockerRootDir: string
  RunDir: string
  ServerVersion: string
  Platform: string
  /** In docker's form: `name=seccomp,profile=builtin`, `name=apparmor`. */
  SecurityOptions: string[]
  DefaultRuntime: string
  Runtimes: Record<string, { path: string }>
  /** The installed runtimes with the published vulnerabilities of their versions. */
  RuntimeWeaknesses: { Runtime: string; Version: string; Open: string[]; Closed: string[] }[]
  /** Empty when AppArmor profiles are applied, else why they are not. */
  AppArmorMissing: string
}

/** Information about this machine and its store, in docker's terms. */
export async function information(context: EngineContext): Promise<SystemInformation> {
  const store = await context.store()
  const { chooseLayerFormat, chooseLayerMounts } = await import('#rootfs')
  const [{ gzipEncoder }, { openIsal }] = await Promise.all([import('#format/compression'), import('#host/isal')])
  const { registryInformation } = await import('./registry-information.ts')
  const [containers, images, format, mounts, system, cgroups, registries, security] = await Promise.all([
    store.containers.list(),
    store.images.list(),
    chooseLayerFormat(context.config.root, context.config.snapshotter),
    chooseLayerMounts(context.config.root, context.config.layerMounts),
    operatingSystem(),
    readText('/proc/self/mountinfo'),
    registryInformation(context),
    securityInformation(context),
  ])
  const count = (state: string) => containers.filter((one) => one.state === state).length
  return {
    ...DOCKER_FACTS,
    Containers: containers.length,
    ContainersRunning: count('running'),
    ContainersPaused: count('paused'),
    ContainersStopped: containers.length - count('running') - count('paused'),
    Images: images.length,
    Driver: format.written,
    LayerMounts: mounts.by,
    LayerMountsReason: mounts.reason,
    Gzip: gzipEncoder({ library: await openIsal() }),
    CgroupVersion: / - cgroup2 .*\n/.test(cgroups) && !/ - cgroup .*\n/.test(cgroups) ? '2' : '1',
    KernelVersion: release(),
    OperatingSystem: system,
    OSType: context.platform.os,
    Architecture: machine(),
    NCPU: cpus().length,
    MemTotal: totalmem(),
    Name: hostname(),
    DockerRootDir: context.config.root,
    RunDir: context.config.run,
    ServerVersion: packageVersion(),
    Platform: formatPlatform(context.platform),
    ...registries,
    ...security,
  }
}

/** What separates containers from the machine, and the weaknesses of the installed runtimes. */
export type SecurityInformation = Pick<
  SystemInformation,
  'SecurityOptions' | 'DefaultRuntime' | 'Runtimes' | 'RuntimeWeaknesses' | 'AppArmorMissing'
>

export async function securityInformation({ config }: EngineContext): Promise<SecurityInformation> {
  const { wallInformation } = await import('#container')
  const { runtime, path } = config
  const facts = await wallInformation(path, runtime === 'auto' ? undefined : runtime)
  return {
    SecurityOptions: [
      ...(facts.apparmor.applied ? ['name=apparmor'] : []),
      ...(facts.seccomp ? ['name=seccomp,profile=builtin'] : []),
    ],
    DefaultRuntime: facts.defaultRuntime ?? '',
    Runtimes: Object.fromEntries(facts.runtimes.map((one) => [one.name, { path: one.path }])),
    RuntimeWeaknesses: facts.runtimes
      .filter(({ weaknesses }) => weaknesses.length > 0)
      .map(({ name, version = '', weaknesses }) => ({
        Runtime: name,
        Version: version,
        Open: weaknesses.flatMap(({ id, closed }) => (closed === undefined ? [id] : [])),
        Closed: weaknesses.flatMap(({ id, closed }) => (closed === undefined ? [] : [id])),
      })),
    AppArmorMissing: facts.apparmor.applied ? '' : (facts.apparmor.missing ?? 'this kernel has none'),
  }
}

async function operatingSystem(): Promise<string> {
  try {
    const text = await readText('/etc/os-release')
    return /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(text)?.[1] ?? 'Linux'
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
    return 'Linux'
  }
}
