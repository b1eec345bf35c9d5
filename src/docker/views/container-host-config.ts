import type { ContainerFacts, DeviceLimitFacts } from './container-facts.ts'
import { portBindings } from './port-bindings.ts'

/** Paths of the kernel's file systems that no container sees, or none can write. */
export interface HiddenPaths {
  masked: readonly string[]
  readOnly: readonly string[]
}

/** docker's HostConfig: what was requested of the machine, with docker's defaults. */
export function hostConfig({ record }: ContainerFacts, hidden: HiddenPaths): Record<string, unknown> {
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
    PortBindings: portBindings(ports),
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

function throttles(limits: readonly DeviceLimitFacts[] | undefined) {
  return limits?.length ? limits.map(({ path, rate }) => ({ Path: path, Rate: rate })) : null
}

/** Go prints the names of a map in order. */
function sorted(values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).sort(([one], [other]) => (one < other ? -1 : 1)))
}

/** As docker keeps them: in capitals with their prefix, and ALL. */
function capabilities(names: readonly string[] | undefined): string[] | null {
  if (!names?.length) return null
  const full = names.map((name) => name.toUpperCase()).map((name) => (/^(ALL$|CAP_)/.test(name) ? name : `CAP_${name}`))
  return [...new Set(full)]
}
