import type { NetworkOption, PublishedPortRequest } from '#docker'
import type { ContainerConfig, Digest, Healthcheck, Platform } from '#spec'

/**
 * The options of a container. `config` is what runs, `host` how this machine runs it: docker's two halves, with
 * the same meaning per member. Everything is checked once, by `checkOptions`, when the container is created.
 */
export interface ContainerOptions {
  /** Without one, a random name of two words is chosen. */
  name?: string
  image: ContainerImage
  config: ProcessOptions
  host: HostOptions
}

/** The image a container starts from, as the store knows it. */
export interface ContainerImage {
  /** Config digest. */
  id: Digest
  /** What the user typed; shown by `ps` and `inspect`. */
  reference: string
  config: ContainerConfig
  /** Diff IDs, lowest first. */
  layers: readonly Digest[]
  platform: Platform
}

/** What runs in a container; members that are missing come from the image's configuration. */
export interface ProcessOptions {
  /** Replaces the image's entrypoint; `[]` clears it. Setting it also drops the image's Cmd. */
  entrypoint?: string[]
  /** Replaces the image's Cmd. */
  command?: string[]
  /** `KEY=VALUE`, or `KEY` to remove the image's. */
  env?: string[]
  workingDir?: string
  /** `uid[:gid]` or `name[:group]`. */
  user?: string
  tty?: boolean
  /** stdin stays open (`-i`). */
  openStdin?: boolean
  /** stdin closes when the first attached client ends it (`run -i`). */
  stdinOnce?: boolean
  attachStdin?: boolean
  attachStdout?: boolean
  attachStderr?: boolean
  hostname?: string
  domainname?: string
  labels?: Record<string, string>
  stopSignal?: string
  /** Seconds between the stop signal and KILL; docker's 10 by default. */
  stopTimeout?: number
  /** Members replace the image's one by one. */
  healthcheck?: Healthcheck
  /** `80/tcp`, `8000-8010/udp` */
  expose?: string[]
  /** Paths of anonymous volumes. */
  volumes?: string[]
}

/** What the machine gives a container: limits, mounts, network, ports, restart policy. Sizes are bytes. */
export interface HostOptions {
  mounts?: MountRequest[]
  /** Containers whose volumes and binds this one gets too: `NAME[:ro|rw]`. */
  volumesFrom?: string[]
  /** `bridge` (default), `none`, `host`, `container:NAME`, or the name of a network. With `networks`: the first of them. */
  network?: string
  /** This and the next three belong to the first network. */
  networkAliases?: string[]
  /** A fixed IPv4 address of a user network. */
  ipAddress?: string
  /** A fixed IPv6 address of a user network that has IPv6. */
  ipv6Address?: string
  /** Of the interface; without one it follows from the address. */
  macAddress?: string
  /** Several networks, in the order of their interfaces: user networks only. */
  networks?: NetworkRequest[]
  ports?: PortRequest[]
  /** Every exposed port gets a random host port. */
  publishAll?: boolean
  /** The host's address for ports that name none; 0.0.0.0 without it. */
  publishAddress?: string
  capAdd?: string[]
  capDrop?: string[]
  privileged?: boolean
  /** `seccomp=unconfined`, `seccomp=FILE` (already read: `seccomp={json}`), `no-new-privileges[:true|false]`, `apparmor=unconfined`, `label=disable`. */
  securityOptions?: string[]
  readOnly?: boolean
  init?: boolean
  /** Bytes of /dev/shm; 64 MiB by default. */
  shmSize?: number
  /** `NAME:ADDRESS`; the address may be `host-gateway`. */
  extraHosts?: string[]
  dns?: string[]
  dnsSearch?: string[]
  dnsOptions?: string[]
  devices?: DeviceRequest[]
  ulimits?: Ulimit[]
  sysctls?: Record<string, string>
  resources?: Resources
  restart?: RestartPolicy
  autoRemove?: boolean
  /** `host`, `container:NAME` */
  pidMode?: string
  /** `private`, `host`, `container:NAME` */
  ipcMode?: string
  utsMode?: string
  groupAdd?: string[]
  oomScoreAdj?: number
  /** `runc`, `crun`, or undefined for the engine's default. */
  runtime?: string
  /** docker's drivers and their options; without it the default of `logLimits`. */
  log?: LogOptions
}

/** A network that a container joins, with its names and addresses there. */
export type NetworkRequest = NetworkOption

export interface LogOptions {
  driver: string
  options: Record<string, string>
}

/** A mount of a container: a bind, a volume, or a tmpfs. */
export interface MountRequest {
  type: 'bind' | 'volume' | 'tmpfs'
  /** Absolute path of a bind, or name of a volume; undefined for an anonymous volume and for tmpfs. */
  source?: string
  /** Absolute path in the container. */
  target: string
  readOnly?: boolean
  /** Bind: make the source when it is missing (`-v` does, `--mount` does not). */
  createSource?: boolean
  /** Bind: rprivate by default. */
  propagation?: string
  /** Bind: `disabled` leaves the mounts below the source out, `writable` leaves them writable in a read-only one. */
  recursive?: 'enabled' | 'disabled' | 'writable' | 'readonly'
  /** Volume: for one that is made now. */
  volumeDriver?: string
  volumeLabels?: Record<string, string>
  volumeOptions?: Record<string, string>
  /** Volume: do not copy what the image has at the target. */
  noCopy?: boolean
  /** Tmpfs: bytes and permission bits. */
  tmpfsSize?: number
  tmpfsMode?: number
  /** Tmpfs: additional options, e.g. `noexec`. */
  tmpfsOptions?: string[]
}

/** A port of a container that the machine publishes. */
export type PortRequest = PublishedPortRequest

/** A device of the machine that a container gets. */
export interface DeviceRequest {
  hostPath: string
  containerPath: string
  /** Of `rwm`. */
  permissions: string
}

/** A limit of a process, by its name without `RLIMIT_` in lower case; -1 is unlimited. */
export interface Ulimit {
  /** `nofile` */
  name: string
  soft: number
  hard: number
}

/** Bytes for memory, nanoseconds of CPU per second (1e9 = one CPU) for `nanoCpus`, microseconds for quota and period. */
export interface Resources {
  memory?: number
  memorySwap?: number
  memoryReservation?: number
  memorySwappiness?: number
  oomKillDisable?: boolean
  nanoCpus?: number
  cpuShares?: number
  cpuQuota?: number
  cpuPeriod?: number
  cpusetCpus?: string
  cpusetMems?: string
  pidsLimit?: number
  blkioWeight?: number
  /** Bytes per second, and operations per second, of block devices of the host. */
  deviceReadBps?: DeviceLimit[]
  deviceWriteBps?: DeviceLimit[]
  deviceReadIops?: DeviceLimit[]
  deviceWriteIops?: DeviceLimit[]
}

export interface DeviceLimit {
  path: string
  rate: number
}

/** When a container that ended is started again. */
export interface RestartPolicy {
  name: 'no' | 'on-failure' | 'on-unhealthy' | 'always' | 'unless-stopped'
  /** For on-failure and on-unhealthy; 0 means without end. */
  maximumRetryCount?: number
}
