import { readInteger } from '#docker'
import { filterFlag, readPairs } from '../flags/filters.ts'
import { parseWholeNumber } from '../flags/flag-values.ts'
import { configuredFormat } from '../render/configured-format.ts'
import { containerList, containerRow } from '../render/container-row.ts'
import { renderList } from '../render/list-format.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'ps',
  summary: 'List containers',
  arguments: { max: 0 },
  options: [
    { flags: '-a, --all', description: 'Also show stopped containers' },
    filterFlag('-f, --filter <FILTER>', 'name, id, label, status, exited, ancestor, volume …'),
    { flags: '--format <TEMPLATE>', description: "'table TEMPLATE', 'json', or a Go template for each row" },
    { flags: '-n, --last <COUNT>', description: 'Show the newest containers, in any state', check: readInteger },
    { flags: '-l, --latest', description: 'Show the newest container, in any state' },
    { flags: '--no-trunc', description: 'Do not shorten IDs and commands' },
    { flags: '-q, --quiet', description: 'Only show IDs' },
    { flags: '-s, --size', description: 'Show sizes' },
  ],
  examples: [
    { command: 'bale ps -a', explains: 'All containers' },
    { command: 'bale ps -q --filter label=stage=test', explains: 'IDs for a script' },
  ],
  async run({ options, engine, io, dockerConfigFile }) {
    const format = options.format || (options.quiet ? undefined : configuredFormat(dockerConfigFile, 'psFormat'))
    const last = options.latest ? 1 : options.last === undefined ? undefined : parseWholeNumber('last', options.last)
    const size = options.size || /\.Size\b/.test(format ?? '')
    const rows = await engine.containers.list({
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
    const shown = rows.map((row) => containerRow(row, !options.noTrunc, now))
    await io.write(renderList(shown, containerList(options.size === true), format))
    return 0
  },
})
