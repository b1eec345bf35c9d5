import type { ContainerRow, SystemUsage } from '#engine'
import { humanSize } from '../render/human-units.ts'
import { type ListFormat, renderList } from '../render/list-format.ts'
import { renderUsage, usageRows } from '../render/usage-rows.ts'
import { defineVerb } from '../verb/verb.ts'

type Row = Record<'Type' | 'TotalCount' | 'Active' | 'Size' | 'Reclaimable', string>

const LIST: ListFormat<Row> = {
  headers: { Type: 'TYPE', TotalCount: 'TOTAL', Active: 'ACTIVE', Size: 'SIZE', Reclaimable: 'RECLAIMABLE' },
  table: '{{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}',
  raw: 'type: {{.Type}}\ntotal: {{.TotalCount}}\nactive: {{.Active}}\nsize: {{.Size}}\nreclaimable: {{.Reclaimable}}\n',
  rowType: '*formatter.diskUsageContext',
}

export const verb = defineVerb({
  name: 'system df',
  summary: 'Show disk usage of the store',
  arguments: { max: 0 },
  options: [
    { flags: '-v, --verbose', description: 'List every image, container and volume, with shared and unique sizes' },
    {
      flags: '--format <TEMPLATE>',
      description:
        "'table TEMPLATE', 'json', or a Go template: for each row, with -v for all of { Images, Containers, Volumes, BuildCache }",
    },
  ],
  examples: [
    { command: 'bale system df', explains: 'Bytes on disk by kind' },
    { command: 'bale system df -v', explains: 'Which images share their layers' },
    {
      command: `bale system df -v --format '{{range .Volumes}}{{.Name}} {{.Size}}\\n{{end}}'`,
      explains: 'The bytes of each volume',
    },
  ],
  async run({ options, engine, io }) {
    const usage = await engine.system.df()
    const containers = await engine.containers.list({ all: true })
    if (options.verbose) {
      const [images, volumes] = await Promise.all([engine.images.rows(), engine.volumes.list()])
      const whole = Boolean(options.format) && !options.format!.startsWith('table')
      const rows = usageRows(usage, { images, containers, volumes, whole })
      io.stdout.write(renderUsage(rows, usage.cacheSize, options.format))
    } else io.stdout.write(renderList(summary(usage, containers), LIST, options.format))
    return 0
  },
})

const RUNS: readonly string[] = ['running', 'paused', 'restarting']

function summary(usage: SystemUsage, containers: readonly ContainerRow[]): Row[] {
  const row = (Type: string, total: number, active: number, size: number, reclaimable: string): Row => ({
    Type,
    TotalCount: String(total),
    Active: String(active),
    Size: humanSize(size, 4),
    Reclaimable: reclaimable,
  })
  const share = (part: number, size: number) =>
    size > 0 ? `${humanSize(part, 4)} (${Math.trunc((part * 100) / size)}%)` : humanSize(part, 4)
  const sum = (sizes: readonly { size: number }[]) => sizes.reduce((total, one) => total + one.size, 0)
  const running = new Set(containers.filter(({ state }) => RUNS.includes(state)).map(({ id }) => id))
  const idle = sum(usage.containers.filter(({ record }) => !running.has(record.id)))
  const written = sum(usage.containers)
  const inUse = usage.images.filter((image) => image.containers > 0).length
  const free = usage.volumes.filter((volume) => !usage.volumeUsers.has(volume.record.name))
  const [kept, freed] = [sum(usage.volumes), sum(free)]
  const shared = usage.cache.filter((one) => one.shared).length
  return [
    row('Images', usage.images.length, inUse, usage.layersSize, share(usage.imagesReclaimable, usage.layersSize)),
    row('Containers', usage.containers.length, running.size, written, share(idle, written)),
    row('Local Volumes', usage.volumes.length, usage.volumes.length - free.length, kept, share(freed, kept)),
    row('Build Cache', usage.cache.length, shared, usage.cacheSize, humanSize(usage.cacheSize, 4)),
  ]
}
