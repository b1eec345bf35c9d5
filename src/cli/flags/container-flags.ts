import { resolve } from 'node:path'
import { BaleError, errnoOf } from '#base'
import {
  environmentEntry,
  keyValueText,
  parseEnvironmentFile,
  parseExposedPorts,
  parseLabelFile,
  parsePublishedPorts,
  parseSize,
  readCpus,
  readDuration,
  readInteger,
} from '#docker'
import type { ContainerRequest, HostOptions, MountRequest, ProcessOptions, RestartPolicy } from '#engine'
import { readBytesSync, readTextSync } from '#engine'
import type { Terminal } from '../terminal/terminal.ts'
import {
  parseBytes,
  parseDevice,
  parseDeviceLimit,
  parseDuration,
  parseLabels,
  parseMount,
  parsePairs,
  parseRestart,
  parseTmpfs,
  parseUlimit,
  parseVolume,
  parseWholeNumber,
} from './flag-values.ts'
import { networkOptions } from './network-flags.ts'
import type { OptionsOf, VerbOption } from './verb-option.ts'

const repeated = <const Flags extends string>(flags: Flags, description: string) =>
  ({ flags, description, repeat: true }) as const
const single = <const Flags extends string>(flags: Flags, description: string) => ({ flags, description })
const refused = <const Flags extends string>(flags: Flags, reason: string) => ({
  flags,
  description: 'Not supported',
  refused: reason,
})

export const ENV_FLAG = {
  ...repeated('-e, --env <KEY=VALUE>', 'Set an environment variable; KEY alone takes the value from your environment'),
  check: (word: string) => environmentEntry(word, {}),
} as const satisfies VerbOption

/** The flags of `run` and `create`. */
export const CONTAINER_FLAGS = [
  repeated('--add-host <NAME:ADDRESS>', 'Add a line to /etc/hosts (ADDRESS may be host-gateway)'),
  { ...repeated('-a, --attach <STREAM>', 'Attach to stdin, stdout or stderr'), check: readStream },
  { ...single('--blkio-weight <WEIGHT>', 'Share of block I/O, 10 to 1000'), check: readInteger },
  repeated('--cap-add <CAPABILITY>', 'Add a Linux capability, or ALL'),
  repeated('--cap-drop <CAPABILITY>', 'Drop a Linux capability, or ALL'),
  {
    flags: '--cgroupns <MODE>',
    description: 'Accepted for compatibility; the control groups of the host are visible',
    hidden: true,
    choices: ['host', 'private'],
  },
  single('--cidfile <FILE>', 'Write the container ID to a new file'),
  { ...single('--cpu-period <MICROSECONDS>', 'Length of a CPU period'), check: readInteger },
  { ...single('--cpu-quota <MICROSECONDS>', 'CPU time in each period'), check: readInteger },
  { ...single('-c, --cpu-shares <SHARES>', 'CPU weight relative to other containers'), check: readInteger },
  { ...single('--cpus <NUMBER>', 'Number of CPUs, such as 1.5'), check: readCpus },
  single('--cpuset-cpus <LIST>', 'CPUs it may use, such as 0-2,4'),
  single('--cpuset-mems <LIST>', 'Memory nodes it may use'),
  repeated('--device <PATH[:PATH][:rwm]>', 'Add a host device'),
  repeated('--device-read-bps <PATH:RATE>', 'Limit bytes per second read from a block device'),
  repeated('--device-read-iops <PATH:RATE>', 'Limit reads per second from a block device'),
  repeated('--device-write-bps <PATH:RATE>', 'Limit bytes per second written to a block device'),
  repeated('--device-write-iops <PATH:RATE>', 'Limit writes per second to a block device'),
  {
    flags: '--disable-content-trust',
    description: 'Accepted for compatibility; there is no content trust',
    hidden: true,
  },
  repeated('--dns <ADDRESS>', 'DNS server'),
  { ...repeated('--dns-option <OPTION>', 'Option of resolv.conf'), aliases: ['dns-opt'] },
  repeated('--dns-search <DOMAIN>', 'DNS search domain'),
  single('--domainname <NAME>', 'NIS domain name'),
  { ...single('--entrypoint <COMMAND>', 'Replace the ENTRYPOINT of the image'), emptyCounts: true },
  ENV_FLAG,
  repeated('--env-file <FILE>', 'Read environment variables from a file'),
  repeated('--expose <PORT>', 'Expose a port or a range of ports'),
  repeated('--group-add <GROUP>', 'Add a group to the process'),
  single('--health-cmd <COMMAND>', 'Command that checks health'),
  { ...single('--health-interval <DURATION>', 'Time between checks'), check: readDuration },
  { ...single('--health-retries <COUNT>', 'Consecutive failures that mean unhealthy'), check: readInteger },
  { ...single('--health-start-interval <DURATION>', 'Time between checks in the start period'), check: readDuration },
  { ...single('--health-start-period <DURATION>', 'Time to start up before failures count'), check: readDuration },
  { ...single('--health-timeout <DURATION>', 'Timeout of a check'), check: readDuration },
  single('-h, --hostname <NAME>', 'Host name'),
  single('--init', 'Run a small init that reaps processes and forwards signals'),
  single('-i, --interactive', 'Keep stdin open'),
  single('--ip <ADDRESS>', 'IPv4 address on a user-defined network'),
  single('--ip6 <ADDRESS>', 'IPv6 address on a user-defined network'),
  single('--ipc <MODE>', 'IPC namespace: private, host or container:NAME'),
  repeated('-l, --label <KEY=VALUE>', 'Label'),
  repeated('--label-file <FILE>', 'Read labels from a file'),
  single('--log-driver <DRIVER>', 'json-file, local (the same as json-file here) or none'),
  repeated('--log-opt <KEY=VALUE>', 'max-size (20m), max-file (5), labels, env, tag …'),
  { ...single('-m, --memory <SIZE>', 'Memory limit'), check: parseSize },
  { ...single('--memory-reservation <SIZE>', 'Soft memory limit'), check: parseSize },
  { ...single('--memory-swap <SIZE>', 'Limit memory plus swap, -1 for no limit'), check: readSwap },
  { ...single('--memory-swappiness <NUMBER>', '0 to 100'), check: readInteger },
  repeated('--mount <MOUNT>', 'type=TYPE,source=…,target=…[,readonly]; TYPE is bind, volume or tmpfs'),
  single('--mac-address <ADDRESS>', 'MAC address (derived from the IP address by default)'),
  single('--name <NAME>', 'Name of the container'),
  {
    ...repeated(
      '--network <NETWORK>',
      'bridge, none, host, container:NAME or a network (name=NAME,alias=NAME,ip=ADDRESS…)',
    ),
    aliases: ['net'],
  },
  { ...repeated('--network-alias <NAME>', 'Add a name on the network'), aliases: ['net-alias'] },
  single('--no-healthcheck', "Do not run the image's health check"),
  single('--oom-kill-disable', 'Exempt the container from the OOM killer'),
  { ...single('--oom-score-adj <NUMBER>', 'Priority for the OOM killer, -1000 to 1000'), check: readInteger },
  single('--pid <MODE>', 'PID namespace: host or container:NAME'),
  { ...single('--pids-limit <COUNT>', 'Limit the number of processes, -1 for no limit'), check: readInteger },
  single('--platform <OS/ARCH>', 'Platform of the image'),
  single('--privileged', 'Give all capabilities and devices, without security filters'),
  repeated('-p, --publish <PORTS>', '[IP:][HOST:]CONTAINER[/PROTOCOL]'),
  single('-P, --publish-all', 'Publish all exposed ports to random ports'),
  { flags: '--pull <WHEN>', description: 'When to pull the image', choices: ['always', 'missing', 'never'] },
  single('--read-only', 'Mount the root filesystem read-only'),
  single('--restart <POLICY>', 'no, on-failure[:MAXIMUM], on-unhealthy[:MAXIMUM], always or unless-stopped'),
  single('--rm', 'Remove the container when it exits'),
  single('--runtime <NAME>', 'runc or crun'),
  repeated('--security-opt <OPTION>', 'seccomp=unconfined|FILE, no-new-privileges'),
  { ...single('--shm-size <SIZE>', 'Size of /dev/shm'), check: parseSize },
  single('--stop-signal <SIGNAL>', 'Signal that stops the container'),
  { ...single('--stop-timeout <SECONDS>', 'Seconds to wait for it to stop before killing it'), check: readInteger },
  repeated('--sysctl <KEY=VALUE>', 'Set a kernel parameter in its namespaces'),
  repeated('--tmpfs <PATH[:OPTIONS]>', 'Mount a tmpfs'),
  single('-t, --tty', 'Allocate a terminal'),
  repeated('--ulimit <NAME=SOFT[:HARD]>', 'Resource limit'),
  single('-u, --user <USER[:GROUP]>', 'User name or ID, and optionally a group'),
  single('--uts <MODE>', 'UTS namespace: host'),
  repeated('--volumes-from <NAME[:ro]>', 'Also mount the volumes of another container'),
  repeated('-v, --volume <SOURCE:TARGET[:ro]>', 'Mount a host directory or a volume'),
  single('-w, --workdir <DIRECTORY>', 'Working directory'),
  refused('--blkio-weight-device <PATH:WEIGHT>', 'current kernels have no per-device weights'),
  refused(
    '--cpu-rt-period <MICROSECONDS>',
    'control groups have no real-time budget; use --ulimit rtprio and a real-time policy',
  ),
  refused(
    '--cpu-rt-runtime <MICROSECONDS>',
    'control groups have no real-time budget; use --ulimit rtprio and a real-time policy',
  ),
  refused('--kernel-memory <SIZE>', 'kernels count it as part of --memory'),
  refused('--annotation <KEY=VALUE>', 'annotations of containers are not supported; use --label'),
  refused('--device-cgroup-rule <RULE>', 'name the devices with --device'),
  refused('--link-local-ip <ADDRESS>', 'networks do not assign such addresses'),
  refused('--storage-opt <KEY=VALUE>', 'the size of layers cannot be limited'),
  { ...refused('--gpus <GPUS>', 'there is no GPU runtime'), harmless: /^$/ },
  refused('--link <NAME>', 'use a user-defined network: its containers find each other by name'),
  { ...refused('--volume-driver <NAME>', 'volumes are local'), harmless: /^(local)?$/ },
  { ...refused('--userns <MODE>', 'user namespaces are not supported yet'), harmless: /^(host)?$/ },
  { ...refused('--cgroup-parent <PATH>', 'containers live below /bale'), harmless: /^$/ },
  { ...refused('--isolation <KIND>', 'isolation modes exist on Windows only'), harmless: /^(default)?$/i },
] as const satisfies readonly VerbOption[]

export type ContainerFlags = OptionsOf<typeof CONTAINER_FLAGS>

/** Which of a container's streams have a client from the start, and whether stdin ends with it. */
type AttachedStreams = Pick<ProcessOptions, 'attachStdin' | 'attachStdout' | 'attachStderr' | 'stdinOnce'>

/** Turns flags and arguments (IMAGE [COMMAND…]) into a request. Throws INVALID_ARGUMENT. */
export function containerRequest(
  args: readonly string[],
  flags: ContainerFlags,
  io: Pick<Terminal, 'environment'>,
  attached: AttachedStreams = {},
): ContainerRequest {
  const [image = '', ...command] = args
  const volumes = (flags.volume ?? []).map((volume) => parseVolume(volume, absolute(io)))
  return {
    image,
    ...(flags.name !== undefined && { name: flags.name }),
    ...(flags.platform !== undefined && { platform: flags.platform }),
    ...(flags.pull !== undefined && { pull: flags.pull }),
    config: { ...processOptions(command, flags, volumes, io), ...attached },
    host: hostOptions(flags, volumes, io),
  }
}

function restartPolicy(text: string, { rm }: ContainerFlags): RestartPolicy {
  const policy = parseRestart(text)
  if (rm && policy.name !== 'no') throw new BaleError('INVALID_ARGUMENT', 'conflicting options: --restart and --rm')
  return policy
}

/** A relative path of `-v ./data:/data` is the caller's. */
function absolute(io: Pick<Terminal, 'environment'>): (path: string) => string {
  return (path) => resolve(path.startsWith('~/') ? `${io.environment['HOME'] ?? ''}${path.slice(1)}` : path)
}

function processOptions(
  command: string[],
  flags: ContainerFlags,
  volumes: readonly (MountRequest | { anonymous: string })[],
  io: Pick<Terminal, 'environment'>,
): ProcessOptions {
  const labelLines = (flags.labelFile ?? []).flatMap((file) => readLines(file, parseLabelFile))
  return {
    command,
    ...(flags.entrypoint !== undefined && { entrypoint: [flags.entrypoint] }),
    env: environmentOf(flags, io),
    workingDir: flags.workdir,
    user: flags.user,
    tty: flags.tty ?? false,
    openStdin: flags.interactive ?? false,
    hostname: flags.hostname,
    domainname: flags.domainname,
    labels: parseLabels([...labelLines, ...(flags.label ?? [])]),
    stopSignal: flags.stopSignal,
    ...(flags.stopTimeout !== undefined && { stopTimeout: parseWholeNumber('stop-timeout', flags.stopTimeout) }),
    healthcheck: healthcheck(flags),
    expose: flags.expose?.flatMap((text) => parseExposedPorts(text, 'invalid range format for --expose')),
    volumes: volumes.flatMap((volume) => ('anonymous' in volume ? [volume.anonymous] : [])),
  }
}

/** The variables of `--env-file` and `--env`; a name without `=` is to be removed. */
export function environmentOf(
  { envFile = [], env = [] }: Pick<ContainerFlags, 'env' | 'envFile'>,
  io: Pick<Terminal, 'environment'>,
): string[] {
  return [
    ...envFile.flatMap((file) => readLines(file, (text) => parseEnvironmentFile(text, io.environment))),
    ...env.map((word) => environmentEntry(word, io.environment)),
  ]
}

function healthcheck(flags: ContainerFlags): ProcessOptions['healthcheck'] {
  const durations = {
    Interval: ['health-interval', flags.healthInterval],
    Timeout: ['health-timeout', flags.healthTimeout],
    StartPeriod: ['health-start-period', flags.healthStartPeriod],
    StartInterval: ['health-start-interval', flags.healthStartInterval],
  } as const
  const given = Object.entries(durations).flatMap(([name, [flag, text]]) =>
    text === undefined ? [] : [[name, positive(flag, parseDuration(flag, text))] as const],
  )
  const retries =
    flags.healthRetries === undefined
      ? undefined
      : positive('health-retries', parseWholeNumber('health-retries', flags.healthRetries))
  const any = given.length > 0 || retries !== undefined || flags.healthCmd !== undefined
  if (flags.noHealthcheck) {
    if (any) throw new BaleError('INVALID_ARGUMENT', '--no-healthcheck conflicts with --health-* options')
    return { Test: ['NONE'] }
  }
  if (!any) return undefined
  return {
    ...(flags.healthCmd !== undefined && { Test: ['CMD-SHELL', flags.healthCmd] }),
    ...Object.fromEntries(given),
    ...(retries !== undefined && { Retries: retries }),
  }
}

function positive(flag: string, value: number): number {
  if (value < 0) throw new BaleError('INVALID_ARGUMENT', `--${flag} cannot be negative`)
  return value
}

function hostOptions(
  flags: ContainerFlags,
  volumes: readonly (MountRequest | { anonymous: string })[],
  io: Pick<Terminal, 'environment'>,
): HostOptions {
  return {
    mounts: [
      ...volumes.flatMap((volume) => ('anonymous' in volume ? [] : [volume])),
      ...(flags.mount ?? []).map((mount) => parseMount(mount, absolute(io))),
      ...(flags.tmpfs ?? []).map(parseTmpfs),
    ],
    ...networkOptions(flags),
    ports: (flags.publish ?? []).flatMap(parsePublishedPorts),
    ...(flags.volumesFrom && { volumesFrom: flags.volumesFrom }),
    publishAll: flags.publishAll,
    capAdd: flags.capAdd,
    capDrop: flags.capDrop,
    privileged: flags.privileged,
    securityOptions: flags.securityOpt?.map(securityOption),
    readOnly: flags.readOnly,
    init: flags.init,
    // 0 is the default, as with docker: a tmpfs without a limit could hold all memory.
    ...(flags.shmSize !== undefined && { shmSize: parseBytes('shm-size', flags.shmSize) || undefined }),
    extraHosts: flags.addHost,
    dns: flags.dns,
    dnsSearch: flags.dnsSearch,
    dnsOptions: flags.dnsOption,
    devices: flags.device?.map(parseDevice),
    ulimits: flags.ulimit?.map(parseUlimit),
    ...(flags.sysctl && { sysctls: parsePairs('sysctl', flags.sysctl) }),
    resources: resources(flags),
    ...(flags.restart !== undefined && { restart: restartPolicy(flags.restart, flags) }),
    autoRemove: flags.rm,
    pidMode: flags.pid,
    ipcMode: flags.ipc,
    utsMode: flags.uts,
    groupAdd: flags.groupAdd,
    ...(flags.oomScoreAdj !== undefined && { oomScoreAdj: parseWholeNumber('oom-score-adj', flags.oomScoreAdj) }),
    runtime: flags.runtime,
    log: logOptions(flags),
  }
}

/** The flags of limits, which `update` takes as well. */
export function resources(flags: ContainerFlags): NonNullable<HostOptions['resources']> {
  const number = (flag: string, text: string | undefined) =>
    text === undefined ? undefined : parseWholeNumber(flag, text)
  const bytes = (flag: string, text: string | undefined) => (text === undefined ? undefined : parseBytes(flag, text))
  const rates = (flag: string, words: string[] | undefined, read: (flag: string, text: string) => number) =>
    words?.map((word) => parseDeviceLimit(flag, word, read))
  const limits = {
    memory: bytes('memory', flags.memory),
    memorySwap: flags.memorySwap === undefined ? undefined : readSwap(flags.memorySwap),
    memoryReservation: bytes('memory-reservation', flags.memoryReservation),
    memorySwappiness: number('memory-swappiness', flags.memorySwappiness),
    oomKillDisable: flags.oomKillDisable,
    nanoCpus: flags.cpus === undefined ? undefined : readCpus(flags.cpus),
    cpuShares: number('cpu-shares', flags.cpuShares),
    cpuQuota: number('cpu-quota', flags.cpuQuota),
    cpuPeriod: number('cpu-period', flags.cpuPeriod),
    cpusetCpus: flags.cpusetCpus,
    cpusetMems: flags.cpusetMems,
    pidsLimit: number('pids-limit', flags.pidsLimit),
    blkioWeight: number('blkio-weight', flags.blkioWeight),
    deviceReadBps: rates('device-read-bps', flags.deviceReadBps, parseBytes),
    deviceWriteBps: rates('device-write-bps', flags.deviceWriteBps, parseBytes),
    deviceReadIops: rates('device-read-iops', flags.deviceReadIops, parseWholeNumber),
    deviceWriteIops: rates('device-write-iops', flags.deviceWriteIops, parseWholeNumber),
  }
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined))
}

/** A profile is read here, so that the engine gets its text. */
function securityOption(option: string): string {
  const [, file] = /^seccomp[=:](.+)$/s.exec(option) ?? []
  if (file === undefined || file === 'unconfined' || file === 'builtin' || file.trimStart().startsWith('{'))
    return option
  return `seccomp=${opened(file, readTextSync)}`
}

function logOptions(flags: ContainerFlags): HostOptions['log'] {
  if (flags.logDriver === undefined && flags.logOpt === undefined) return undefined
  return { driver: flags.logDriver || 'json-file', options: parsePairs('log-opt', flags.logOpt ?? []) }
}

function readLines(file: string, parse: (text: string) => string[]): string[] {
  const bytes = opened(file, readBytesSync)
  try {
    return parse(keyValueText(bytes))
  } catch (cause) {
    throw new BaleError('INVALID_ARGUMENT', `invalid env file (${file}): ${(cause as Error).message}`, { cause })
  }
}

function opened<T>(file: string, read: (file: string) => T): T {
  try {
    return read(file)
  } catch (cause) {
    const words: Record<string, string> = { ENOENT: 'no such file or directory', EISDIR: 'is a directory' }
    const problem = words[errnoOf(cause) ?? ''] ?? (cause as Error).message
    throw new BaleError('INVALID_ARGUMENT', `open ${file}: ${problem}`, { cause })
  }
}

/** Bytes, or -1 for no limit. */
function readSwap(text: string): number {
  return text === '-1' ? -1 : parseSize(text)
}

export type Stream = 'stdin' | 'stdout' | 'stderr'

export function readStream(word: string): Stream {
  const stream = word.toLowerCase()
  if (stream === 'stdin' || stream === 'stdout' || stream === 'stderr') return stream
  throw new Error('valid streams are STDIN, STDOUT and STDERR')
}
