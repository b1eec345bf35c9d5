import type { ProcessIdentity } from '#host'
import type { ContainerConfig, Platform } from '#spec'
import type { ContainerRecord } from '#store'
import type { Connection } from './connection.ts'
import type { HostOptions, NetworkRequest } from './options.ts'

/** 2: a list of networks and connections; until then one of each. */
export const CONTAINER_DOCUMENT_VERSION = 2

/** The stored record of a container. `state` is the last known state; `see` determines the current one. */
export interface ContainerDocument {
  /** Of this form; bale 0.1 wrote none. */
  version: typeof CONTAINER_DOCUMENT_VERSION
  /** What the user typed for the image. */
  image: string
  platform: Platform
  config: EffectiveConfig
  host: HostOptions
  mounts: ContainerMount[]
  /** Paths that exist only as mount points. */
  stubs: string[]
  state: RecordedState
  /** The networks that it is on whenever it runs; none for `none`, `host` and `container:NAME`. */
  networks: NetworkRequest[]
  /** Of this life or, when it does not run, of the last one: in the order of their interfaces. */
  connections: Connection[]
  /** Name of the runtime of the last start. */
  runtime?: string
}

export type Container = ContainerRecord<ContainerDocument>

/** Image config and options merged. */
export interface EffectiveConfig extends ContainerConfig {
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

export interface ContainerMount {
  type: 'bind' | 'volume' | 'tmpfs'
  /** Of a volume. */
  name?: string
  /** Absolute path on the host, of a bind as requested: links are resolved at each start. Empty for tmpfs. */
  source: string
  /** Of a bind: make the source when it is missing. */
  createSource?: boolean
  /** Of a bind: with the mounts below the source; true when undefined. */
  recursive?: boolean
  /** Of a bind that is read-only: the mounts below it stay writable. */
  writableBelow?: boolean
  destination: string
  readOnly: boolean
  propagation: string
  /** Created for this container only; removed with it on request. */
  anonymous: boolean
  /** Of a tmpfs. */
  options: string[]
}

export interface RecordedState {
  status: 'created' | 'running' | 'restarting' | 'exited' | 'removing'
  process?: ProcessIdentity
  monitor?: ProcessIdentity
  /** Of a restarting container: the process that waits to start it again; of one that `run` made: the process about to start it. */
  owner?: ProcessIdentity
  /** Milliseconds since 1970; undefined: never. */
  startedAt?: number
  finishedAt?: number
  exitCode: number
  /** Why it could not be started. */
  error?: string
  oomKilled: boolean
  restartCount: number
  /** Stopped by a user: no restart by policy. */
  stopRequested: boolean
  /** The end of the machine stopped it: no restart by policy before the next boot. */
  untilBoot?: boolean
  /** Stops it only to start it again: until this process has done so, --rm does not count. */
  restartedBy?: ProcessIdentity
  health?: HealthState
}

export interface HealthState {
  status: 'starting' | 'healthy' | 'unhealthy'
  failingStreak: number
  /** The last five. */
  log: { start: string; end: string; exitCode: number; output: string }[]
}
