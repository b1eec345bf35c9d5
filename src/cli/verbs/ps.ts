import { readInteger } from '#docker'
import type { ContainerRow, PublishedPort } from '#engine'
import { configuredFormat } from '../configured-format.ts'
import { filterFlag, readPairs } from '../filters.ts'
import { parseWholeNumber } from '../flags/flag-values.ts'
import { goTimestamp, humanAgo, humanDuration, humanSize } from '../render/human-units.ts'
import { type ListFormat, labelsText, renderList, withLabels } from '../render/list-format.ts'
import { defineVerb } from '../verb.ts'

interface Options {
  all?: boolean
  filter?: string[]
  format?: string
  last?: string
  latest?: boolean
  noTrunc?: boolean
  quiet?: boolean
  size?: boolean
}

type Row = Record<
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
  | 'LocalVolumes',
  string
>

const list = (size: boolean): ListFormat<Row> => ({
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
  },
  table: `{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}${size ? '\t{{.Size}}' : ''}`,
  rowType: '*formatter.containerContext',
})

export const verb = defineVerb<Options>({
  name: 'ps',
  summary: 'List containers',
  arguments: { max: 0 },
  options: [
    { flags: '-a, --all', description: 'Those that do not run, too' },
    filterFlag('-f, --filter <FILTER>', 'name, id, label, status, exited, ancestor, volume …'),
    { flags: '--format <TEMPLATE>', description: "'table TEMPLATE', 'json', or a Go template for each row" },
    { flags: '-n, --last <COUNT>', description: 'The newest ones, in any state', check: readInteger },
    { flags: '-l, --latest', description: 'The newest one, in any state' },
    { flags: '--no-trunc', description: 'Do not shorten IDs and commands' },
    { flags: '-q, --quiet', description: 'Only show IDs' },
    { flags: '-s, --size', description: 'Show what they have written' },
  ],
  examples: [
    { command: 'bale ps -a', explains: 'All containers' },
    { command: 'bale ps -q --filter label=stage=test', explains: 'IDs for a script' },
  ],
  async run({ options, engine, io, dockerConfigFile }) {
    const format = options.format || (options.quiet ? undefined : configuredFormat(dockerConfigFile, 'psFormat'))
    const last = options.latest ? 1 : options.last === undefined ? undefined : parseWholeNumber('last', options.last)
    const size = options.size || /\.Size\b/.test(format ?? '')
    const rows = await engine.listContainers({
      all: options.all,
      last: last === undefined || last < 0 ? undefined : last,
      filters: readPairs(options.filter),
      size,
    })
    const now = Date.now()
    if (options.quiet) {
      if (options.format) io.warn('WARNING: Ignoring custom format, because both --format and --quiet are set.')
      for (const row of rows) await io.print(!options.noTrunc ? row.id.slice(0, 12) : row.id)
      return 0
    }
    const shown = rows.map((row) => withLabels(display(row, !options.noTrunc, now), (name) => row.labels[name]))
    io.stdout.write(renderList(shown, list(options.size === true), format))
    return 0
  },
})

function display(row: ContainerRow, truncated: boolean, now: number): Row {
  const [program = '', ...words] = row.command
  const command = [program, ...words.map((word) => (word.includes(' ') ? `'${word}'` : word))].join(' ')
  const volumes = row.mounts.filter((mount) => mount.type === 'volume')
  const mountNames = row.mounts.map((mount) => mount.name ?? mount.source)
  return {
    ID: truncated ? row.id.slice(0, 12) : row.id,
    Image: row.image,
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
    Networks: row.network,
    LocalVolumes: String(volumes.length),
  }
}

function ellipsis(text: string, length: number): string {
  const characters = [...text]
  return characters.length > length ? `${characters.slice(0, length - 1).join('')}…` : text
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
export function portsText(ports: readonly PublishedPort[], exposed: readonly string[]): string {
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
