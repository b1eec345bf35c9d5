import { filterFlag, readPairs } from '../flags/filters.ts'
import { configuredFormat } from '../render/configured-format.ts'
import { GoTime } from '../render/go-template/index.ts'
import { isQuiet, type ListFormat, labelsText, renderList, withLabels } from '../render/list-format.ts'
import { defineVerb } from '../verb/verb.ts'

type Row = Record<'ID' | 'Name' | 'Driver' | 'Scope' | 'IPv4' | 'IPv6' | 'Internal' | 'Labels' | 'CreatedAt', string>

const LIST: ListFormat<Row> = {
  headers: {
    ID: 'NETWORK ID',
    Name: 'NAME',
    Driver: 'DRIVER',
    Scope: 'SCOPE',
    IPv4: 'IPV4',
    IPv6: 'IPV6',
    Internal: 'INTERNAL',
    Labels: 'LABELS',
    CreatedAt: 'CREATED AT',
  },
  table: '{{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}',
  raw: 'network_id: {{.ID}}\nname: {{.Name}}\ndriver: {{.Driver}}\nscope: {{.Scope}}\n',
  rowType: '*network.networkContext',
}

export const verb = defineVerb({
  name: 'network ls',
  summary: 'List networks',
  arguments: { max: 0 },
  options: [
    filterFlag('-f, --filter <FILTER>', 'name, id, driver, label, type, scope, dangling'),
    { flags: '--format <TEMPLATE>', description: "'table TEMPLATE', 'json', or a Go template for each row" },
    { flags: '--no-trunc', description: 'Do not shorten IDs' },
    { flags: '-q, --quiet', description: 'Only show IDs' },
  ],
  examples: [{ command: 'bale network ls --filter type=custom', explains: 'User-defined networks' }],
  async run({ options, engine, io, dockerConfigFile }) {
    const format = options.format || (options.quiet ? undefined : configuredFormat(dockerConfigFile, 'networksFormat'))
    const networks = await engine.networks.list({ filters: readPairs(options.filter) })
    const rows = networks.map((network) =>
      withLabels(
        {
          ID: !options.noTrunc ? network.Id.slice(0, 12) : network.Id,
          Name: network.Name,
          Driver: network.Driver,
          Scope: network.Scope,
          IPv4: 'true',
          IPv6: String(network.EnableIPv6),
          Internal: String(network.Internal),
          Labels: labelsText(network.Labels),
          CreatedAt: String(new GoTime(network.Created)),
        },
        network.Labels,
      ),
    )
    if (isQuiet(options)) for (const row of rows) await io.print(row.ID)
    else await io.write(renderList(rows, LIST, format))
    return 0
  },
})
