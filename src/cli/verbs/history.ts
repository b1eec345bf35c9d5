import { humanAgo, humanSize } from '#docker'
import { ellipsis } from '../render/ellipsis.ts'
import { isQuiet, type ListFormat, renderList } from '../render/list-format.ts'
import { localRfc3339 } from '../render/local-time.ts'
import { defineVerb } from '../verb/verb.ts'

type Row = Record<'ID' | 'CreatedSince' | 'CreatedAt' | 'CreatedBy' | 'Size' | 'Comment', string>

const list = (human: boolean): ListFormat<Row> => ({
  headers: {
    ID: 'IMAGE',
    CreatedSince: 'CREATED',
    CreatedAt: 'CREATED AT',
    CreatedBy: 'CREATED BY',
    Size: 'SIZE',
    Comment: 'COMMENT',
  },
  table: `{{.ID}}\t{{.${human ? 'CreatedSince' : 'CreatedAt'}}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}`,
  rowType: '*formatter.historyContext',
})

/** Characters of a command line that docker shows. */
const COMMAND_WIDTH = 45

export const verb = defineVerb({
  name: 'history',
  summary: 'Show how an image was made',
  usage: 'IMAGE',
  arguments: { min: 1, max: 1 },
  options: [
    { flags: '-q, --quiet', description: 'Only show image IDs' },
    { flags: '--no-trunc', description: 'Do not shorten IDs and commands' },
    { flags: '-H, --human', description: 'Print sizes and times in readable form', default: true },
    { flags: '--format <TEMPLATE>', description: "'table TEMPLATE', 'json', or a Go template for each row" },
  ],
  examples: [
    { command: 'bale history webserver', explains: 'Newest step first, with the bytes each added' },
    { command: `bale history --no-trunc --format '{{.CreatedBy}}' webserver`, explains: 'The whole command lines' },
  ],
  async run({ args, options, engine, io }) {
    const history = await engine.images.history(args[0]!)
    const now = Date.now()
    const rows = history.map((row): Row => {
      const id = !options.noTrunc && row.Id !== '<missing>' ? row.Id.slice(7, 19) : row.Id
      const command = row.CreatedBy.replaceAll('\t', ' ')
      const time = row.Created * 1000
      return {
        ID: id,
        CreatedSince: options.human ? since(time, now) : localRfc3339(time),
        CreatedAt: localRfc3339(time),
        CreatedBy: options.noTrunc ? command : ellipsis(command, COMMAND_WIDTH),
        Size: options.human ? humanSize(row.Size) : String(row.Size),
        Comment: row.Comment,
      }
    })
    if (isQuiet(options)) await io.print(rows.map((row) => row.ID).join('\n'))
    else await io.write(renderList(rows, list(options.human), options.format))
    return 0
  },
})

/** Reproducible builds set a time long before containers existed; it is not an age. */
function since(time: number, now: number): string {
  return time <= Date.UTC(2000) ? 'N/A' : humanAgo(time, now)
}
