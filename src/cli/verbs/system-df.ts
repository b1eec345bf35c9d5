import type { SystemUsage } from '#engine'
import { alignColumns } from '../render/align-columns.ts'
import { humanAgo, humanSize } from '../render/human-units.ts'
import { type ListFormat, renderList } from '../render/list-format.ts'
import { defineVerb } from '../verb.ts'

type Row = Record<'Type' | 'TotalCount' | 'Active' | 'Size' | 'Reclaimable', string>

const LIST: ListFormat<Row> = {
  headers: { Type: 'TYPE', TotalCount: 'TOTAL', Active: 'ACTIVE', Size: 'SIZE', Reclaimable: 'RECLAIMABLE' },
  table: '{{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}',
  rowType: '*formatter.diskUsageContext',
}

export const verb = defineVerb<{ verbose?: boolean; format?: string }>({
  name: 'system df',
  summary: 'Show how much disk the store uses',
  arguments: { max: 0 },
  options: [
    { flags: '-v, --verbose', description: 'Every image, container and volume, with shared and unique bytes' },
    { flags: '--format <TEMPLATE>', description: "'table TEMPLATE', 'json', or a Go template for each row" },
  ],
  examples: [
    { command: 'bale system df', explains: 'Bytes on disk by kind' },
    { command: 'bale system df -v', explains: 'Which images share their layers' },
  ],
  async run({ options, engine, io }) {
    const usage = await engine.diskUsage()
    const text = options.verbose ? verbose(usage, Date.now()) : renderList(summary(usage), LIST, options.format)
    await io.print(text.trimEnd())
    return 0
  },
})

function summary(usage: SystemUsage): Row[] {
  const row = (Type: string, total: number, active: number, size: number, reclaimable: number): Row => ({
    Type,
    TotalCount: String(total),
    Active: String(active),
    Size: humanSize(size),
    Reclaimable: size > 0 ? `${humanSize(reclaimable)} (${Math.round((reclaimable / size) * 100)}%)` : '0B',
  })
  const sum = (sizes: readonly { size: number }[]) => sizes.reduce((total, one) => total + one.size, 0)
  const idle = usage.containers.filter(({ record }) => record.state !== 'running')
  const inUse = usage.images.filter((image) => image.containers > 0).length
  const free = usage.volumes.filter((volume) => !usage.volumeUsers.has(volume.record.name))
  return [
    row('Images', usage.images.length, inUse, usage.layersSize, usage.imagesReclaimable),
    row('Containers', usage.containers.length, usage.containers.length - idle.length, sum(usage.containers), sum(idle)),
    row('Local Volumes', usage.volumes.length, usage.volumes.length - free.length, sum(usage.volumes), sum(free)),
    row(
      'Build Cache',
      usage.cache.length,
      usage.cache.filter((one) => one.shared).length,
      usage.cacheSize,
      usage.cacheSize,
    ),
  ]
}

function verbose(usage: SystemUsage, now: number): string {
  const table = (title: string, head: string[], rows: string[][]) =>
    `${title}\n\n${alignColumns([head, ...rows].map((cells) => cells.join('\t')).join('\n'))}\n`
  const images = usage.images.map(({ image, shared, unique, containers }) => [
    image.names.join(', ') || '<none>',
    image.id.slice(7, 19),
    humanAgo(Date.parse(image.config.created ?? '') || undefined, now),
    humanSize(shared + unique),
    humanSize(shared),
    humanSize(unique),
    String(containers),
  ])
  const containers = usage.containers.map(({ record, size }) => [
    record.id.slice(0, 12),
    record.name,
    record.state,
    humanSize(size),
  ])
  const volumes = usage.volumes.map(({ record, size }) => [record.name, humanSize(size)])
  const cache = usage.cache.map(({ record, shared }) => [
    record.key.slice(0, 12),
    humanAgo(record.lastUsed, now),
    humanSize(record.size),
    String(shared),
  ])
  return [
    table(
      'Images space usage:',
      ['NAMES', 'IMAGE ID', 'CREATED', 'SIZE', 'SHARED SIZE', 'UNIQUE SIZE', 'CONTAINERS'],
      images,
    ),
    table('Containers space usage:', ['CONTAINER ID', 'NAME', 'STATE', 'SIZE'], containers),
    table('Local Volumes space usage:', ['VOLUME NAME', 'SIZE'], volumes),
    table('Build cache usage:', ['CACHE ID', 'LAST USED', 'SIZE', 'SHARED'], cache),
  ].join('\n')
}
