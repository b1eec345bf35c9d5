import { configuredFormat } from '../configured-format.ts'
import { filterFlag, readPairs } from '../filters.ts'
import { isQuiet, type ListFormat, labelsText, renderList, withLabels } from '../render/list-format.ts'
import { defineVerb } from '../verb.ts'

type Row = Record<'Driver' | 'Name' | 'Scope' | 'Mountpoint' | 'Labels' | 'Links' | 'Size', string>

const LIST: ListFormat<Row> = {
  headers: {
    Driver: 'DRIVER',
    Name: 'VOLUME NAME',
    Scope: 'SCOPE',
    Mountpoint: 'MOUNTPOINT',
    Labels: 'LABELS',
    Links: 'LINKS',
    Size: 'SIZE',
  },
  table: '{{.Driver}}\t{{.Name}}',
  rowType: '*formatter.volumeContext',
}

export const verb = defineVerb<{ filter?: string[]; format?: string; quiet?: boolean }>({
  name: 'volume ls',
  summary: 'List volumes',
  arguments: { max: 0 },
  options: [
    filterFlag('-f, --filter <FILTER>', 'name, label, dangling, driver'),
    { flags: '--format <TEMPLATE>', description: "'table TEMPLATE', 'json', or a Go template for each row" },
    { flags: '-q, --quiet', description: 'Only show names' },
  ],
  examples: [{ command: 'bale volume ls --filter dangling=true', explains: 'Those that no container mounts' }],
  async run({ options, engine, io, dockerConfigFile }) {
    const format = options.format || (options.quiet ? undefined : configuredFormat(dockerConfigFile, 'volumesFormat'))
    const volumes = await engine.listVolumes({ filters: readPairs(options.filter) })
    if (isQuiet(options)) {
      for (const { Name } of volumes) await io.print(Name)
      return 0
    }
    const rows = volumes.map((volume) =>
      withLabels(
        {
          Driver: volume.Driver,
          Name: volume.Name,
          Scope: volume.Scope,
          Mountpoint: volume.Mountpoint,
          Labels: labelsText(volume.Labels),
          Links: 'N/A',
          Size: 'N/A',
        },
        (name) => volume.Labels?.[name],
      ),
    )
    io.stdout.write(renderList(rows, LIST, format))
    return 0
  },
})
