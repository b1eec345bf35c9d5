import { isIP } from 'node:net'
import { arch } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { BaleError, table } from '#base'
import { type Platform, parseSourceDateEpoch } from '#spec'
import { type ConfigFile, NO_FILE, type OwnRegistry, readConfigFile } from './config-file.ts'

/** Decided once by the user: where things are and which parts are used. Read by `readConfig`, then passed on. */
export interface EngineConfig {
  /** Store root: names, blobs, layers, containers, volumes. */
  root: string
  /** Mounts, sockets, locks: gone after a reboot. */
  run: string
  /** How layers are stored; `auto` probes the kernel's abilities. */
  snapshotter: 'auto' | 'erofs' | 'extract'
  /** How layer images are mounted; `auto` chooses loop devices for kernels that mount files unreliably. */
  layerMounts: 'auto' | 'file' | 'loop'
  /** `auto` is crun, or runc when only that is installed. */
  runtime: 'auto' | 'runc' | 'crun'
  /** docker's config.json with credentials. */
  dockerConfigFile: string
  /** Other credential files that are read, most specific first (podman's auth.json). */
  authFiles: string[]
  /** Registries used over plain http or with unverified certificates: hosts with port, address ranges. */
  insecureRegistries: string[]
  /** The host's address for published ports that name none; undefined: every address, with a warning. */
  publishAddress: string | undefined
  /** The settings of config.json for names that begin with a prefix. */
  registries: Readonly<Record<string, OwnRegistry>>
  /** Changed bounds of the registry client. */
  registryLimits: Readonly<Record<string, number>>
  /** Other files that configure registries. */
  registryFiles: RegistryFiles
  /** Path of the policy that says whose signatures images must have. */
  signaturePolicy: string | undefined
  /** Directories like /etc/docker/certs.d. */
  certificateDirectories: string[]
  /** Search path for helper programs. */
  path: string
  /** From SOURCE_DATE_EPOCH: seconds since 1970 for reproducible builds. */
  sourceDateEpoch: number | undefined
  /** Rooms whose diagnostics go to stderr. */
  debug: string[]
  /** Environment given to credential helpers and for `-e NAME` without a value. */
  environment: Readonly<Record<string, string | undefined>>
}

export interface RegistryFiles {
  /** bale's own, when there is one. */
  configFile: string | undefined
  /** docker's daemon.json. */
  daemonFiles: string[]
  /** registries.conf of podman's tools: the first existing file is used. */
  registriesConf: string[]
  /** Directories with more of them. */
  registriesConfDirectories: string[]
}

/** What the caller sets; the rest comes from the environment, config.json and the defaults. */
export type ConfigOverrides = Partial<Pick<EngineConfig, 'root' | 'run' | 'snapshotter' | 'runtime' | 'debug'>> & {
  /** Directory of docker's config.json (docker's `--config`). */
  dockerConfigDirectory?: string
}

/**
 * Flags win over the environment (BALE_ROOT, BALE_RUN, BALE_SNAPSHOTTER, BALE_RUNTIME, DOCKER_CONFIG …), which wins over
 * /etc/bale/config.json (its members are those of ConfigFile), which takes precedence over the defaults.
 */
export function readConfig(overrides: ConfigOverrides = {}): EngineConfig {
  const env = table<string | undefined>(process.env)
  const configFile = env['BALE_CONFIG'] ?? '/etc/bale/config.json'
  const file = readConfigFile(configFile, env['BALE_CONFIG'] !== undefined)
  const home = env['HOME'] ?? '/'
  const isRoot = process.geteuid?.() === 0
  // An empty XDG variable counts as unset (XDG Base Directory Specification).
  const root =
    overrides.root ??
    env['BALE_ROOT'] ??
    file.root ??
    (isRoot ? '/var/lib/bale' : join(env['XDG_DATA_HOME'] || join(home, '.local/share'), 'bale'))
  // A store of its own gets a run directory of its own, so that two stores never share mounts or locks.
  const run =
    overrides.run ??
    (overrides.root !== undefined
      ? join(root, 'run')
      : (env['BALE_RUN'] ??
        (env['BALE_ROOT'] !== undefined
          ? join(root, 'run')
          : (file.run ?? (isRoot ? '/run/bale' : join(env['XDG_RUNTIME_DIR'] || join(root, 'run'), 'bale'))))))
  const runtimeDirectory = env['XDG_RUNTIME_DIR'] || (isRoot ? '/run' : undefined)
  return {
    // The monitor, the runtime and later commands work in other directories.
    root: resolve(root),
    run: resolve(run),
    snapshotter: choice('snapshotter', overrides.snapshotter ?? env['BALE_SNAPSHOTTER'] ?? file.snapshotter ?? 'auto', [
      'auto',
      'erofs',
      'extract',
    ]),
    layerMounts: choice('layerMounts', env['BALE_LAYER_MOUNTS'] ?? file.layerMounts ?? 'auto', [
      'auto',
      'file',
      'loop',
    ]),
    runtime: choice('runtime', overrides.runtime ?? env['BALE_RUNTIME'] ?? file.runtime ?? 'auto', [
      'auto',
      'runc',
      'crun',
    ]),
    dockerConfigFile: join(
      overrides.dockerConfigDirectory ?? env['DOCKER_CONFIG'] ?? join(home, '.docker'),
      'config.json',
    ),
    authFiles: [
      ...(env['REGISTRY_AUTH_FILE'] ? [env['REGISTRY_AUTH_FILE']] : []),
      ...(runtimeDirectory ? [join(runtimeDirectory, 'containers/auth.json')] : []),
      join(env['XDG_CONFIG_HOME'] || join(home, '.config'), 'containers/auth.json'),
    ],
    insecureRegistries: file.insecureRegistries ?? [],
    publishAddress: publishAddress(file.publish),
    registries: file.registries ?? {},
    registryLimits: file.registryLimits ?? {},
    signaturePolicy: signaturePolicyPath(env['BALE_SIGNATURE_POLICY'], file.signaturePolicy, configFile),
    ...registryPlaces(env, home, isRoot, file === NO_FILE ? undefined : configFile),
    // Debian keeps runc and iptables in sbin directories, which ordinary users and some service managers leave out.
    path: [
      ...new Set([
        ...(env['PATH'] ?? '').split(':').filter(Boolean),
        '/usr/local/sbin',
        '/usr/sbin',
        '/usr/bin',
        '/sbin',
        '/bin',
      ]),
    ].join(':'),
    sourceDateEpoch: parseSourceDateEpoch(env['SOURCE_DATE_EPOCH']),
    debug: overrides.debug ?? (env['BALE_DEBUG'] ?? '').split(',').filter(Boolean),
    environment: env,
  }
}

/** Source: dockerd(8), containers-registries.conf(5), containers-certs.d(5). */
function registryPlaces(env: NodeJS.ProcessEnv, home: string, isRoot: boolean, configFile: string | undefined) {
  const own = env['XDG_CONFIG_HOME'] || join(home, '.config')
  const chosen = env['CONTAINERS_REGISTRIES_CONF']
  return {
    registryFiles: {
      configFile,
      daemonFiles: ['/etc/docker/daemon.json', ...(isRoot ? [] : [join(own, 'docker/daemon.json')])],
      registriesConf: chosen ? [chosen] : [join(own, 'containers/registries.conf'), '/etc/containers/registries.conf'],
      registriesConfDirectories: ['/etc/containers/registries.conf.d', join(own, 'containers/registries.conf.d')],
    },
    certificateDirectories: [
      join(own, 'containers/certs.d'),
      join(own, 'docker/certs.d'),
      '/etc/containers/certs.d',
      '/etc/docker/certs.d',
    ],
  }
}

function publishAddress({ address }: NonNullable<ConfigFile['publish']> = {}): string | undefined {
  if (address === undefined || isIP(address) === 4) return address
  throw new BaleError('INVALID_ARGUMENT', `publish.address in the configuration is not an IPv4 address: ${address}`, {
    hint: '127.0.0.1 for this machine only, 0.0.0.0 for every address',
  })
}

/** A path of the environment begins where the command runs, one of the file at the file. */
function signaturePolicyPath(variable: string | undefined, member: string | undefined, configFile: string) {
  if (variable) return resolve(variable)
  return member === undefined ? undefined : resolve(dirname(configFile), member)
}

function choice<T extends string>(what: string, value: string, values: readonly T[]): T {
  if ((values as readonly string[]).includes(value)) return value as T
  throw new BaleError('INVALID_ARGUMENT', `unknown ${what}: ${value}`, { hint: `one of: ${values.join(', ')}` })
}

/** The platform that containers run on here. */
export function machinePlatform(): Platform {
  const architectures: Record<string, Platform> = {
    x64: { os: 'linux', architecture: 'amd64' },
    arm64: { os: 'linux', architecture: 'arm64' },
    arm: { os: 'linux', architecture: 'arm', variant: 'v7' },
    ia32: { os: 'linux', architecture: '386' },
  }
  return architectures[arch()] ?? { os: 'linux', architecture: arch() }
}
