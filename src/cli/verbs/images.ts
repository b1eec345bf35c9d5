import { filterFlag, readPairs } from '../flags/filters.ts'
import { configuredFormat } from '../render/configured-format.ts'
import { imageList, imageRow } from '../render/image-row.ts'
import { isQuiet, renderList } from '../render/list-format.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'images',
  summary: 'List images',
  usage: '[REPOSITORY[:TAG]]',
  arguments: { max: 1 },
  options: [
    { flags: '-a, --all', description: 'Accepted for compatibility: there are no intermediate images' },
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
    const rows = await engine.images.rows({
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
    const shown = rows.map((row) => imageRow(row, !options.noTrunc, now))
    await io.write(renderList(shown, imageList(options.digests === true), withDigests(format, options.digests)))
    return 0
  },
})

/** `--digests` adds its column to a table that does not ask for it. */
function withDigests(format: string | undefined, digests: boolean | undefined): string | undefined {
  if (!format?.startsWith('table') || format === 'table') return format
  return digests && !format.includes('{{.Digest}}') ? `${format}\t{{.Digest}}` : format
}
