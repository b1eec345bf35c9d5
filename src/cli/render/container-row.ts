import { humanAgo, humanDuration, humanSize } from '#docker'
import type { ContainerRow, PublishedPort } from '#engine'
import { ellipsis } from './ellipsis.ts'
import { GoStringer } from './go-template/index.ts'
import { type ListFormat, labelsText, withLabels } from './list-format.ts'
import { goTimestamp } from './local-time.ts'

export type ContainerListRow = Record<
  | 'ID'
  | 'Image'
  | 'Command'
  | 'CreatedAt'
  | 'RunningFor'
  | 'Ports'
  | 'State'
  | 'Status'
  | 'Size'
  | 'Names'
  | 'Labels'
  | 'Mounts'
  | 'Networks'
  | 'LocalVolumes'
  | 'HealthStatus',
  string
> & { Platform: GoStringer }

const RAW = `container_id: {{.ID}}
image: {{.Image}}
command: {{.Command}}
created_at: {{.CreatedAt}}
state: {{- pad .State 1 0}}
status: {{- pad .Status 1 0}}
names: {{.Names}}
labels: {{- pad .Labels 1 0}}
ports: {{- pad .Ports 1 0}}
`

/** How `ps` looks. */
export const containerList = (size: boolean): ListFormat<ContainerListRow> => ({
  headers: {
    ID: 'CONTAINER ID',
    Image: 'IMAGE',
    Command: 'COMMAND',
    CreatedAt: 'CREATED AT',
    RunningFor: 'CREATED',
    Ports: 'PORTS',
    State: 'STATE',
    Status: 'STATUS',
    Size: 'SIZE',
    Names: 'NAMES',
    Labels: 'LABELS',
    Mounts: 'MOUNTS',
    Networks: 'NETWORKS',
    LocalVolumes: 'LOCAL VOLUMES',
    HealthStatus: 'HEALTH STATUS',
    Platform: 'PLATFORM',
  },
  table: `{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}${size ? '\t{{.Size}}' : ''}`,
  raw: `${RAW}${size ? 'size: {{.Size}}\n' : ''}`,
  rowType: '*formatter.containerContext',
})

/** A container as a row of a list; `.Label` is its method. */
export function containerRow(row: ContainerRow, truncated: boolean, now: number): ContainerListRow {
  const [program = '', ...words] = row.command
  const command = [program, ...words.map((word) => (word.includes(' ') ? `'${word}'` : word))].join(' ')
  const volumes = row.mounts.filter((mount) => mount.type === 'volume')
  const mountNames = row.mounts.map((mount) => mount.name ?? mount.source)
  const shown: ContainerListRow = {
    ID: truncated ? row.id.slice(0, 12) : row.id,
    Image: truncated ? withoutDigest(row.image) : row.image,
    Command: JSON.stringify(truncated ? ellipsis(command, 20) : command),
    CreatedAt: goTimestamp(row.created),
    RunningFor: humanAgo(row.created, now),
    Ports: portsText(row.ports, row.exposed),
    State: row.state,
    Status: statusText(row, now),
    Size: row.size ? `${humanSize(row.size.written)} (virtual ${humanSize(row.size.total)})` : '0B',
    Names: row.name,
    Labels: labelsText(row.labels),
    Mounts: mountNames.map((name) => (truncated ? ellipsis(name, 15) : name)).join(','),
    Networks: row.networks.toSorted().join(','),
    LocalVolumes: String(volumes.length),
    HealthStatus: row.health ?? '',
    Platform: platform(row),
  }
  return withLabels(shown, row.labels)
}

/** `web:1@sha256:…` is shown as `web:1`. */
function withoutDigest(image: string): string {
  return image.replace(/(?<=.)@sha\d+:[0-9a-f]+$/, '')
}

/** docker's document of a platform, and its text `linux/arm/v7`. */
function platform({ platform: { os, architecture, variant } }: ContainerRow): GoStringer {
  const text = [os, architecture, ...(variant ? [variant] : [])].join('/')
  return new GoStringer({ architecture, os, ...(variant && { variant }) }, text)
}

function statusText(row: ContainerRow, now: number): string {
  const since = (time: number | undefined) => humanDuration(now - (time ?? now))
  switch (row.state) {
    case 'running':
      return `Up ${since(row.startedAt)}${row.health ? ` (${row.health === 'starting' ? 'health: starting' : row.health})` : ''}`
    case 'paused':
      return `Up ${since(row.startedAt)} (Paused)`
    case 'restarting':
      return `Restarting (${row.exitCode}) ${since(row.finishedAt)} ago`
    case 'exited':
      return `Exited (${row.exitCode}) ${since(row.finishedAt)} ago`
    case 'removing':
      return 'Removal In Progress'
    case 'created':
      return 'Created'
  }
}

/** `0.0.0.0:8080->80/tcp, 443/tcp`; neighbours that belong together become ranges, as docker shows them. */
function portsText(ports: readonly PublishedPort[], exposed: readonly string[]): string {
  const published = new Set(ports.map((port) => `${port.containerPort}/${port.protocol}`))
  const entries = [
    ...ports.map((port) => ({ ...port, key: `${port.hostIp}/${port.protocol}` })),
    ...exposed
      .filter((key) => !published.has(key))
      .map((key) => {
        const [port = '', protocol = 'tcp'] = key.split('/')
        return { hostIp: '', hostPort: 0, containerPort: Number(port), protocol, key: `/${protocol}` }
      }),
  ].sort((one, other) => one.containerPort - other.containerPort || one.hostPort - other.hostPort)
  const groups: { first: (typeof entries)[number]; last: (typeof entries)[number] }[] = []
  for (const entry of entries) {
    const group = groups.find(
      ({ last }) =>
        last.key === entry.key &&
        last.containerPort + 1 === entry.containerPort &&
        (entry.hostIp === '' || last.hostPort + 1 === entry.hostPort),
    )
    if (group) group.last = entry
    else groups.push({ first: entry, last: entry })
  }
  return groups.map(({ first, last }) => groupText(first, last)).join(', ')
}

const shown = (address: string) => (address.includes(':') ? `[${address}]` : address)

function groupText(
  first: { hostIp: string; hostPort: number; containerPort: number; protocol: string },
  last: { hostPort: number; containerPort: number },
): string {
  const span = (from: number, to: number) => (from === to ? String(from) : `${from}-${to}`)
  const inside = `${span(first.containerPort, last.containerPort)}/${first.protocol}`
  return first.hostIp === '' ? inside : `${shown(first.hostIp)}:${span(first.hostPort, last.hostPort)}->${inside}`
}
