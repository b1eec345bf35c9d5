import { filterFlag, readPairs } from '../flags/filters.ts'
import { configuredFormat } from '../render/configured-format.ts'
import { isQuiet, renderList } from '../render/list-format.ts'
import { VOLUME_LIST, volumeRow } from '../render/volume-row.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'volume ls',
  summary: 'List volumes',
  arguments: { max: 0 },
  options: [
    filterFlag('-f, --filter <FILTER>', 'name, label, dangling, driver'),
    { flags: '--format <TEMPLATE>', description: "'table TEMPLATE', 'json', or a Go template for each row" },
    { flags: '-q, --quiet', description: 'Only show names' },
  ],
  examples: [{ command: 'bale volume ls --filter dangling=true', explains: 'Only those that no container mounts' }],
  async run({ options, engine, io, dockerConfigFile }) {
    const format = options.format || (options.quiet ? undefined : configuredFormat(dockerConfigFile, 'volumesFormat'))
    const volumes = await engine.volumes.list({ filters: readPairs(options.filter) })
    if (isQuiet(options)) {
      for (const { Name } of volumes) await io.print(Name)
      return 0
    }
    const rows = volumes.map((volume) => volumeRow(volume))
    await io.write(renderList(rows, VOLUME_LIST, format))
    return 0
  },
})
