import type { ContainerConfig, Platform } from '#spec'
import type { NetworkOption } from '../network-option.ts'
import type { PublishedPortRequest } from '../ports.ts'

/** docker's names of container states. */
export type ContainerStatus = 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited'

/** What docker's views of a container are made of: its record, and its state as it is now. The container room's are such. */
export interface ContainerFacts {
  record: {
    id: string
    name: string
    imageId?: string
    /** Milliseconds since 1970. */
    created: number
    document: ContainerSettings
  }
  status: ContainerStatus
  state: StateFacts
}

/** How it was created, and what it has on this machine. */
interface ContainerSettings {
  /** What the user typed for the image. */
  image: string
  platform: Platform
  config: ProcessFacts
  host: HostFacts
  mounts: readonly MountFacts[]
  /** The networks that it joins whenever it runs; none for `none`, `host` and `container:NAME`. */
  networks: readonly NetworkOption[]
  /** In the order of their interfaces: of this life, or of the last one when it does not run. */
  connections: readonly ConnectionFacts[]
  /** Name of the runtime of the last start. */
  runtime?: string
}

interface StateFacts {
  process?: { pid: number }
  /** Milliseconds since 1970; undefined: never. */
  startedAt?: number
  finishedAt?: number
  exitCode: number
  /** Why it could not be started. */
  error?: string
  oomKilled: boolean
  restartCount: number
  health?: {
    status: string
    failingStreak: number
    /** Times as Go writes them. */
    log: readonly { start: string; end: string; exitCode: number; output: string }[]
  }
}

/** The image's configuration and the options of the container made one. */
interface ProcessFacts extends ContainerConfig {
  Hostname: string
  Domainname: string
  Env: string[]
  Labels: Record<string, string>
  Tty: boolean
  OpenStdin: boolean
  StdinOnce: boolean
  AttachStdin: boolean
  AttachStdout: boolean
  AttachStderr: boolean
  StopTimeout?: number
}

/** What the machine gives it. Sizes are bytes. */
interface HostFacts {
  volumesFrom?: string[]
  network?: string
  ports?: PublishedPortRequest[]
  publishAll?: boolean
  capAdd?: string[]
  capDrop?: string[]
  privileged?: boolean
  securityOptions?: string[]
  readOnly?: boolean
  init?: boolean
  shmSize?: number
  extraHosts?: string[]
  dns?: string[]
  dnsSearch?: string[]
  dnsOptions?: string[]
  devices?: { hostPath: string; containerPath: string; permissions: string }[]
  ulimits?: { name: string; soft: number; hard: number }[]
  sysctls?: Record<string, string>
  resources?: LimitFacts
  restart?: { name: string; maximumRetryCount?: number }
  autoRemove?: boolean
  pidMode?: string
  ipcMode?: string
  utsMode?: string
  groupAdd?: string[]
  oomScoreAdj?: number
  runtime?: string
  log?: { driver: string; options: Record<string, string> }
}

/** Bytes for memory, nanoseconds of CPU per second for `nanoCpus`, microseconds for quota and period. */
interface LimitFacts {
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
  deviceReadBps?: DeviceLimitFacts[]
  deviceWriteBps?: DeviceLimitFacts[]
  deviceReadIops?: DeviceLimitFacts[]
  deviceWriteIops?: DeviceLimitFacts[]
}

export interface DeviceLimitFacts {
  path: string
  rate: number
}

export interface MountFacts {
  type: 'bind' | 'volume' | 'tmpfs'
  /** Of a volume. */
  name?: string
  source: string
  destination: string
  readOnly: boolean
  propagation: string
  /** Made for this container only. */
  anonymous: boolean
  /** Of a tmpfs. */
  options: string[]
}

/** Its place on one network. */
export interface ConnectionFacts {
  networkId: string
  networkName: string
  address: string
  prefix: number
  gateway: string
  ipv6?: { address: string; prefix: number; gateway: string }
  mac: string
  aliases: string[]
  ports: PortFacts[]
}

/** A port of the machine that leads to one of a container. */
export interface PortFacts {
  /** `0.0.0.0`: all addresses. */
  hostIp: string
  hostPort: number
  containerPort: number
  protocol: 'tcp' | 'udp' | 'sctp'
}

/** True while it has processes: paused is running. */
export function isUp({ status }: Pick<ContainerFacts, 'status'>): boolean {
  return status === 'running' || status === 'paused'
}
