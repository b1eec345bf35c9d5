import { alignColumns } from '../render/align-columns.ts'
import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'

export const verb = defineVerb({
  name: 'registry user ls',
  summary: 'List the users of a registry and their rights',
  arguments: { max: 0 },
  options: PLACE_OPTIONS,
  examples: [
    {
      command: 'bale registry user ls',
      explains: 'Names, the directory by which they log in, administrators, and grants by pattern',
    },
  ],
  async run({ options, engine, io }) {
    await using admin = await openAdmin(options, engine, io)
    const rows = (await admin.users.list()).map(({ name, origin = '', admin: everything, grants }) => {
      const given = grants.map(({ pattern, role }) => `${pattern}=${role}`).join(' ')
      return [name, origin, everything ? 'yes' : 'no', given].join('\t')
    })
    await io.print(alignColumns(['NAME\tDIRECTORY\tADMIN\tGRANTS', ...rows].join('\n')))
    return 0
  },
})
