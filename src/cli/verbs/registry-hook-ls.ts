import { alignColumns } from '../render/align-columns.ts'
import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'

export const verb = defineVerb({
  name: 'registry hook ls',
  summary: 'List the hooks of a registry',
  arguments: { max: 0 },
  options: PLACE_OPTIONS,
  examples: [{ command: 'bale registry hook ls', explains: 'Who is told of what' }],
  async run({ options, engine, io }) {
    await using admin = await openAdmin(options, engine, io)
    const rows = (await admin.hooks.list()).map(({ name, active, pattern, events, url }) =>
      [name, active ? 'yes' : 'no', pattern, events.join(' '), url].join('\t'),
    )
    await io.print(alignColumns(['NAME\tACTIVE\tREPOSITORIES\tEVENTS\tURL', ...rows].join('\n')))
    return 0
  },
})
