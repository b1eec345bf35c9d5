import { join } from 'node:path'
import type { SeenContainer } from '#container'
import { type ContainerInspect, goTimeOf, ZERO_TIME } from '#docker/views'

/** Paths of the kernel's file systems that no container sees, or none can write. */
export interface HiddenPaths {
  masked: readonly string[]
  readOnly: readonly string[]
}

export function containerInspect(
  seen: SeenContainer,
  paths: { directory: string; upper: string; work: string; log: string },
  run: string,
  hidden: HiddenPaths,
): ContainerInspect {
  const { record, state } = seen
  const { config, host } = record.document
  const [path = '', ...args] = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])]
  const started = state.startedAt !== undefined
  const file = (name: string) => (started ? join(paths.directory, name) : '')
  return {
    Id: record.id,
    Created: goTimeOf(record.created),
    Path: path,
    Args: args,
    State: stateView(seen),
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
    ExecIDs: null,
    HostConfig: hostView(seen, hidden),
    GraphDriver: {
      Name: 'overlay2',
      Data: { MergedDir: join(run, 'rootfs', record.id), UpperDir: paths.upper, WorkDir: paths.work },
    },
    Mounts: record.document.mounts.filter((mount) => mount.type !== 'tmpfs').map(mountView),
    Config: configView(seen),
    NetworkSettings: networkView(seen),
  }
}

function stateView({ record, status, state }: SeenContainer): Record<string, unknown> {
  const lives = status === 'running' || status === 'paused'
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

function configView({ record }: SeenContainer): Record<string, unknown> {
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

function mountView(mount: SeenContainer['record']['document']['mounts'][number]): Record<string, unknown> {
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

/** The requested ports, as docker keys them. */
function bindings(ports: readonly { containerPort: number; protocol: string; ip: string; port: string }[]) {
  const result: Record<string, { HostIp: string; HostPort: string }[]> = {}
  for (const { containerPort, protocol, ip, port } of ports) {
    const key = `${containerPort}/${protocol}`
    result[key] = [...(result[key] ?? []), { HostIp: ip, HostPort: port }]
  }
  return result
}

function throttles(limits: { path: string; rate: number }[] | undefined) {
  return limits?.length ? limits.map(({ path, rate }) => ({ Path: path, Rate: rate })) : null
}

/** Go prints the names of a map in order. */
function sorted(values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).sort(([one], [other]) => (one < other ? -1 : 1)))
}

function hostView({ record }: SeenContainer, hidden: HiddenPaths): Record<string, unknown> {
  const { host, mounts } = record.document
  const limits = host.resources ?? {}
  const binds = mounts
    .filter((mount) => mount.type !== 'tmpfs' && !mount.anonymous)
    .map((mount) => `${mount.name ?? mount.source}:${mount.destination}${mount.readOnly ? ':ro' : ''}`)
  const ports = (host.ports ?? []).map((port) => ({
    ...port,
    ip: port.hostAddress ?? '',
    port: port.hostPort === undefined ? '' : String(port.hostPort),
  }))
  const tmpfs = mounts.filter((mount) => mount.type === 'tmpfs')
  return {
    Binds: binds.length ? binds : null,
    ContainerIDFile: '',
    LogConfig: { Type: host.log?.driver ?? 'json-file', Config: sorted(host.log?.options ?? {}) },
    NetworkMode: host.network ?? 'default',
    PortBindings: bindings(ports),
    RestartPolicy: { Name: host.restart?.name ?? 'no', MaximumRetryCount: host.restart?.maximumRetryCount ?? 0 },
    AutoRemove: host.autoRemove ?? false,
    VolumeDriver: '',
    VolumesFrom: host.volumesFrom ?? null,
    CapAdd: capabilities(host.capAdd),
    CapDrop: capabilities(host.capDrop),
    CgroupnsMode: 'host',
    Dns: host.dns ?? [],
    DnsOptions: host.dnsOptions ?? [],
    DnsSearch: host.dnsSearch ?? [],
    ExtraHosts: host.extraHosts?.length ? host.extraHosts : null,
    GroupAdd: host.groupAdd?.length ? host.groupAdd : null,
    IpcMode: host.ipcMode ?? 'private',
    Cgroup: '',
    Links: null,
    OomScoreAdj: host.oomScoreAdj ?? 0,
    PidMode: host.pidMode ?? '',
    Privileged: host.privileged ?? false,
    PublishAllPorts: host.publishAll ?? false,
    ReadonlyRootfs: host.readOnly ?? false,
    SecurityOpt: host.securityOptions?.length ? host.securityOptions : null,
    ...(tmpfs.length && {
      Tmpfs: Object.fromEntries(tmpfs.map((mount) => [mount.destination, mount.options.join(',')])),
    }),
    ...(Object.keys(host.sysctls ?? {}).length && { Sysctls: host.sysctls }),
    UTSMode: host.utsMode ?? '',
    UsernsMode: '',
    ShmSize: host.shmSize ?? 64 * 1024 * 1024,
    Runtime: record.document.runtime ?? host.runtime ?? 'runc',
    Isolation: '',
    CpuShares: limits.cpuShares ?? 0,
    Memory: limits.memory ?? 0,
    NanoCpus: limits.nanoCpus ?? 0,
    CgroupParent: '',
    BlkioWeight: limits.blkioWeight ?? 0,
    CpuPeriod: limits.cpuPeriod ?? 0,
    CpuQuota: limits.cpuQuota ?? 0,
    CpusetCpus: limits.cpusetCpus ?? '',
    CpusetMems: limits.cpusetMems ?? '',
    BlkioDeviceReadBps: throttles(limits.deviceReadBps),
    BlkioDeviceWriteBps: throttles(limits.deviceWriteBps),
    BlkioDeviceReadIOps: throttles(limits.deviceReadIops),
    BlkioDeviceWriteIOps: throttles(limits.deviceWriteIops),
    Devices: (host.devices ?? []).map((device) => ({
      PathOnHost: device.hostPath,
      PathInContainer: device.containerPath,
      CgroupPermissions: device.permissions,
    })),
    MemoryReservation: limits.memoryReservation ?? 0,
    MemorySwap: limits.memorySwap ?? (limits.memory ? limits.memory * 2 : 0),
    MemorySwappiness: limits.memorySwappiness ?? null,
    OomKillDisable: limits.oomKillDisable ?? false,
    PidsLimit: limits.pidsLimit ?? null,
    Ulimits: host.ulimits?.length
      ? host.ulimits.map((ulimit) => ({ Name: ulimit.name, Hard: ulimit.hard, Soft: ulimit.soft }))
      : null,
    Init: host.init ?? null,
    MaskedPaths: host.privileged ? null : hidden.masked,
    ReadonlyPaths: host.privileged ? null : hidden.readOnly,
  }
}

/** As docker keeps them: in capitals with their prefix, and ALL. */
function capabilities(names: readonly string[] | undefined): string[] | null {
  if (!names?.length) return null
  const full = names.map((name) => name.toUpperCase()).map((name) => (/^(ALL$|CAP_)/.test(name) ? name : `CAP_${name}`))
  return [...new Set(full)]
}

function networkView({ record, status }: SeenContainer): Record<string, unknown> {
  const { config, host, connections } = record.document
  const lives = status === 'running' || status === 'paused'
  const ports = lives ? connections.flatMap((one) => one.ports) : []
  const published = ports.map((port) => ({ ...port, ip: port.hostIp, port: String(port.hostPort) }))
  const exposed = Object.fromEntries(Object.keys(config.ExposedPorts ?? {}).map((key) => [key, null]))
  const endpoints = endpointsOf(record, lives)
  const onDefault = endpoints['bridge']
  return {
    Bridge: '',
    SandboxID: lives ? record.id : '',
    HairpinMode: false,
    LinkLocalIPv6Address: '',
    LinkLocalIPv6PrefixLen: 0,
    Ports: lives ? { ...exposed, ...bindings(published) } : {},
    SandboxKey: '',
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: onDefault?.EndpointID ?? '',
    Gateway: onDefault?.Gateway ?? '',
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    IPAddress: onDefault?.IPAddress ?? '',
    IPPrefixLen: onDefault?.IPPrefixLen ?? 0,
    IPv6Gateway: '',
    MacAddress: onDefault?.MacAddress ?? '',
    Networks: host.network?.startsWith('container:') ? {} : endpoints,
  }
}

/** By name, in order: what was requested on each network and, for a running container, what it has there. */
function endpointsOf({ id, document }: SeenContainer['record'], lives: boolean) {
  const { host, networks, connections } = document
  const mode = host.network
  const requests = networks.length > 0 || (mode !== 'none' && mode !== 'host') ? networks : [{ network: mode }]
  const endpoints = requests.map((request) => {
    const known = connections.find(
      ({ networkId, networkName }) => networkName === request.network || networkId.startsWith(request.network),
    )
    return [known?.networkName ?? request.network, endpointView(id, request, known, lives)] as const
  })
  return Object.fromEntries(endpoints.toSorted(([one], [other]) => (one < other ? -1 : 1)))
}

type Document = SeenContainer['record']['document']

function endpointView(
  id: string,
  { network, ipAddress, ipv6Address }: Document['networks'][number],
  known: Document['connections'][number] | undefined,
  lives: boolean,
) {
  const joined = lives ? known : undefined
  const wish = {
    ...(ipAddress && { IPv4Address: ipAddress }),
    ...(ipv6Address && { IPv6Address: ipv6Address }),
  }
  return {
    IPAMConfig: Object.keys(wish).length > 0 ? wish : null,
    Links: null,
    Aliases: joined && network !== 'bridge' ? joined.aliases : null,
    NetworkID: known?.networkId ?? '',
    EndpointID: joined ? id : '',
    Gateway: joined?.gateway ?? '',
    IPAddress: joined?.address ?? '',
    IPPrefixLen: joined?.prefix ?? 0,
    IPv6Gateway: joined?.ipv6?.gateway ?? '',
    GlobalIPv6Address: joined?.ipv6?.address ?? '',
    GlobalIPv6PrefixLen: joined?.ipv6?.prefix ?? 0,
    MacAddress: joined?.mac ?? '',
    DriverOpts: null,
  }
}
