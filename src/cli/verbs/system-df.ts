import { humanSize } from '#docker'
import { type UsageRow, usageSummary } from '#docker/views'
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
      await io.write(renderUsage(rows, usage.cacheSize, options.format))
    } else {
      const rows = usageSummary(usage, containers).map(summaryRow)
      await io.write(renderList(rows, LIST, options.format))
    }
    return 0
  },
})

const TYPES: Record<UsageRow['kind'], string> = {
  images: 'Images',
  containers: 'Containers',
  volumes: 'Local Volumes',
  cache: 'Build Cache',
}

function summaryRow({ kind, total, active, size, reclaimable }: UsageRow): Row {
  const free = humanSize(reclaimable, 4)
  return {
    Type: TYPES[kind],
    TotalCount: String(total),
    Active: String(active),
    Size: humanSize(size, 4),
    // docker gives no share of the build cache.
    Reclaimable: size > 0 && kind !== 'cache' ? `${free} (${Math.trunc((reclaimable * 100) / size)}%)` : free,
  }
}
