import { type ContainerFacts, isUp, type MountFacts } from './container-facts.ts'
import { type HiddenPaths, hostConfig } from './container-host-config.ts'
import { networkSettings } from './container-network-settings.ts'
import { goTimeOf, ZERO_TIME } from './go-time.ts'

/** docker's `inspect` of a container. Members that bale cannot fill have docker's zero values. */
export interface ContainerInspect {
  Id: string
  Created: string
  Path: string
  Args: string[]
  State: Record<string, unknown>
  Image: string
  ResolvConfPath: string
  HostnamePath: string
  HostsPath: string
  LogPath: string
  Name: string
  RestartCount: number
  Driver: string
  Platform: string
  MountLabel: string
  ProcessLabel: string
  AppArmorProfile: string
  ExecIDs: string[] | null
  HostConfig: Record<string, unknown>
  GraphDriver: { Name: string; Data: Record<string, string> }
  SizeRw?: number
  SizeRootFs?: number
  Mounts: Record<string, unknown>[]
  Config: Record<string, unknown>
  NetworkSettings: Record<string, unknown>
}

/** Where a container's files are. */
interface ContainerDirectories {
  /** Of its own files of /etc. */
  directory: string
  log: string
  /** Of its root file system. */
  merged: string
  upper: string
  work: string
}

/** What is shown beside the container's record and state. */
interface InspectFacts {
  paths: ContainerDirectories
  hidden: HiddenPaths
  /** IDs of its running execs. */
  execs: readonly string[]
  /** Bytes of its own layer, and with its image; left out unless they were counted. */
  size?: { written: number; total: number }
}

/** A container as docker's `inspect` shows it. */
export function containerInspect(
  container: ContainerFacts,
  { paths, hidden, execs, size }: InspectFacts,
): ContainerInspect {
  const { record, state } = container
  const { config, host } = record.document
  const [path = '', ...args] = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])]
  const started = state.startedAt !== undefined
  const file = (name: string) => (started ? `${paths.directory}/${name}` : '')
  return {
    Id: record.id,
    Created: goTimeOf(record.created),
    Path: path,
    Args: args,
    State: stateView(container),
    Image: record.imageId ?? '',
    ResolvConfPath: file('resolv.conf'),
    HostnamePath: file('hostname'),
    HostsPath: file('hosts'),
    LogPath: host.log?.driver === 'none' ? '' : paths.log,
    Name: `/${record.name}`,
    RestartCount: state.restartCount,
    Driver: 'overlay2',
    Platform: record.document.platform.os,
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: '',
    ExecIDs: execs.length > 0 ? [...execs] : null,
    HostConfig: hostConfig(container, hidden),
    GraphDriver: {
      Name: 'overlay2',
      Data: { MergedDir: paths.merged, UpperDir: paths.upper, WorkDir: paths.work },
    },
    Mounts: record.document.mounts.filter((mount) => mount.type !== 'tmpfs').map(mountView),
    Config: configView(container),
    NetworkSettings: networkSettings(container),
    ...(size && { SizeRw: size.written, SizeRootFs: size.total }),
  }
}

function stateView(container: ContainerFacts): Record<string, unknown> {
  const { record, status, state } = container
  const lives = isUp(container)
  return {
    Status: status,
    Running: lives,
    Paused: status === 'paused',
    Restarting: status === 'restarting',
    OOMKilled: state.oomKilled,
    Dead: false,
    Pid: lives ? (state.process?.pid ?? 0) : 0,
    ExitCode: lives ? 0 : state.exitCode,
    Error: state.error ?? '',
    StartedAt: state.startedAt === undefined ? ZERO_TIME : goTimeOf(state.startedAt),
    FinishedAt: state.finishedAt === undefined ? ZERO_TIME : goTimeOf(state.finishedAt),
    ...(record.document.config.Healthcheck &&
      record.document.config.Healthcheck.Test?.[0] !== 'NONE' && {
        Health: {
          Status: state.health?.status ?? 'starting',
          FailingStreak: state.health?.failingStreak ?? 0,
          Log: (state.health?.log ?? []).map((entry) => ({
            Start: entry.start,
            End: entry.end,
            ExitCode: entry.exitCode,
            Output: entry.output,
          })),
        },
      }),
  }
}

function configView({ record }: ContainerFacts): Record<string, unknown> {
  const { config, image } = record.document
  return {
    Hostname: config.Hostname,
    Domainname: config.Domainname,
    User: config.User ?? '',
    AttachStdin: config.AttachStdin,
    AttachStdout: config.AttachStdout,
    AttachStderr: config.AttachStderr,
    ...(config.ExposedPorts && { ExposedPorts: config.ExposedPorts }),
    Tty: config.Tty,
    OpenStdin: config.OpenStdin,
    StdinOnce: config.StdinOnce,
    Env: config.Env,
    Cmd: config.Cmd ?? null,
    ...(config.Healthcheck && { Healthcheck: config.Healthcheck }),
    Image: image,
    Volumes: config.Volumes ?? null,
    WorkingDir: config.WorkingDir ?? '',
    Entrypoint: config.Entrypoint ?? null,
    OnBuild: config.OnBuild ?? null,
    Labels: config.Labels,
    ...(config.StopSignal && { StopSignal: config.StopSignal }),
    ...(config.StopTimeout !== undefined && { StopTimeout: config.StopTimeout }),
    ...(config.Shell && { Shell: config.Shell }),
  }
}

function mountView(mount: MountFacts): Record<string, unknown> {
  const volume = mount.type === 'volume'
  return {
    Type: mount.type,
    ...(volume && { Name: mount.name }),
    Source: mount.source,
    Destination: mount.destination,
    ...(volume && { Driver: 'local' }),
    // docker's own word for a named volume without a mode.
    Mode: mount.readOnly ? 'ro' : volume && !mount.anonymous ? 'z' : '',
    RW: !mount.readOnly,
    Propagation: mount.propagation,
  }
}
