import type { ImageRow } from '#engine'
import { configuredFormat } from '../configured-format.ts'
import { filterFlag, readPairs } from '../filters.ts'
import { goTimestamp, humanAgo, humanSize } from '../render/human-units.ts'
import { isQuiet, type ListFormat, renderList } from '../render/list-format.ts'
import { defineVerb } from '../verb.ts'

interface Options {
  all?: boolean
  quiet?: boolean
  digests?: boolean
  noTrunc?: boolean
  filter?: string[]
  format?: string
}

type Row = Record<
  | 'ID'
  | 'Repository'
  | 'Tag'
  | 'Digest'
  | 'CreatedSince'
  | 'CreatedAt'
  | 'Size'
  | 'VirtualSize'
  | 'SharedSize'
  | 'UniqueSize'
  | 'Containers',
  string
>

const NONE = '<none>'

const list = (digests: boolean): ListFormat<Row> => ({
  headers: {
    ID: 'IMAGE ID',
    Repository: 'REPOSITORY',
    Tag: 'TAG',
    Digest: 'DIGEST',
    CreatedSince: 'CREATED',
    CreatedAt: 'CREATED AT',
    Size: 'SIZE',
    VirtualSize: 'SIZE',
    SharedSize: 'SHARED SIZE',
    UniqueSize: 'UNIQUE SIZE',
    Containers: 'CONTAINERS',
  },
  table: digests
    ? '{{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}'
    : '{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}',
  rowType: '*formatter.imageContext',
})

export const verb = defineVerb<Options>({
  name: 'images',
  summary: 'List images',
  usage: '[REPOSITORY[:TAG]]',
  arguments: { max: 1 },
  options: [
    { flags: '-a, --all', description: 'All images (there are no intermediate ones; for compatibility)' },
    { flags: '-q, --quiet', description: 'Only show image IDs' },
    { flags: '--digests', description: 'Show digests' },
    { flags: '--no-trunc', description: 'Do not shorten IDs' },
    filterFlag('-f, --filter <FILTER>', 'dangling, label, before, since, until, reference'),
    { flags: '--format <TEMPLATE>', description: "'table TEMPLATE', 'json', or a Go template for each row" },
  ],
  examples: [
    { command: 'bale images', explains: 'All images, newest first' },
    { command: 'bale images --filter dangling=true -q', explains: 'IDs of images without a name' },
    {
      command: `bale images --format '{{.Repository}}:{{.Tag}} {{.Size}}' debian`,
      explains: 'One repository, own columns',
    },
  ],
  async run({ args, options, engine, io, dockerConfigFile }) {
    const format = options.format || (options.quiet ? undefined : configuredFormat(dockerConfigFile, 'imagesFormat'))
    const rows = await engine.listImageRows({
      name: args[0],
      filters: readPairs(options.filter),
      digests: options.digests || /\.Digest\b/.test(format ?? ''),
    })
    const now = Date.now()
    if (isQuiet(options)) {
      const ids = rows.map((row) => (!options.noTrunc ? row.id.slice(7, 19) : row.id))
      if (ids.length > 0) await io.print(ids.join('\n'))
      return 0
    }
    const shown = rows.map((row) => display(row, !options.noTrunc, now))
    io.stdout.write(renderList(shown, list(options.digests === true), format))
    return 0
  },
})

function display(row: ImageRow, truncated: boolean, now: number): Row {
  return {
    ID: truncated ? row.id.slice(7, 19) : row.id,
    Repository: row.repository ?? NONE,
    Tag: row.tag ?? NONE,
    Digest: row.digest ?? NONE,
    CreatedSince: humanAgo(row.created * 1000, now),
    CreatedAt: goTimestamp(row.created * 1000),
    Size: humanSize(row.size),
    VirtualSize: humanSize(row.size, 4),
    SharedSize: 'N/A',
    UniqueSize: 'N/A',
    Containers: 'N/A',
  }
}
